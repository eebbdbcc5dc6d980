#include "conformance/probe/actor.h"

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace caisson::conformance {

Pace::Pace(double per_second, double burst) {
  if (per_second <= 0) return;
  // A margin of a tenth: the limiter's clock and ours are not the same.
  interval_us_ = 1e6 / (per_second * 0.9);
  slack_us_ = interval_us_ * std::max(0.0, burst * 0.8 - 1);
}

void Pace::wait() {
  using std::chrono::microseconds;
  using std::chrono::steady_clock;
  if (interval_us_ <= 0) return;
  steady_clock::time_point turn;
  {
    const std::scoped_lock lock(mutex_);
    const auto now = steady_clock::now();
    const auto earliest = now - microseconds(static_cast<std::int64_t>(slack_us_));
    turn = std::max(next_, earliest);
    next_ = turn + microseconds(static_cast<std::int64_t>(interval_us_));
  }
  std::this_thread::sleep_until(turn);
}

const Canary& Actor::canary(std::string_view sink) const {
  const auto found = std::ranges::find(canaries, sink, &Canary::sink);
  if (found == canaries.end()) throw std::logic_error("no canary of this sink was planted");
  return *found;
}

}  // namespace caisson::conformance

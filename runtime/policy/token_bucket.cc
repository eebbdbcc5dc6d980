#include "runtime/policy/token_bucket.h"

#include <algorithm>
#include <cmath>

namespace caisson::policy {

Rate Rate::of(double per_second, std::int64_t burst) noexcept {
  constexpr double longest = 86'400e9;
  constexpr std::int64_t most_ns = std::int64_t{1} << 61;  // sums of a few of these fit
  const double interval = std::clamp(std::ceil(1e9 / per_second), 1.0, longest);
  const auto interval_ns = static_cast<std::int64_t>(interval);
  return {.interval_ns = interval_ns,
          .burst = std::clamp<std::int64_t>(burst, 1, most_ns / interval_ns)};
}

Level TokenBucket::take(const Rate& rate, std::int64_t now_ns) noexcept {
  const std::int64_t capacity = rate.interval_ns * rate.burst;
  std::int64_t full_at = full_at_.load(std::memory_order_relaxed);
  if (capacity_.load(std::memory_order_relaxed) != capacity) {
    capacity_.store(capacity, std::memory_order_relaxed);
    // What was taken at another rate must not keep this one waiting: a bucket is never more than
    // empty.
    while (full_at > now_ns + capacity &&
           !full_at_.compare_exchange_weak(full_at, now_ns + capacity, std::memory_order_relaxed)) {
    }
  }
  while (true) {
    const std::int64_t from = std::max(full_at, now_ns);
    const std::int64_t to = from + rate.interval_ns;
    const std::int64_t over = to - now_ns - capacity;
    if (over > 0) {
      return {.taken = false, .remaining = 0, .next_ns = over, .full_ns = from - now_ns};
    }
    if (full_at_.compare_exchange_weak(full_at, to, std::memory_order_relaxed)) {
      const std::int64_t remaining = -over / rate.interval_ns;
      const std::int64_t next = remaining > 0 ? 0 : rate.interval_ns + over;
      return {.taken = true, .remaining = remaining, .next_ns = next, .full_ns = to - now_ns};
    }
  }
}

bool TokenBucket::full(std::int64_t now_ns) const noexcept {
  return full_at_.load(std::memory_order_relaxed) <= now_ns;
}

}  // namespace caisson::policy

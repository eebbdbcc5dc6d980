#include "runtime/policy/token_bucket.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace caisson::policy {
namespace {

constexpr std::int64_t most_ns = std::int64_t{1} << 61;  // sums of a few of these fit

}  // namespace

Rate Rate::of(double per_second, std::int64_t burst) noexcept {
  constexpr double longest = 86'400e9;
  const double interval = std::clamp(std::ceil(1e9 / per_second), 1.0, longest);
  const auto interval_ns = static_cast<std::int64_t>(interval);
  return {.interval_ns = interval_ns,
          .burst = std::clamp<std::int64_t>(burst, 1, most_ns / interval_ns)};
}

void TokenBucket::follow(const Rate& rate, std::int64_t now_ns) noexcept {
  if (rate == rate_) return;
  const Rate before = std::exchange(rate_, rate);
  if (repaid_at_ <= now_ns) return;
  const auto rescaled = [&](std::int64_t owed) {
    // A product of two times needs more than 64 bits. Rounded up: a change never gives a token
    // away.
    __extension__ using Wide = __int128;
    const Wide scaled =
        (Wide{owed} * rate.interval_ns + before.interval_ns - 1) / before.interval_ns;
    return static_cast<std::int64_t>(std::min<Wide>(scaled, most_ns));
  };
  const std::int64_t empty_from = std::max(full_at_, now_ns);
  std::int64_t owed = rescaled(empty_from - now_ns);
  std::int64_t forgiven = rescaled(repaid_at_ - empty_from);
  // What a smaller burst forgives, a larger one takes back.
  const std::int64_t capacity = rate.interval_ns * rate.burst;
  const std::int64_t moved =
      rate.burst > before.burst ? std::min(forgiven, rate.interval_ns * (rate.burst - before.burst))
                                : std::min<std::int64_t>(0, capacity - owed);
  owed = std::min(owed + moved, capacity);
  forgiven = std::min(forgiven - moved, most_ns);
  full_at_ = now_ns + owed;
  repaid_at_ = full_at_ + forgiven;
}

Level TokenBucket::take(const Rate& rate, std::int64_t now_ns) noexcept {
  const std::lock_guard lock(mutex_);
  follow(rate, now_ns);
  const std::int64_t from = std::max(full_at_, now_ns);
  const std::int64_t to = from + rate.interval_ns;
  const std::int64_t over = to - now_ns - rate.interval_ns * rate.burst;
  if (over > 0) return {.taken = false, .remaining = 0, .next_ns = over, .full_ns = from - now_ns};
  full_at_ = to;
  repaid_at_ = std::max(repaid_at_, from) + rate.interval_ns;
  const std::int64_t remaining = -over / rate.interval_ns;
  const std::int64_t next = remaining > 0 ? 0 : rate.interval_ns + over;
  return {.taken = true, .remaining = remaining, .next_ns = next, .full_ns = to - now_ns};
}

void TokenBucket::change(const Rate& rate, std::int64_t now_ns) noexcept {
  const std::lock_guard lock(mutex_);
  follow(rate, now_ns);
}

bool TokenBucket::full(std::int64_t now_ns) const noexcept {
  const std::lock_guard lock(mutex_);
  return repaid_at_ <= now_ns;
}

}  // namespace caisson::policy

#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

namespace caisson::policy {

/// How fast a bucket fills and how much it holds, in whole nanoseconds.
struct Rate {
  /// `per_second` above 0. The interval is rounded up, so that a bucket never gives more than its
  /// rate, and at most 1 ns an operation less. Intervals are at most a day; `burst` is at least 1.
  [[nodiscard]] static Rate of(double per_second, std::int64_t burst) noexcept;

  std::int64_t interval_ns = 0;  ///< from one token to the next
  std::int64_t burst = 0;        ///< tokens of a full bucket
};

/// What a bucket holds after it was asked.
struct Level {
  bool taken = false;
  std::int64_t remaining = 0;  ///< whole tokens
  std::int64_t next_ns = 0;    ///< until there is a token to take; 0 when there is one
  std::int64_t full_ns = 0;    ///< until it is full
};

/// A token bucket that is one atomic number: the moment at which it is full again (the generic cell
/// rate algorithm). Lock-free, exact to the nanosecond under any number of threads; a new bucket is
/// full. The rate is given at every use, so that a changed limit holds for the next request.
class TokenBucket {
 public:
  [[nodiscard]] Level take(const Rate& rate, std::int64_t now_ns) noexcept;
  [[nodiscard]] bool full(std::int64_t now_ns) const noexcept;

 private:
  std::atomic<std::int64_t> full_at_{std::numeric_limits<std::int64_t>::min()};
  std::atomic<std::int64_t> capacity_{0};  ///< of the rate it was last used with, in nanoseconds
};

}  // namespace caisson::policy

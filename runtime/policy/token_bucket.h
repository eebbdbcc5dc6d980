#pragma once

#include <cstdint>
#include <limits>
#include <mutex>

namespace caisson::policy {

/// How fast a bucket fills and how much it holds, in whole nanoseconds.
struct Rate {
  /// `per_second` above 0. The interval is rounded up, so that a bucket never gives more than its
  /// rate, and at most 1 ns an operation less. Intervals are at most a day; `burst` is at least 1.
  [[nodiscard]] static Rate of(double per_second, std::int64_t burst) noexcept;

  std::int64_t interval_ns = 0;  ///< from one token to the next
  std::int64_t burst = 0;        ///< tokens of a full bucket

  friend bool operator==(const Rate&, const Rate&) = default;
};

/// What a bucket holds after it was asked.
struct Level {
  bool taken = false;
  std::int64_t remaining = 0;  ///< whole tokens
  std::int64_t next_ns = 0;    ///< until there is a token to take; 0 when there is one
  std::int64_t full_ns = 0;    ///< until it is full
};

/// A token bucket, kept as the moment at which it is full again (the generic cell rate algorithm).
/// Exact to the nanosecond under any number of threads; a new bucket is full.
///
/// The rate may change at any time. Tokens that were taken stay taken and are given back at the new
/// rate: a full bucket stays full, one of which five are taken has five less than the new burst,
/// and none is ever more than empty. What a bucket could not be short of when its burst was cut, it
/// is short of when the burst is raised again, but for what came back meanwhile.
class TokenBucket {
 public:
  /// Takes one token at `rate`, which holds from now on.
  [[nodiscard]] Level take(const Rate& rate, std::int64_t now_ns) noexcept;
  /// Makes `rate` hold from now on, rather than from the next `take`.
  void change(const Rate& rate, std::int64_t now_ns) noexcept;
  /// Whether nothing is left to remember of it: a new one would be as good.
  [[nodiscard]] bool full(std::int64_t now_ns) const noexcept;

 private:
  void follow(const Rate& rate, std::int64_t now_ns) noexcept;

  mutable std::mutex mutex_;
  Rate rate_;  ///< that `full_at_` was reckoned with
  std::int64_t full_at_ = std::numeric_limits<std::int64_t>::min();
  /// When all that was taken has come back, also what cut bursts have forgiven; not before
  /// full_at_.
  std::int64_t repaid_at_ = std::numeric_limits<std::int64_t>::min();
};

}  // namespace caisson::policy

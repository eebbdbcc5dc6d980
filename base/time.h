#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace caisson {

/// Time, passed in so that tests can turn it.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  /// Milliseconds since the Unix epoch; may jump.
  [[nodiscard]] virtual std::int64_t unix_ms() const noexcept = 0;
  /// Nanoseconds from an arbitrary start; never goes back.
  [[nodiscard]] virtual std::int64_t steady_ns() const noexcept = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t unix_ms() const noexcept override;
  [[nodiscard]] std::int64_t steady_ns() const noexcept override;
};

/// What `SystemClock` says: milliseconds since the Unix epoch, now.
[[nodiscard]] std::int64_t unix_ms_now() noexcept;

/// A clock that stands still until it is told to move.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t unix_ms = 1'700'000'000'000) : unix_ms_(unix_ms) {}
  [[nodiscard]] std::int64_t unix_ms() const noexcept override { return unix_ms_; }
  [[nodiscard]] std::int64_t steady_ns() const noexcept override { return steady_ns_; }
  void advance_ms(std::int64_t ms) noexcept { advance_ns(ms * 1'000'000); }
  void advance_ns(std::int64_t ns) noexcept {
    steady_ns_ += ns;
    unix_ms_ += ns / 1'000'000;
  }
  void set_unix_ms(std::int64_t ms) noexcept { unix_ms_ = ms; }

 private:
  std::int64_t unix_ms_;
  std::int64_t steady_ns_ = 0;
};

/// RFC 3339 in UTC with milliseconds: `2026-02-14T09:30:00.000Z`. Years 0000 to 9999.
[[nodiscard]] std::string rfc3339(std::int64_t unix_ms);

/// The same to the second: `2026-02-14T09:30:00Z`.
[[nodiscard]] std::string rfc3339_seconds(std::int64_t unix_s);

/// The instant of an RFC 3339 date-time (any offset, fraction cut to milliseconds) that `rfc3339`
/// can write.
[[nodiscard]] std::optional<std::int64_t> parse_rfc3339(std::string_view text);

}  // namespace caisson

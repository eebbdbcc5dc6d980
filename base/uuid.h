#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace caisson {

/// A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then 74 bits that are random and, within one
/// thread and millisecond, increasing. Ordered by creation.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  /// A new id for `unix_ms`, different from every other.
  [[nodiscard]] static Uuid make(std::int64_t unix_ms);
  /// Only the canonical form: 36 characters, lower case.
  [[nodiscard]] static std::optional<Uuid> parse(std::string_view text);

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  /// Milliseconds since the Unix epoch at which it was made.
  [[nodiscard]] std::int64_t unix_ms() const;

  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

/// A UUIDv7 as text with 74 random bits: not to be guessed, and in no order within a millisecond.
[[nodiscard]] std::string new_uuid(std::int64_t unix_ms);

/// Whether `text` is a UUIDv7 in its one spelling.
[[nodiscard]] bool is_uuid(std::string_view text);

}  // namespace caisson

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace caisson {

inline constexpr std::string_view hex_digits = "0123456789abcdef";

/// Lower-case hexadecimal, two digits a byte.
[[nodiscard]] std::string hex(std::span<const unsigned char> bytes);

/// `value` in lower-case hexadecimal with at least `digits` digits.
[[nodiscard]] std::string hex_number(std::uint64_t value, std::size_t digits);

/// What a hexadecimal digit of either case is worth; -1 for anything else.
[[nodiscard]] constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Whether `text` holds lower-case hexadecimal digits and nothing else. An empty one does.
[[nodiscard]] constexpr bool is_hex(std::string_view text) noexcept {
  return text.find_first_not_of(hex_digits) == std::string_view::npos;
}

}  // namespace caisson

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace caisson::source {

/// A decoded Unicode scalar value and the bytes it took. An invalid byte is U+FFFD of length 1.
struct Scalar {
  char32_t value = 0;
  std::size_t length = 0;
  bool valid = true;
};

/// Decodes the first scalar value of a text that is not empty (RFC 3629: no surrogates, no overlong
/// forms, nothing above U+10FFFF).
[[nodiscard]] Scalar decode_utf8(std::string_view text);

/// Offset of the first byte that is not UTF-8.
[[nodiscard]] std::optional<std::size_t> first_invalid_utf8(std::string_view text);

/// Columns that a terminal gives the scalar: 0 for combining marks, 2 for East Asian wide and
/// emoji.
[[nodiscard]] std::size_t terminal_width(char32_t scalar);

/// The text with everything that could steer a terminal or break a line replaced: tabs become one
/// space, other control and bidirectional formatting characters and invalid bytes U+FFFD.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace caisson::source

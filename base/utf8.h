#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace caisson {

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

/// Appends a Unicode scalar value as UTF-8.
void append_utf8(std::string& out, char32_t scalar);

/// Checks that bytes which come in pieces are UTF-8 (RFC 3629): no overlong forms, no surrogates,
/// nothing above U+10FFFF. A defect is seen at its first wrong byte.
class Utf8Validator {
 public:
  /// False once a byte cannot be right, and from then on.
  [[nodiscard]] bool feed(std::string_view bytes);
  /// Nothing is wrong and no character is cut in two.
  [[nodiscard]] bool complete() const { return !broken_ && missing_ == 0; }

 private:
  std::uint8_t missing_ = 0;  ///< continuation bytes of the current character
  std::uint8_t low_ = 0x80;   ///< bounds of the next of them
  std::uint8_t high_ = 0xbf;
  bool broken_ = false;
};

}  // namespace caisson

#pragma once

#include <cstdint>
#include <string_view>

namespace caisson::http {

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

}  // namespace caisson::http

#include "base/hex.h"

namespace caisson {

std::string hex(std::span<const unsigned char> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    text += hex_digits[byte >> 4];
    text += hex_digits[byte & 15];
  }
  return text;
}

std::string hex_number(std::uint64_t value, std::size_t digits) {
  std::string text;
  for (unsigned shift = 64; shift > 0;) {
    shift -= 4;
    const auto digit = (value >> shift) & 15U;
    if (digit != 0 || !text.empty() || shift < digits * 4) text += hex_digits[digit];
  }
  return text;
}

}  // namespace caisson

#include "generator/render/scalar_text.h"

#include <array>
#include <charconv>

namespace caisson::render {

char32_t next_scalar(std::string_view text, std::size_t& offset) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(offset);
  const std::size_t length = lead < 0xc2   ? 1
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 1;
  if (length == 1 || offset + length > text.size()) {
    ++offset;
    return lead;
  }
  char32_t value = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(offset + i) & 0xc0U) != 0x80U) {
      ++offset;
      return lead;
    }
    value = (value << 6U) | (byte(offset + i) & 0x3fU);
  }
  offset += length;
  return value;
}

std::string hex(char32_t value, int digits) {
  std::string out;
  for (int shift = 28; shift >= 0; shift -= 4) {
    const auto digit = (value >> static_cast<unsigned>(shift)) & 0xfU;
    if (digit != 0 || !out.empty() || shift < digits * 4) out += "0123456789abcdef"[digit];
  }
  return out;
}

std::string decimal(double value) {
  std::array<char, 400> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  std::string out(buffer.data(), error == std::errc{} ? end : buffer.data());
  if (out.find('.') == out.npos) out += ".0";
  return out;
}

}  // namespace caisson::render

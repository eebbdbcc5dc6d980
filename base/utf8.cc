#include "base/utf8.h"

#include <array>

namespace caisson {

Scalar decode_utf8(std::string_view text) {
  constexpr Scalar invalid{.value = 0xFFFD, .length = 1, .valid = false};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {.value = lead, .length = 1};

  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return invalid;
  char32_t value = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return invalid;
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    return invalid;
  }
  return {.value = value, .length = length};
}

std::optional<std::size_t> first_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const auto scalar = decode_utf8(text.substr(at));
    if (!scalar.valid) return at;
    at += scalar.length;
  }
  return std::nullopt;
}

void append_utf8(std::string& out, char32_t scalar) {
  const auto add = [&out](char32_t byte) { out += static_cast<char>(byte); };
  if (scalar < 0x80) {
    add(scalar);
    return;
  }
  if (scalar < 0x800) {
    add(0xC0U | (scalar >> 6U));
  } else if (scalar < 0x10000) {
    add(0xE0U | (scalar >> 12U));
    add(0x80U | ((scalar >> 6U) & 0x3FU));
  } else {
    add(0xF0U | (scalar >> 18U));
    add(0x80U | ((scalar >> 12U) & 0x3FU));
    add(0x80U | ((scalar >> 6U) & 0x3FU));
  }
  add(0x80U | (scalar & 0x3FU));
}

bool Utf8Validator::feed(std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (broken_) return false;
    if (missing_ > 0) {
      broken_ = byte < low_ || byte > high_;
      --missing_;
      low_ = 0x80;
      high_ = 0xbf;
      continue;
    }
    if (byte < 0x80) continue;
    // RFC 3629, section 4: only the second byte of a character has narrower bounds.
    if (byte >= 0xc2 && byte <= 0xdf) {
      missing_ = 1;
    } else if (byte >= 0xe0 && byte <= 0xef) {
      missing_ = 2;
      if (byte == 0xe0) low_ = 0xa0;
      if (byte == 0xed) high_ = 0x9f;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      missing_ = 3;
      if (byte == 0xf0) low_ = 0x90;
      if (byte == 0xf4) high_ = 0x8f;
    } else {
      broken_ = true;
    }
  }
  return !broken_;
}

}  // namespace caisson

#include "generator/source/unicode.h"

#include <algorithm>
#include <array>

namespace caisson::source {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

struct Block {
  char32_t first;
  char32_t last;
};

// Unicode 15 East_Asian_Width W and F, in whole blocks.
constexpr std::array<Block, 15> wide{{{0x1100, 0x115F},
                                      {0x2E80, 0x303E},
                                      {0x3041, 0x33FF},
                                      {0x3400, 0x4DBF},
                                      {0x4E00, 0x9FFF},
                                      {0xA000, 0xA4CF},
                                      {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF},
                                      {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60},
                                      {0xFFE0, 0xFFE6},
                                      {0x1F300, 0x1F64F},
                                      {0x1F680, 0x1F6FF},
                                      {0x1F900, 0x1F9FF},
                                      {0x20000, 0x3FFFD}}};

constexpr std::array<Block, 7> without_width{{{0x0300, 0x036F},
                                              {0x1AB0, 0x1AFF},
                                              {0x1DC0, 0x1DFF},
                                              {0x200B, 0x200D},
                                              {0x20D0, 0x20FF},
                                              {0xFE00, 0xFE0F},
                                              {0xFE20, 0xFE2F}}};

// C0, DEL, C1, line and paragraph separators, bidirectional embeddings, overrides and isolates.
constexpr std::array<Block, 6> unsafe{{{0x0000, 0x001F},
                                       {0x007F, 0x009F},
                                       {0x200E, 0x200F},
                                       {0x2028, 0x202E},
                                       {0x2066, 0x2069},
                                       {0xFEFF, 0xFEFF}}};

template <std::size_t N>
bool within(const std::array<Block, N>& blocks, char32_t scalar) {
  return std::any_of(blocks.begin(), blocks.end(), [scalar](const Block& block) {
    return scalar >= block.first && scalar <= block.last;
  });
}

}  // namespace

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

std::size_t terminal_width(char32_t scalar) {
  if (scalar < 0x300) return 1;
  if (within(without_width, scalar)) return 0;
  return within(wide, scalar) ? 2 : 1;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto scalar = decode_utf8(text);
    if (scalar.value == '\t') {
      out += ' ';
    } else if (!scalar.valid || within(unsafe, scalar.value)) {
      out += replacement;
    } else {
      out += text.substr(0, scalar.length);
    }
    text.remove_prefix(scalar.length);
  }
  return out;
}

}  // namespace caisson::source

#include "base/printable.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace caisson {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

struct Block {
  char32_t first;
  char32_t last;
};

// What steers a terminal or the order of a line, and what can hide a text in one: C0, DEL, C1; line
// and paragraph separators; all of Bidi_Control; operators and marks that are never seen, and which
// no script needs; the byte order mark; marks of annotations; musical and shorthand controls; tags.
constexpr std::array<Block, 12> unsafe{{{0x0000, 0x001F},
                                        {0x007F, 0x009F},
                                        {0x061C, 0x061C},
                                        {0x200E, 0x200F},
                                        {0x2028, 0x202E},
                                        {0x2060, 0x206F},
                                        {0xFEFF, 0xFEFF},
                                        {0xFFF0, 0xFFFB},
                                        {0x1BCA0, 0x1BCA3},
                                        {0x1D173, 0x1D17A},
                                        {0xE0000, 0xE00FF},
                                        {0xE01F0, 0xE0FFF}}};

// The rest of Default_Ignorable_Code_Point: prose needs some of them, as joiners in Persian and
// Hindi or variants of emoji, but two names that differ by one look the same.
constexpr std::array<Block, 10> unseen{{{0x00AD, 0x00AD},
                                        {0x034F, 0x034F},
                                        {0x115F, 0x1160},
                                        {0x17B4, 0x17B5},
                                        {0x180B, 0x180F},
                                        {0x200B, 0x200D},
                                        {0x3164, 0x3164},
                                        {0xFE00, 0xFE0F},
                                        {0xFFA0, 0xFFA0},
                                        {0xE0100, 0xE01EF}}};

template <std::size_t N>
bool is_in(const std::array<Block, N>& blocks, char32_t scalar) {
  return std::ranges::any_of(blocks, [scalar](const Block& block) {
    return scalar >= block.first && scalar <= block.last;
  });
}

bool is_unsafe(char32_t scalar) { return is_in(unsafe, scalar); }

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto scalar = decode_utf8(text);
    if (scalar.value == '\t') {
      out += ' ';
    } else if (!scalar.valid || is_unsafe(scalar.value)) {
      out += replacement;
    } else {
      out += text.substr(0, scalar.length);
    }
    text.remove_prefix(scalar.length);
  }
  return out;
}

std::string_view fault_of_line(std::string_view text) {
  while (!text.empty()) {
    const auto scalar = decode_utf8(text);
    if (!scalar.valid) return "it is not UTF-8";
    if (is_unsafe(scalar.value)) {
      return "it holds a control character, or one that changes the direction of a text";
    }
    text.remove_prefix(scalar.length);
  }
  return {};
}

std::string_view fault_of_name(std::string_view text) {
  if (const auto fault = fault_of_line(text); !fault.empty()) return fault;
  while (!text.empty()) {
    const auto scalar = decode_utf8(text);
    if (is_in(unseen, scalar.value)) return "it holds a character that nobody can see";
    text.remove_prefix(scalar.length);
  }
  return {};
}

}  // namespace caisson

#include "generator/source/unicode.h"

#include <algorithm>
#include <array>

namespace caisson::source {
namespace {

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

template <std::size_t N>
bool within(const std::array<Block, N>& blocks, char32_t scalar) {
  return std::any_of(blocks.begin(), blocks.end(), [scalar](const Block& block) {
    return scalar >= block.first && scalar <= block.last;
  });
}

}  // namespace

std::size_t terminal_width(char32_t scalar) {
  if (scalar < 0x300) return 1;
  if (within(without_width, scalar)) return 0;
  return within(wide, scalar) ? 2 : 1;
}

}  // namespace caisson::source

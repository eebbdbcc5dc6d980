#include "base/hex.h"

#include <array>
#include <string_view>

#include <gtest/gtest.h>

namespace caisson {
namespace {

TEST(Hex, HasTwoDigitsAByte) {
  EXPECT_EQ(hex({}), "");
  constexpr std::array<unsigned char, 4> bytes{0x00, 0x0f, 0xa5, 0xff};
  EXPECT_EQ(hex(bytes), "000fa5ff");
}

TEST(HexNumber, IsPaddedAndNeverCut) {
  EXPECT_EQ(hex_number(0, 4), "0000");
  EXPECT_EQ(hex_number(0, 0), "");
  EXPECT_EQ(hex_number(0xabc, 2), "abc");
  EXPECT_EQ(hex_number(0xabc, 8), "00000abc");
  EXPECT_EQ(hex_number(0xffffffffffffffffU, 16), "ffffffffffffffff");
}

TEST(HexValue, KnowsBothCases) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (int c = 0; c < 256; ++c) {
    const auto found = digits.find(static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c));
    EXPECT_EQ(hex_value(static_cast<char>(c)),
              found == std::string_view::npos ? -1 : static_cast<int>(found));
  }
  EXPECT_TRUE(is_hex("0af"));
  EXPECT_FALSE(is_hex("0aF"));
}

}  // namespace
}  // namespace caisson

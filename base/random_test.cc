#include "base/random.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace caisson {
namespace {

TEST(FillRandom, FillsAnySize) {
  for (const std::size_t size : {0UL, 1UL, 10UL, 255UL, 256UL, 257UL, 5000UL}) {
    std::vector<unsigned char> bytes(size);
    fill_random(bytes);
    if (size < 255) continue;
    EXPECT_GT(std::ranges::count_if(bytes, [](unsigned char b) { return b != 0; }), 200);
  }
}

TEST(RandomHex, HasTwoDigitsAByte) {
  EXPECT_EQ(random_hex(0), "");
  EXPECT_EQ(random_hex(100).size(), 200U);
  EXPECT_EQ(random_hex(16).find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(random_hex(16), random_hex(16));
}

}  // namespace
}  // namespace caisson

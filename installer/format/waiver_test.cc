#include "installer/format/waiver.h"

#include <gtest/gtest.h>

namespace caisson::installer {
namespace {

TEST(AWaiver, IsReadAsItWasWrittenAndNothingElseIs) {
  const Waiver waiver{.product = "shop",
                      .release = "1.1000000-0011223344556677",
                      .reason = "1.2.0 mends it; see the letter of 1 June"};
  const auto text = write_waiver(waiver);
  const auto read = read_waiver(text);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->product, waiver.product);
  EXPECT_EQ(read->release, waiver.release);
  EXPECT_EQ(read->reason, waiver.reason);
  for (const auto& wrong : {std::string(), text + "reason twice\n", text.substr(0, text.size() - 1),
                            std::string("format 2\n") + text.substr(9), text + "\n",
                            std::string("format 1\nproduct shop\nrelease ../1\nreason x\n")}) {
    EXPECT_FALSE(read_waiver(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace caisson::installer

#include "installer/format/root.h"

#include <gtest/gtest.h>

#include "installer/format/testing.h"

namespace caisson::installer {
namespace {

using testing::digits;
using testing::with;

std::string sample() {
  return "format 1\nproduct agentik\nversion 2\nepoch 1\nthreshold 2\n"
         "root ed25519 sha512 1577836800 " +
         digits("a1") +
         "\n"
         "root ed25519 sha512 1577836800 " +
         digits("a2") +
         "\n"
         "root p256 sha256 1577836800 " +
         digits("04a3") + digits("a4") +
         "00\n"
         "release ed25519 sha512 1577836800 " +
         digits("b1") + "\n";
}

TEST(ReadRoot, ReadsWhatItWrites) {
  const auto root = read_root("root.2", sample());
  ASSERT_TRUE(root) << root.error().what;
  EXPECT_EQ(root->keys.size(), 3U);
  EXPECT_EQ(root->keys[2].point.size(), 65U);
  EXPECT_EQ(root->releases.size(), 1U);
  EXPECT_EQ(write_root(*root), sample());
}

TEST(ReadRoot, RefusesWhatWouldLetTooFewSign) {
  const auto code = [](std::string_view what, std::string_view other) {
    const auto root = read_root("root.2", with(sample(), what, other));
    return root ? "taken" : std::string(entry_of(root.error().code).number);
  };
  const auto number = [](Code each) { return std::string(entry_of(each).number); };
  EXPECT_EQ(code("threshold 2", "threshold 0"), number(Code::bad_root));
  EXPECT_EQ(code("threshold 2", "threshold 4"), number(Code::bad_root));
  EXPECT_EQ(code("version 2", "version 0"), number(Code::bad_root));
  EXPECT_EQ(code("epoch 1", "epoch 0"), number(Code::bad_root));
  EXPECT_EQ(code(" a2", " a1"), number(Code::text_order));
  // The same material with another time is the same key.
  EXPECT_EQ(code("1577836800 a2", "1577836801 a1"), number(Code::bad_root));
  EXPECT_EQ(code(" b1", " a1"), number(Code::bad_root));
  EXPECT_EQ(code("root ed25519 sha512 1577836800 a2", "root ed25519 sha1 1577836800 a2"),
            number(Code::text_line));
  EXPECT_EQ(code("root p256", "root rsa"), number(Code::text_line));
  EXPECT_EQ(code(" b1", " b"), number(Code::text_digest));
  EXPECT_EQ(code("1577836800", "4294967296"), number(Code::text_number));
  EXPECT_EQ(code("format 1", "format 2"), number(Code::future_format));
  EXPECT_EQ(code("release ed25519", "surprise\nrelease ed25519"), number(Code::text_key));
}

}  // namespace
}  // namespace caisson::installer

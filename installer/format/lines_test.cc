#include "installer/format/lines.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace caisson::installer {
namespace {

RC_GTEST_PROP(Lines, ReadWhatWasEncoded, (const std::string& text)) {
  RC_PRE(text.find('\0') == std::string::npos);
  const auto line = "word " + encoded(text) + " end\n";
  Lines lines("it", line);
  lines.take("word");
  RC_ASSERT(lines.decoded() == text);
  RC_ASSERT(lines.word() == "end");
  RC_ASSERT(!lines.refusal().has_value());
}

TEST(Lines, KeepTheFirstFaultAndItsPlace) {
  Lines lines("it", "a 1\nb x\nc 2\n");
  EXPECT_TRUE(lines.take("a"));
  EXPECT_EQ(lines.number(), 1U);
  EXPECT_TRUE(lines.take("b"));
  EXPECT_EQ(lines.number(), 0U);
  EXPECT_FALSE(lines.take("d"));
  EXPECT_TRUE(lines.done());
  ASSERT_TRUE(lines.refusal());
  EXPECT_EQ(lines.refusal()->code, Code::text_number);
  EXPECT_EQ(lines.refusal()->what, "it:2: 'x' is no whole number up to 2^63 - 1");
}

TEST(Lines, RefuseWhatIsLeftOnALine) {
  Lines lines("it", "a 1 2\nb 1\n");
  lines.take("a");
  EXPECT_EQ(lines.number(), 1U);
  EXPECT_FALSE(lines.take("b"));
  EXPECT_EQ(lines.refusal()->what, "it:1: there is more on the line: '2'");
}

TEST(Lines, RefuseABlankBehindAKeyAlone) {
  Lines right("it", "same\nsame\n");
  EXPECT_TRUE(right.take("same"));
  EXPECT_TRUE(right.take("same"));
  right.end();
  EXPECT_FALSE(right.refusal());
  for (const auto* text : {"same \n", "same  \n"}) {
    Lines lines("it", text);
    lines.take("same");
    lines.end();
    ASSERT_TRUE(lines.refusal()) << '"' << text << '"';
    EXPECT_EQ(lines.refusal()->code, Code::text_line);
  }
}

TEST(Lines, RefuseMoreThanSixteenMebibytes) {
  std::string text;
  while (text.size() <= kMostOfText) text += std::string(60'000, 'a') + "\n";
  Lines lines("it", text);
  EXPECT_TRUE(lines.done());
  EXPECT_EQ(lines.refusal()->code, Code::text_too_large);
}

TEST(NumberOf, TakesWhatFitsAFile) {
  EXPECT_EQ(number_of("0"), 0U);
  EXPECT_EQ(number_of("9223372036854775807"), 9'223'372'036'854'775'807U);
  for (const auto* text : {"", "-1", "+1", " 1", "1 ", "01", "0x1", "9223372036854775808",
                           "18446744073709551616", "1e3", "1_000"}) {
    EXPECT_FALSE(number_of(text)) << text;
  }
}

}  // namespace
}  // namespace caisson::installer

#include "base/printable.h"

#include <gtest/gtest.h>

namespace caisson {
namespace {

TEST(Printable, StopsTerminalTricks) {
  EXPECT_EQ(printable("a\tb"), "a b");
  EXPECT_EQ(printable("\x1b[2J"), "\uFFFD[2J");
  EXPECT_EQ(printable("x\u202Ey"), "x\uFFFDy");
  EXPECT_EQ(printable("\xff!"), "\uFFFD!");
  EXPECT_EQ(printable("x\u061Cy"), "x\uFFFDy");
  EXPECT_EQ(printable("x\U000E0041y"), "x\uFFFDy");
}

TEST(FaultOfLine, FindsWhatPrintableReplaces) {
  EXPECT_EQ(fault_of_line(""), "");
  EXPECT_EQ(fault_of_line("plain \u00e9 \u6f22"), "");
  for (const auto* text :
       {"a\tb",       "\x1b[2J",    "x\u202Ey",   "\xff",      "\x7f",   "\u2028",
        "\u061C",     "\u200E",     "\u200F",     "\u202A",    "\u2060", "\u2064",
        "\u2066",     "\u2069",     "\u206A",     "\u206F",    "\uFEFF", "\uFFF9",
        "\U000E0001", "\U000E0041", "\U000E007F", "\U0001D173"}) {
    EXPECT_NE(fault_of_line(text), "") << text;
    EXPECT_NE(fault_of_name(text), "") << text;
  }
}

TEST(FaultOfName, FindsWhatNobodySeesAndProseNeeds) {
  EXPECT_EQ(fault_of_name(""), "");
  EXPECT_EQ(fault_of_name("plain \u00e9 \u6f22"), "");
  // Joiners of Persian and of emoji, a variant of an emoji and of an ideograph, a soft hyphen.
  for (const auto* text : {"\u0645\u06CC\u200C\u062E", "\U0001F469\u200D\U0001F680", "\u2764\uFE0F",
                           "\u845B\U000E0100", "a\u00ADb", "a\u200Bb", "a\u3164b"}) {
    EXPECT_EQ(fault_of_line(text), "") << text;
    EXPECT_NE(fault_of_name(text), "") << text;
  }
}

}  // namespace
}  // namespace caisson

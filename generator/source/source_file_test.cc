#include "generator/source/source_file.h"

#include <gtest/gtest.h>

#include "generator/source/unicode.h"

namespace caisson::source {
namespace {

TEST(SourceFile, ColumnsCountScalarValues) {
  const SourceFile file("f", "añb\n日本 x\n");
  EXPECT_EQ(file.position(0), (Position{1, 1}));
  EXPECT_EQ(file.position(3), (Position{1, 3}));
  EXPECT_EQ(file.position(5), (Position{2, 1}));
  EXPECT_EQ(file.position(12), (Position{2, 4}));
  EXPECT_EQ(file.position(9999), (Position{3, 1})) << "past the end is the end";
}

TEST(SourceFile, AByteOrderMarkIsNoColumn) {
  const SourceFile file("f",
                        "\xEF\xBB\xBF"
                        "name: x");
  EXPECT_EQ(file.position(3), (Position{1, 1}));
  EXPECT_EQ(file.position(9), (Position{1, 7}));
}

TEST(SourceFile, LinesLoseTheirBreaks) {
  const SourceFile file("f", "one\r\ntwo\n\nfour");
  EXPECT_EQ(file.line(1), "one");
  EXPECT_EQ(file.line(2), "two");
  EXPECT_EQ(file.line(3), "");
  EXPECT_EQ(file.line(4), "four");
  EXPECT_EQ(file.line(5), "");
  EXPECT_EQ(file.line(0), "");
}

TEST(Unicode, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(first_invalid_utf8("plain ñ 日 😀"), std::nullopt);
  EXPECT_EQ(first_invalid_utf8("ab\x80"), 2U);
  EXPECT_EQ(first_invalid_utf8("a\xC0\xAF"), 1U) << "overlong";
  EXPECT_EQ(first_invalid_utf8("\xE2\x82"), 0U) << "cut off";
  EXPECT_EQ(first_invalid_utf8("\xF4\x90\x80\x80"), 0U) << "above U+10FFFF";
}

TEST(Unicode, PrintableStopsTerminalTricks) {
  EXPECT_EQ(printable("a\tb"), "a b");
  EXPECT_EQ(printable("\x1b[2J"), "�[2J");
  EXPECT_EQ(printable("x\u202Ey"), "x�y");
  EXPECT_EQ(printable("\xff!"), "�!");
}

}  // namespace
}  // namespace caisson::source

#include "generator/source/source_file.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace caisson::source

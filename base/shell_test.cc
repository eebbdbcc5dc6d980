#include "base/shell.h"

#include <gtest/gtest.h>

namespace caisson {
namespace {

TEST(ShellWord, IsQuoted) {
  EXPECT_EQ(shell_word("plain"), "'plain'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
}

TEST(TypedWord, IsQuotedOnlyWhereItHasToBe) {
  EXPECT_EQ(typed_word("specs/a-b_c.yaml"), "specs/a-b_c.yaml");
  EXPECT_EQ(typed_word("My Shop/deployment.yaml"), "'My Shop/deployment.yaml'");
  EXPECT_EQ(typed_word("it's"), "'it'\\''s'");
  EXPECT_EQ(typed_word("$HOME"), "'$HOME'");
  EXPECT_EQ(typed_word(""), "''");
}

}  // namespace
}  // namespace caisson

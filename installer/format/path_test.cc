#include "installer/format/path.h"

#include <string>

#include <gtest/gtest.h>

namespace caisson::installer {
namespace {

TEST(FaultOfPath, TakesWhatCanBeCreatedBelowADirectory) {
  for (const std::string& path : {std::string("a"), std::string("a/b"), std::string("..."),
                                  std::string("a b/c"), std::string("\u00fcber/\u6f22"),
                                  std::string("a/-"), std::string("a-b"), std::string(255, 'a')}) {
    EXPECT_EQ(fault_of_path(path), "") << path;
  }
}

TEST(FaultOfPath, RefusesTheRest) {
  for (const std::string& path :
       {std::string(),           std::string("/"),
        std::string("/a"),       std::string("a/"),
        std::string("a//b"),     std::string("."),
        std::string(".."),       std::string("a/./b"),
        std::string("a/../b"),   std::string("a\\b"),
        std::string("a\nb"),     std::string("a\0b", 3),
        std::string("a\u202eb"), std::string("a\u061cb"),
        std::string("a\u200db"), std::string("a\U000e0041"),
        std::string("-"),        std::string("-rf"),
        std::string("-/a"),      std::string("\xff"),
        std::string(256, 'a'),   std::string(1000, 'a') + "/" + std::string(30, 'a')}) {
    EXPECT_NE(fault_of_path(path), "") << path;
  }
}

TEST(ConflictOf, FindsWhatIsAFileAndADirectory) {
  EXPECT_FALSE(conflict_of("it", {"a/b", "a/c", "a.b", "ab"}));
  // '.' sorts before '/': the two do not stand beside each other.
  const auto conflict = conflict_of("it", {"a/b", "a.b", "a"});
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->code, Code::path_conflict);
  EXPECT_EQ(conflict->what, "it: 'a' is a file and the directory of 'a/b'");
  EXPECT_EQ(conflict_of("it", {"a", "b", "a"})->code, Code::text_order);
}

}  // namespace
}  // namespace caisson::installer

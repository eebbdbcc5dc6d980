#include "base/suggestion.h"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace caisson {
namespace {

constexpr std::array<std::string_view, 6> keys{
    "requests-per-second", "burst", "concurrent", "sockets", "retention", "storage"};

TEST(Suggestion, IsTheWordThatASlipOfTheHandMadeAnother) {
  EXPECT_EQ(closest("burts", keys), "burst");
  EXPECT_EQ(closest("Storage", keys), "storage");
  EXPECT_EQ(closest("bandwidth", keys), "");
  EXPECT_EQ(closest("", keys), "");
}

TEST(Suggestion, IsTheNameThatBeginsWithTheWord) {
  EXPECT_EQ(closest("requests", keys), "requests-per-second");
  EXPECT_EQ(closest("conc", keys), "concurrent");
  EXPECT_EQ(closest("storage-size", keys), "storage");
  constexpr std::array<std::string_view, 3> near{"requires", "requests-per-second", "request"};
  EXPECT_EQ(closest("requests", near), "request") << "one letter is likelier";
  constexpr std::array<std::string_view, 2> far{"requires", "requests-per-second"};
  EXPECT_EQ(closest("requests", far), "requests-per-second") << "two letters are not";
}

TEST(Suggestion, IsNeverMadeFromAWordThatSaysAllOrNothing) {
  constexpr std::array<std::string_view, 5> near{"trust", "alert", "note", "deploy", "offset"};
  for (const std::string_view word :
       {"true", "all", "none", "deny", "off", "False", "ON", "allow"}) {
    EXPECT_TRUE(says_all(word) != says_nothing(word)) << word;
    EXPECT_EQ(closest(word, near), "") << word;
  }
  EXPECT_EQ(closest("offs", near), "offset");
  constexpr std::array<std::string_view, 2> words{"None", "always"};
  EXPECT_EQ(suggest("none", words), "did you mean 'None'?") << "in the letters of the language";
  EXPECT_EQ(suggest("off", words), "use None or always");
  EXPECT_FALSE(says_all("alls") || says_nothing("nobody"));
}

TEST(Suggestion, NamesAFewWordsWhenNoneIsLike) {
  constexpr std::array<std::string_view, 2> words{"active", "suspended"};
  EXPECT_EQ(suggest("aktive", words), "did you mean 'active'?");
  EXPECT_EQ(suggest("gone", words), "use active or suspended");
  EXPECT_EQ(any_of(words), "active or suspended");
}

}  // namespace
}  // namespace caisson

#include "editor/top_keys.h"

#include <string>

#include <gtest/gtest.h>

namespace caisson::editor {
namespace {

TEST(TopKeys, AreFoundHoweverTheyAreWritten) {
  for (const char* text :
       {"caisson: v1\n", "caisson:\n", "\"caisson\": 1\n", "'caisson': 1\n", "caisson : 1\n",
        "\xEF\xBB\xBF"
        "caisson: v1\n",
        "# a spec\n---\ncaisson: v1\n", "name: x\r\ncaisson: v1\r\n", "name: x\rcaisson: v1\r",
        R"({"caisson":"v1"})", "{\n  \"name\": \"x, y\",\n  \"caisson\": 1\n}",
        "\xEF\xBB\xBF# c\n{ caisson: v1 }", R"({"a": {"b": [1, "}"]}, "caisson": 1})"}) {
    EXPECT_TRUE(has_top_key(text, "caisson")) << text;
  }
}

TEST(TopKeys, AreNotThoseOfOtherMapsAndTexts) {
  for (const char* text :
       {"", "caissons: 1\n", "x: { caisson: 1 }\n", " caisson: 1\n", "caisson\n", "caisson:x\n",
        "# caisson: 1\n", "\"caisson: 1\n", R"({"a": {"caisson": 1}})",
        R"({"a": "{\"caisson\": 1"})", "{}", "{", R"([{"caisson": 1}])"}) {
    EXPECT_FALSE(has_top_key(text, "caisson")) << text;
  }
}

}  // namespace
}  // namespace caisson::editor

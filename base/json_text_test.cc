#include "base/json_text.h"

#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace caisson {
namespace {

TEST(AppendJsonString, EscapesAndMends) {
  const auto quoted = [](std::string_view text, std::size_t limit = std::string_view::npos) {
    std::string out;
    append_json_string(out, text, limit);
    return out;
  };
  EXPECT_EQ(quoted("plain"), R"("plain")");
  EXPECT_EQ(quoted("a\"b\\c\n\r\t\x01\x7F"), R"("a\"b\\c\n\r\t\u0001\u007f")");
  EXPECT_EQ(quoted("grün €😀"), "\"grün €😀\"");
  EXPECT_EQ(quoted("\xE2\x80\xA8"), R"("\u2028")");
  EXPECT_EQ(quoted("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(quoted("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"") << "overlong";
  EXPECT_EQ(quoted("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"") << "surrogate";
  EXPECT_EQ(quoted("\xF0\x9F\x98"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"") << "cut";
  EXPECT_EQ(quoted("abcdef", 3), "\"abc…\"");
  EXPECT_EQ(quoted("ab€", 3), "\"ab…\"") << "never in the middle of a character";
  EXPECT_EQ(quoted("abc", 3), R"("abc")");
}

RC_GTEST_PROP(AppendJsonString, IsAlwaysJson, (const std::string& text)) {
  std::string out;
  append_json_string(out, text, static_cast<std::size_t>(*rc::gen::inRange(0, 50)));
  RC_ASSERT(boost::json::parse(out).is_string());
}

TEST(JsonString, IsQuoted) { EXPECT_EQ(json_string("a\tb"), R"("a\tb")"); }

}  // namespace
}  // namespace caisson

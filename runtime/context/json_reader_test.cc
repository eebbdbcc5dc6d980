#include "runtime/context/json_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "runtime/context/any_json.h"
#include "runtime/context/strict_json.h"

namespace caisson::context {
namespace {

using Token = JsonReader::Token;

std::string at(std::string_view text, const std::vector<std::string>& path) {
  JsonReader reader(text);
  return reader.find(path) ? std::string(reader.whole_value()) : "nothing";
}

TEST(JsonReader, FindsKeysByWhatTheySay) {
  const std::string_view text =
      R"({"\u0061":1, "b" : {"c\"d":[1, {"a" :2}] ,"\ud83d\ude00":1.50}, "":"x\u0000y" ,"n\u0000":3})";
  EXPECT_EQ(at(text, {"a"}), "1");
  EXPECT_EQ(at(text, {"b", "c\"d"}), R"([1, {"a" :2}])");
  EXPECT_EQ(at(text, {"b", "\xF0\x9F\x98\x80"}), "1.50");
  EXPECT_EQ(at(text, {""}), R"("x\u0000y")");
  EXPECT_EQ(at(text, {std::string("n\0", 2)}), "3");
  EXPECT_EQ(at(text, {"n"}), "nothing");
  EXPECT_EQ(at(text, {"\\u0061"}), "nothing") << "that is how it is spelt, not what it says";
  EXPECT_EQ(at(text, {"a", "b"}), "nothing");
  EXPECT_EQ(at(text, {}), text);
}

TEST(JsonReader, CutsMembersOutOfTheTextAsTheyStand) {
  const std::string_view text =
      R"({"oper\u0061tions":[{"v\u0061lue": {"n":1.10 } },{},{"value":[ ],"other":1}]})";
  const auto cut = cut_members(text, "operations", "value");
  ASSERT_EQ(cut.size(), 3U);
  EXPECT_EQ(cut[0], R"({"n":1.10 })");
  EXPECT_EQ(cut[1], "");
  EXPECT_EQ(cut[2], "[ ]");
}

TEST(JsonReader, RefusesWhatIsNoJson) {
  const auto refused = [](std::string_view text) {
    JsonReader reader(text);
    while (reader.next() != Token::end) {
      if (reader.token() == Token::error) return true;
    }
    return false;
  };
  for (const std::string_view text : {"\xEF\xBB\xBF{}",
                                      "\"\\ud800\"",
                                      "\"\\udc00\"",
                                      "\"\\ud800\\u0061\"",
                                      "\"\\u12\"",
                                      "\"\\x\"",
                                      "\"\t\"",
                                      "\"\xED\xA0\x80\"",
                                      "\"\xC0\x80\"",
                                      "\"\xF5\x80\x80\x80\"",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{,}",
                                      "[,]",
                                      "[1 2]",
                                      "{\"a\":1,}",
                                      "[1,]",
                                      "-",
                                      "1.",
                                      "1e",
                                      ".5",
                                      "00",
                                      "nul",
                                      "truex",
                                      "{\"a\" 1}",
                                      "{1:2}",
                                      "]",
                                      "}",
                                      "\"",
                                      "\"\\"}) {
    EXPECT_TRUE(refused(text)) << text;
  }
  EXPECT_FALSE(refused("\"\x7F\""));
  EXPECT_FALSE(refused(R"(  [ { } , [ ] , -0.0e-0 , "\/" ]  )"));
  EXPECT_TRUE(refused(std::string(65, '[') + std::string(65, ']')));
  EXPECT_FALSE(refused(std::string(64, '[') + std::string(64, ']')));
}

/// Whether two values are the same. Numbers with a fraction may differ in their last bits: this
/// reader rounds to the nearest double, and Boost.JSON near it.
bool alike(const json::value& one, const json::value& other) {
  if (one.kind() != other.kind()) return false;
  if (one.is_double()) {
    const double a = one.get_double();
    const double b = other.get_double();
    return a == b || std::abs(a - b) <= 4 * std::numeric_limits<double>::epsilon() * std::abs(a);
  }
  if (one.is_array()) return std::ranges::equal(one.get_array(), other.get_array(), alike);
  if (!one.is_object()) return one == other;
  return std::ranges::equal(one.get_object(), other.get_object(), [](const auto& a, const auto& b) {
    return a.key() == b.key() && alike(a.value(), b.value());
  });
}

RC_GTEST_PROP(JsonReader, ReadsWhatAnotherReaderReads, ()) {
  AnyJson any;
  const json::value meant = any.object(4);
  RC_ASSERT(json::parse(any.text) == meant);
  const auto read = parse_strict(any.text);
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == meant);
  for (const auto& member : meant.get_object()) {
    const auto cut = at(any.text, {std::string(member.key())});
    RC_ASSERT(json::parse(cut) == member.value());
    RC_ASSERT(any.text.find(cut) != std::string::npos);
  }
}

TEST(JsonReader, RoundsToTheNearestNumber) {
  // Half of 0.125, the distance of doubles there, decides.
  EXPECT_EQ(parse_strict("[1000000000000000.0625]")->at(0).as_double(), 1e15);
  EXPECT_EQ(parse_strict("[1000000000000000.0626]")->at(0).as_double(), 1e15 + 0.125);
}

RC_GTEST_PROP(JsonReader, TakesAndRefusesWhatAnotherReaderDoes, ()) {
  AnyJson any;
  static_cast<void>(any.object(3));
  std::string text = any.text;
  for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    const char c = *rc::gen::oneOf(rc::gen::elementOf(std::string("{}[]\",:\\u09eE+-. tfn")),
                                   rc::gen::arbitrary<char>());
    if (*rc::gen::arbitrary<bool>()) {
      text[at] = c;
    } else {
      text.insert(at, 1, c);
    }
  }
  json::error_code error;
  const json::value other = json::parse(text, error);
  const auto read = parse_strict(text);
  if (read) {
    RC_ASSERT(!error);
    RC_ASSERT(alike(*read, other));
  } else if (read.error().what.find("twice") == std::string::npos &&
             read.error().what.find("large") == std::string::npos) {
    RC_ASSERT(static_cast<bool>(error));
  }
}

}  // namespace
}  // namespace caisson::context

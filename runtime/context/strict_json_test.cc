#include "runtime/context/strict_json.h"

#include <limits>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "runtime/context/object_reader.h"

namespace caisson::context {
namespace {

TEST(ParseStrict, ReadsWhatBoostReads) {
  const auto value =
      parse_strict(R"( {"a":[1,-2,3.5,true,null,"x\u00e9"],"b":{"a":18446744073709551615}} )");
  ASSERT_TRUE(value) << value.error().what;
  EXPECT_EQ(boost::json::serialize(*value),
            R"({"a":[1,-2,3.5E0,true,null,"xé"],"b":{"a":18446744073709551615}})");
}

TEST(ParseStrict, RefusesDuplicateKeysAtAnyDepth) {
  for (const char* text :
       {R"({"a":1,"a":1})", R"({"x":[{"b":{},"c":1,"b":2}]})", R"({"a":1,"b":2,"\u0061":3})"}) {
    const auto value = parse_strict(text);
    ASSERT_FALSE(value) << text;
    EXPECT_NE(value.error().what.find("is there twice"), std::string::npos) << value.error().what;
  }
  EXPECT_TRUE(parse_strict(R"({"a":{"a":[{"a":1},{"a":2}]}})"))
      << "the same key in other objects is fine";
}

TEST(ParseStrict, RefusesNumbersThatAreNone) {
  EXPECT_TRUE(parse_strict("[1e308,-1e308,1e-400]"));
  for (const char* text : {"1e999", "[0,-1e400]"}) {
    const auto value = parse_strict(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().what, "not valid JSON: a number is too large");
  }
  const auto any = parse_strict("[1e999,-1e400]", 32, Numbers::any);
  ASSERT_TRUE(any);
  EXPECT_EQ(any->at(0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(any->at(1), -std::numeric_limits<double>::infinity());
}

TEST(ParseStrict, SaysWhere) {
  const auto value = parse_strict("{\n  \"a\": 1,\n  \"b\": tru\n}");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().line, 3);
  EXPECT_EQ(value.error().column, 8);
}

TEST(ParseStrict, RefusesWhatIsNotOneValue) {
  for (const std::string_view text :
       {"", " ", "{} {}", "{},", "[1,]", "{\"a\":}", "'a'", "NaN", "01", "+1", "// c\n1",
        "\"\xC0\xAF\"", "\"\x01\"", "\"\\ud800\"", "{\"a\":1"}) {
    EXPECT_FALSE(parse_strict(text)) << text;
  }
  EXPECT_FALSE(parse_strict(std::string("1\0", 2)));
  EXPECT_FALSE(parse_strict(std::string(33, '[') + std::string(33, ']'))) << "too deep";
  EXPECT_TRUE(parse_strict(std::string(32, '[') + std::string(32, ']')));
}

RC_GTEST_PROP(ParseStrict, ReadsBackWhatWasWritten,
              (const std::map<std::string, std::int64_t>& members)) {
  boost::json::object object;
  for (const auto& [key, value] : members) {
    // Only text is a key of JSON.
    std::string text;
    for (const char c : key) text += static_cast<char>(c & 0x7F);
    object[text] = value;
  }
  const auto read = parse_strict(boost::json::serialize(object));
  RC_ASSERT(read.has_value());
  RC_ASSERT(read->as_object() == object);
}

TEST(ParseOutline, TellsOfValuesOnlyHowDeepTheyAre) {
  const auto outline = [](std::string_view text, std::size_t built) {
    const auto value = parse_outline(text, 64, built, 100);
    return value ? boost::json::serialize(*value) : value.error().what;
  };
  EXPECT_EQ(outline(R"({"a":1})", 0), "{}");
  EXPECT_EQ(outline("[1,2,3]", 0), "[]");
  EXPECT_EQ(outline("7", 0), "7");
  EXPECT_EQ(outline(R"({"a":[],"b":{"c":{"d":[1]}},"e":2})", 0), R"({"":[[[]]]})");
  EXPECT_EQ(outline(R"({"a":[],"b":{"c":{"d":[1]}},"e":2})", 1), R"({"a":[],"b":{"":[[]]},"e":2})");
  EXPECT_EQ(outline(R"([{"id":"x","value":{"a":1,"b":[1,2]}},{"value":{}}])", 2),
            R"([{"id":"x","value":{"":[]}},{"value":{}}])");
  EXPECT_EQ(outline(R"({"x":{"a":1e999}})", 1), R"({"x":{}})") << "as in what is kept";
}

TEST(ParseOutline, ChecksWhatItDoesNotBuild) {
  for (const std::string_view text :
       {R"({"a":{"b":1,"b":2}})", R"({"a":{"b":1,"\u0062":2}})", R"({"a":[1,]})",
        R"({"a":"\ud800"})", R"({"a":{"b":tru}})", R"({"a":[1}})"}) {
    const auto outline = parse_outline(text, 64, 0, 100);
    const auto whole = parse_strict(text, 64, Numbers::any);
    ASSERT_FALSE(outline) << text;
    ASSERT_FALSE(whole) << text;
    EXPECT_EQ(outline.error().what, whole.error().what);
    EXPECT_EQ(outline.error().column, whole.error().column);
  }
  EXPECT_FALSE(parse_outline(std::string(65, '[') + std::string(65, ']'), 64, 0, 100));
  std::string many = "[[0";
  for (int i = 0; i < 1000; ++i) many += ",0";
  EXPECT_TRUE(parse_outline(many + "]]", 64, 1, 100)) << "they are in a value";
  EXPECT_FALSE(parse_outline(many + "]]", 64, 2, 100));
}

TEST(ObjectReader, NotesEveryDefectWithItsPointer) {
  const auto value = parse_strict(R"({"n":"x","t":1,"u/~":2,"l":["a",3,"a"],"ok":7})");
  ObjectReader::Faults faults;
  {
    ObjectReader object(*value, "/base", faults);
    EXPECT_EQ(object.integer("n", 5), 5);
    EXPECT_EQ(object.required_text("t"), "");
    EXPECT_EQ(object.required_text("missing"), "");
    EXPECT_EQ(object.texts("l").size(), 3);
    EXPECT_EQ(object.integer("ok", 0, 0, 9), 7);
  }
  std::vector<std::string> told;
  for (const auto& fault : faults) told.push_back(fault.pointer + " " + fault.detail);
  EXPECT_EQ(told, (std::vector<std::string>{
                      "/base/n must be a whole number of at least 0", "/base/t must be a string",
                      "/base/missing is required", "/base/l/1 must be a string",
                      "/base/l/2 is there twice", "/base/u~1~0 unknown key"}));
}

TEST(ObjectReader, TellsABoundedNumberOfDefects) {
  boost::json::object many;
  for (int i = 0; i < 1000; ++i) many[std::to_string(i)] = 0;
  ObjectReader::Faults faults;
  const boost::json::value value(many);
  {
    const ObjectReader object(value, "", faults);
  }
  EXPECT_EQ(faults.size(), observe::Faults::most_told + 1);
  EXPECT_EQ(faults.noted(), 1000);
}

}  // namespace
}  // namespace caisson::context

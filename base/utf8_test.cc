#include "base/utf8.h"

#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace caisson {
namespace {

TEST(Unicode, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(first_invalid_utf8("plain ñ 日 😀"), std::nullopt);
  EXPECT_EQ(first_invalid_utf8("ab\x80"), 2U);
  EXPECT_EQ(first_invalid_utf8("a\xC0\xAF"), 1U) << "overlong";
  EXPECT_EQ(first_invalid_utf8("\xE2\x82"), 0U) << "cut off";
  EXPECT_EQ(first_invalid_utf8("\xF4\x90\x80\x80"), 0U) << "above U+10FFFF";
}

TEST(DecodeUtf8, GivesValueAndLength) {
  const Scalar euro = decode_utf8("€x");
  EXPECT_TRUE(euro.valid);
  EXPECT_EQ(euro.value, U'€');
  EXPECT_EQ(euro.length, 3U);
  const Scalar cut = decode_utf8("\xE2\x82");
  EXPECT_FALSE(cut.valid);
  EXPECT_EQ(cut.value, U'\xFFFD');
  EXPECT_EQ(cut.length, 1U);
}

TEST(AppendUtf8, IsReadBack) {
  for (char32_t scalar = 0; scalar <= 0x10FFFF; ++scalar) {
    if (scalar == 0xD800) scalar = 0xE000;
    std::string text;
    append_utf8(text, scalar);
    const Scalar read = decode_utf8(text);
    ASSERT_TRUE(read.valid && read.value == scalar && read.length == text.size())
        << static_cast<unsigned>(scalar);
  }
}

RC_GTEST_PROP(Utf8Validator, AgreesWhereverTextIsCut, (const std::string& text)) {
  const auto cut = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
  Utf8Validator validator;
  const bool fed = validator.feed(std::string_view(text).substr(0, cut)) &&
                   validator.feed(std::string_view(text).substr(cut));
  RC_ASSERT((fed && validator.complete()) == !first_invalid_utf8(text));
}

}  // namespace
}  // namespace caisson

#include "editor/text.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace caisson::editor {
namespace {

Position at(std::uint32_t line, std::uint32_t character) {
  return {.line = line, .character = character};
}

TEST(Text, CountsUnitsOfUtf16) {
  // One unit, two units (a surrogate pair), one unit of three bytes.
  const Text text("a\xF0\x9F\x98\x80\xE2\x82\xAC!\nb");
  EXPECT_EQ(text.offset(at(0, 1), Encoding::utf16), 1U);
  EXPECT_EQ(text.offset(at(0, 3), Encoding::utf16), 5U);
  EXPECT_EQ(text.offset(at(0, 4), Encoding::utf16), 8U);
  EXPECT_EQ(text.position(8, Encoding::utf16), at(0, 4));
  EXPECT_EQ(text.position(8, Encoding::utf32), at(0, 3));
  EXPECT_EQ(text.position(8, Encoding::utf8), at(0, 8));
}

TEST(Text, APlaceInsideACharacterIsItsBeginning) {
  const Text text("a\xF0\x9F\x98\x80z");
  EXPECT_EQ(text.offset(at(0, 2), Encoding::utf16), 1U);
  EXPECT_EQ(text.offset(at(0, 3), Encoding::utf8), 1U);
  EXPECT_EQ(text.position(3, Encoding::utf16), at(0, 1));
}

TEST(Text, APlaceBehindTheLineIsItsEnd) {
  const Text text("ab\r\ncd\rde\n");
  EXPECT_EQ(text.lines(), 4U);
  EXPECT_EQ(text.offset(at(0, 99), Encoding::utf16), 2U);
  EXPECT_EQ(text.offset(at(1, 99), Encoding::utf16), 6U);
  EXPECT_EQ(text.offset(at(2, 0), Encoding::utf16), 7U);
  EXPECT_EQ(text.offset(at(3, 5), Encoding::utf16), 10U);
  EXPECT_EQ(text.offset(at(9, 0), Encoding::utf16), 10U);
  EXPECT_EQ(text.line(0), "ab");
  EXPECT_EQ(text.line(1), "cd");
}

TEST(Text, AByteOrderMarkIsACharacter) {
  const Text text(
      "\xEF\xBB\xBF"
      "caisson: v1\n");
  EXPECT_EQ(text.offset(at(0, 1), Encoding::utf16), 3U);
  EXPECT_EQ(text.position(3, Encoding::utf16), at(0, 1));
}

TEST(Text, ARangeTheWrongWayRoundIsTheSameRange) {
  Text text("abcdef");
  text.replace({at(0, 4), at(0, 2)}, Encoding::utf16, "-");
  EXPECT_EQ(text.bytes(), "ab-ef");
}

/// What a client has: code units of UTF-16, and the bytes that they become.
std::u16string units_of(const std::vector<char32_t>& characters) {
  std::u16string units;
  for (const char32_t c : characters) {
    if (c >= 0x10000) {
      units += static_cast<char16_t>(0xD800 + ((c - 0x10000) >> 10U));
      units += static_cast<char16_t>(0xDC00 + ((c - 0x10000) & 0x3FFU));
    } else {
      units += static_cast<char16_t>(c);
    }
  }
  return units;
}

std::string bytes_of(const std::u16string& units) {
  std::string out;
  for (std::size_t i = 0; i < units.size(); ++i) {
    char32_t c = units[i];
    if (c >= 0xD800 && c < 0xDC00) c = 0x10000 + ((c - 0xD800) << 10U) + (units[++i] - 0xDC00U);
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xC0U | (c >> 6U));
      out += static_cast<char>(0x80U | (c & 0x3FU));
    } else if (c < 0x10000) {
      out += static_cast<char>(0xE0U | (c >> 12U));
      out += static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
      out += static_cast<char>(0x80U | (c & 0x3FU));
    } else {
      out += static_cast<char>(0xF0U | (c >> 18U));
      out += static_cast<char>(0x80U | ((c >> 12U) & 0x3FU));
      out += static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
      out += static_cast<char>(0x80U | (c & 0x3FU));
    }
  }
  return out;
}

Position position_in(const std::u16string& units, std::size_t index) {
  Position position;
  for (std::size_t i = 0; i < index; ++i) {
    const bool pair = units[i] == u'\r' && i + 1 < units.size() && units[i + 1] == u'\n';
    if (units[i] == u'\n' || (units[i] == u'\r' && !pair)) {
      position = {.line = position.line + 1, .character = 0};
    } else {
      ++position.character;
    }
  }
  return position;
}

rc::Gen<std::vector<char32_t>> characters() {
  return rc::gen::container<std::vector<char32_t>>(rc::gen::element<char32_t>(
      U'a', U' ', U'\n', U'\n', U'\r', U'\t', U'\u00E9', U'\u20AC', U'\U0001F600', U'\uFEFF'));
}

/// A place that a client can name: not inside a pair of units.
std::size_t place_in(const std::u16string& units) {
  auto index = *rc::gen::inRange<std::size_t>(0, units.size() + 1);
  const bool low = index < units.size() && units[index] >= 0xDC00 && units[index] < 0xE000;
  const bool break_inside =
      index > 0 && index < units.size() && units[index - 1] == u'\r' && units[index] == u'\n';
  return low || break_inside ? index - 1 : index;
}

RC_GTEST_PROP(Text, EditsLikeAClientInUtf16, ()) {
  auto client = units_of(*characters());
  Text server(bytes_of(client));
  for (int i = 0; i < 8; ++i) {
    auto begin = place_in(client);
    auto end = place_in(client);
    if (begin > end) std::swap(begin, end);
    const auto fresh = units_of(*characters());
    server.replace({position_in(client, begin), position_in(client, end)}, Encoding::utf16,
                   bytes_of(fresh));
    client.replace(begin, end - begin, fresh);
    RC_ASSERT(server.bytes() == bytes_of(client));
  }
}

RC_GTEST_PROP(Text, PlacesComeBackInEveryEncoding, ()) {
  const Text text(bytes_of(units_of(*characters())));
  const auto offset = *rc::gen::inRange<std::size_t>(0, text.bytes().size() + 1);
  for (const auto encoding : {Encoding::utf8, Encoding::utf16, Encoding::utf32}) {
    const auto position = text.position(offset, encoding);
    RC_ASSERT(text.position(text.offset(position, encoding), encoding) == position);
  }
}

TEST(Text, FindsPlacesInLinesOfMegabytes) {
  std::string long_line;
  for (int i = 0; i < 200'000; ++i) long_line += "\xF0\x9F\x98\x80x";
  const Text text("first\n" + long_line + "\nlast");
  EXPECT_EQ(text.offset(at(1, 3 * 150'000), Encoding::utf16), 6U + 5U * 150'000U);
  EXPECT_EQ(text.position(6 + 5 * 150'000, Encoding::utf16), at(1, 3 * 150'000));
  EXPECT_EQ(text.offset(at(2, 2), Encoding::utf16), text.bytes().size() - 2);
}

}  // namespace
}  // namespace caisson::editor

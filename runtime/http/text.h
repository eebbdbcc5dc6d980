#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace caisson::http {

/// The character classes of RFC 3986, 9110 and 9112 that the parser needs, one table lookup each.
namespace text {

inline constexpr unsigned char token = 1;        // RFC 9110 tchar
inline constexpr unsigned char field_value = 2;  // VCHAR, SP, HTAB, obs-text
inline constexpr unsigned char path = 4;         // pchar without '%', and '/'
inline constexpr unsigned char query = 8;        // path and '?'
inline constexpr unsigned char host = 16;        // the part of reg-name that names machines
inline constexpr unsigned char hex = 32;
inline constexpr unsigned char digit = 64;

constexpr std::array<unsigned char, 256> make_classes() {
  std::array<unsigned char, 256> classes{};
  const auto add = [&classes](std::string_view characters, unsigned char as) {
    for (const char c : characters) classes[static_cast<unsigned char>(c)] |= as;
  };
  constexpr std::string_view digits = "0123456789";
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  add(digits, token | path | query | host | hex | digit);
  add(letters, token | path | query | host);
  add("abcdefABCDEF", hex);
  add("!#$%&'*+-.^_`|~", token);
  add("-._~!$&'()*+,;=:@/", path | query);
  add("?", query);
  add("-._", host);
  for (unsigned c = 0x20; c < 256; ++c) {
    if (c != 0x7f) classes[c] |= field_value;
  }
  classes['\t'] |= field_value;
  return classes;
}

inline constexpr auto classes = make_classes();

}  // namespace text

[[nodiscard]] constexpr bool is(char c, unsigned char character_class) {
  return (text::classes[static_cast<unsigned char>(c)] & character_class) != 0;
}

[[nodiscard]] constexpr bool all(std::string_view s, unsigned char character_class) {
  return std::all_of(s.begin(), s.end(), [=](char c) { return is(c, character_class); });
}

[[nodiscard]] constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// ASCII case-insensitive equality, as field names and most tokens compare.
[[nodiscard]] constexpr bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace caisson::http

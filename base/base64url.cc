#include "base/base64url.h"

#include <array>
#include <cstdint>

namespace caisson {
namespace {

constexpr std::uint8_t none = 0xFF;

struct Alphabet {
  std::array<char, 64> characters{};
  std::array<std::uint8_t, 256> values{};
};

constexpr Alphabet make_alphabet(std::string_view last_two) {
  constexpr std::string_view first =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  Alphabet alphabet;
  alphabet.values.fill(none);
  for (std::size_t i = 0; i < 64; ++i) {
    const char c = i < first.size() ? first[i] : last_two[i - first.size()];
    alphabet.characters[i] = c;
    alphabet.values[static_cast<std::uint8_t>(c)] = static_cast<std::uint8_t>(i);
  }
  return alphabet;
}
constexpr auto standard = make_alphabet("+/");
constexpr auto url = make_alphabet("-_");

std::optional<std::string> decode(std::string_view text, const Alphabet& alphabet) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    const std::uint8_t value = alphabet.values[static_cast<std::uint8_t>(c)];
    if (value == none) return std::nullopt;
    bits = bits << 6 | value;
    have += 6;
    if (have >= 8) {
      have -= 8;
      bytes += static_cast<char>(bits >> have & 0xFF);
    }
  }
  if ((bits & ((1U << have) - 1)) != 0) return std::nullopt;
  return bytes;
}

std::string encode(std::string_view bytes, const Alphabet& alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<std::uint8_t>(c);
    have += 8;
    while (have >= 6) {
      have -= 6;
      text += alphabet.characters[bits >> have & 63];
    }
  }
  if (have > 0) text += alphabet.characters[bits << (6 - have) & 63];
  return text;
}

}  // namespace

std::optional<std::string> decode_base64url(std::string_view text) { return decode(text, url); }

std::string encode_base64url(std::string_view bytes) { return encode(bytes, url); }

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  return decode(text, standard);
}

std::string encode_base64(std::string_view bytes) {
  std::string text = encode(bytes, standard);
  text.resize((text.size() + 3) / 4 * 4, '=');
  return text;
}

}  // namespace caisson

#include "conformance/scan/forms.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/hex.h"

namespace caisson::conformance {
namespace {

constexpr std::string_view upper_digits = "0123456789ABCDEF";
constexpr std::string_view standard_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string digits_of(std::string_view text, std::string_view digits, std::string_view prefix) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out.append(prefix);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

/// Without the zero byte at the open end both byte orders look the same.
std::string utf16(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (!out.empty()) out += '\0';
    out += c;
  }
  return out;
}

std::string turned(std::string_view text, bool upper) {
  std::string out(text);
  for (char& c : out) {
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!upper && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// The base64 characters that `text` alone decides when `offset` (0, 1, 2) bytes stand before it in
/// its group.
std::string base64_core(std::string_view text, std::size_t offset, std::string_view alphabet) {
  const std::string padded = std::string(offset, '\0') + std::string(text);
  const std::size_t whole_bits = padded.size() * 8;
  const std::size_t first = (offset * 8 + 5) / 6;  // first sextet free of the bytes before
  const std::size_t last = whole_bits / 6;  // one past the last sextet that needs no byte after
  std::string out;
  for (std::size_t sextet = first; sextet < last; ++sextet) {
    unsigned value = 0;
    for (std::size_t bit = sextet * 6; bit < sextet * 6 + 6; ++bit) {
      const auto byte = static_cast<unsigned char>(padded[bit / 8]);
      value = value * 2 + ((byte >> (7 - bit % 8)) & 1U);
    }
    out += alphabet[value];
  }
  return out;
}

}  // namespace

std::vector<Form> forms_of(std::string_view text) {
  std::vector<Form> forms;
  const auto add = [&forms](std::string_view name, std::string bytes) {
    const bool known = std::ranges::any_of(forms, [&](const Form& f) { return f.bytes == bytes; });
    if (!known && !bytes.empty()) forms.push_back({name, std::move(bytes)});
  };
  add("raw", std::string(text));
  add("raw", turned(text, true));
  add("raw", turned(text, false));
  for (std::size_t offset = 0; offset < 3; ++offset) {
    add("base64", base64_core(text, offset, standard_alphabet));
    add("base64", base64_core(text, offset, url_alphabet));
  }
  add("hex", digits_of(text, hex_digits, ""));
  add("hex", digits_of(text, upper_digits, ""));
  add("percent", digits_of(text, hex_digits, "%"));
  add("percent", digits_of(text, upper_digits, "%"));
  add("utf-16", utf16(text));
  return forms;
}

}  // namespace caisson::conformance

#include "generator/render/sdk_code.h"

#include <algorithm>
#include <vector>

namespace caisson::render {

namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; }

/// In lower case.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : text) {
    const bool counts = is_upper(c) || is_lower(c) || is_digit(c);
    if (counts && (!inside || is_upper(c))) words.emplace_back();
    if (counts) words.back() += lower(c);
    inside = counts;
  }
  return words;
}

bool is_reserved(std::string_view text, std::span<const std::string_view> reserved) {
  return std::ranges::find(reserved, text) != reserved.end();
}

}  // namespace

std::string identifier(std::string_view text, Case style,
                       std::span<const std::string_view> reserved) {
  std::string out;
  for (auto& word : words_of(text)) {
    if (style == Case::snake && !out.empty()) out += '_';
    if (style == Case::pascal || (style == Case::camel && !out.empty())) {
      word.front() = upper(word.front());
    }
    out += word;
  }
  if (out.empty() || is_digit(out.front())) out.insert(0, 1, '_');
  if (is_reserved(out, reserved)) out += '_';
  return out;
}

bool is_identifier(std::string_view text, std::span<const std::string_view> reserved) {
  return !text.empty() && !is_digit(text.front()) && !is_reserved(text, reserved) &&
         std::ranges::all_of(
             text, [](char c) { return is_upper(c) || is_lower(c) || is_digit(c) || c == '_'; });
}

CodeLines& CodeLines::line(std::string_view text) {
  if (!text.empty()) text_.append(depth_ * step_, ' ');
  text_.append(text).append("\n");
  return *this;
}

}  // namespace caisson::render

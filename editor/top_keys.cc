#include "editor/top_keys.h"

#include <algorithm>
#include <cstddef>

namespace caisson::editor {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view blanks = " \t";
constexpr std::string_view whites = " \t\r\n";

std::string_view behind(std::string_view text, std::string_view skipped) {
  return text.substr(std::min(text.find_first_not_of(skipped), text.size()));
}

/// Whether the text begins with the key and its colon.
bool starts_with_key(std::string_view text, std::string_view key) {
  const char quote = text.empty() ? '\0' : text.front();
  const bool quoted = quote == '"' || quote == '\'';
  if (quoted) text.remove_prefix(1);
  if (!text.starts_with(key)) return false;
  text.remove_prefix(key.size());
  if (quoted) {
    if (!text.starts_with(quote)) return false;
    text.remove_prefix(1);
  }
  text = behind(text, blanks);
  if (!text.starts_with(':')) return false;
  return quoted || text.size() == 1 || whites.find(text[1]) != std::string_view::npos;
}

/// Behind comments, empty lines and the marker of a document.
std::string_view content_of(std::string_view text) {
  for (;;) {
    text = behind(text, whites);
    if (!text.starts_with('#') && !text.starts_with("---")) return text;
    text.remove_prefix(text.starts_with('#') ? std::min(text.find_first_of("\r\n"), text.size())
                                             : 3);
  }
}

/// Of what is in braces; strings are passed over.
bool has_key_in_braces(std::string_view text, std::string_view key) {
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return false;
    if (depth == 1 && (c == '{' || c == ',') &&
        starts_with_key(content_of(text.substr(at + 1)), key))
      return true;
    if (c != '"') continue;
    for (++at; at < text.size() && text[at] != '"'; ++at)
      if (text[at] == '\\') ++at;
  }
  return false;
}

}  // namespace

bool has_top_key(std::string_view text, std::string_view key) {
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  if (const auto content = content_of(text); content.starts_with('{'))
    return has_key_in_braces(content, key);
  for (;;) {
    if (starts_with_key(text, key)) return true;
    const std::size_t end = text.find_first_of("\r\n");
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
}

}  // namespace caisson::editor

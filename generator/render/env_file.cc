#include "generator/render/env_file.h"

#include <algorithm>
#include <cctype>

#include "generator/render/comment.h"

namespace caisson::render {

namespace {

std::string quoted(std::string_view text) {
  const bool bare = std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("_-./:@,+=").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (bare) return std::string(text);
  const bool single = text.find('\'') == std::string_view::npos;
  if (single) return "'" + std::string(text) + "'";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '$' || c == '`') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

Text to_env_file(const std::vector<EnvEntry>& entries, std::string_view header,
                 const Origin& origin) {
  Text text;
  text.add(comment_lines(header), {origin});
  for (const auto& entry : entries) {
    text.add('\n' + comment_lines(entry.comment) + (entry.commented_out ? "#" : "") + entry.name +
                 '=' + quoted(entry.value) + '\n',
             entry.origins);
  }
  return text;
}

}  // namespace caisson::render

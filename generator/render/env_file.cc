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

std::string to_env_file(const std::vector<EnvEntry>& entries, std::string_view header) {
  auto out = comment_lines(header);
  for (const auto& entry : entries) {
    out += '\n';
    out += comment_lines(entry.comment);
    if (entry.commented_out) out += '#';
    out += entry.name + '=' + quoted(entry.value) + '\n';
  }
  return out;
}

}  // namespace caisson::render

#include "generator/render/nginx_conf.h"

#include <algorithm>

#include "base/json_text.h"
#include "generator/render/comment.h"

namespace caisson::render {

namespace {

std::string word(std::string_view text) {
  const bool bare = !text.empty() && std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f ||
           std::string_view("\"'\\;{}#").find(c) != std::string_view::npos;
  });
  if (bare) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

void write(Text& text, const std::vector<Directive>& directives, std::size_t depth,
           const Origin& above) {
  bool after_block = false;
  for (const auto& directive : directives) {
    const auto& origin = directive.origin.at.empty() ? above : directive.origin;
    std::string out;
    // A block, or whatever somebody has a word to say about, stands apart.
    const bool apart = after_block || !directive.block.empty() || !directive.comment.empty();
    if (apart && &directive != &directives.front()) out += '\n';
    after_block = !directive.block.empty();
    out += directive_line(directive, depth, word);
    if (directive.block.empty()) {
      text.add(out + ";\n", {origin});
      continue;
    }
    text.add(out + " {\n", {origin});
    write(text, directive.block, depth + 1, origin);
    text.add(std::string(depth, '\t') + "}\n", {origin});
  }
}

}  // namespace

Text to_nginx_conf(const std::vector<Directive>& directives, std::string_view header,
                   const Origin& origin) {
  Text text;
  text.add(comment_lines(header), {origin});
  write(text, directives, 0, origin);
  return text;
}

Result<std::string> nginx_literal(std::string_view text) {
  const bool clean = std::ranges::none_of(
      text, [](char c) { return c == '$' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (!clean) {
    return fail("an nginx.conf cannot carry " + json_string(text),
                "dollars and control characters have no escape there");
  }
  return std::string(text);
}

}  // namespace caisson::render

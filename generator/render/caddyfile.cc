#include "generator/render/caddyfile.h"

#include <algorithm>

#include "base/json_text.h"
#include "generator/render/comment.h"

namespace caisson::render {

namespace {

std::string word(std::string_view text) {
  const bool bare = !text.empty() && text.front() != '#' && text != "{" && text != "}" &&
                    std::ranges::none_of(text, [](char c) {
                      return static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '`' ||
                             c == '\\' || c == 0x7f;
                    });
  if (bare) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '\\';
    out += c;
  }
  return out + '"';
}

void write(Text& text, const std::vector<Directive>& directives, std::size_t depth,
           const Origin& above) {
  for (const auto& directive : directives) {
    const auto& origin = directive.origin.at.empty() ? above : directive.origin;
    std::string out;
    if (depth == 0 && &directive != &directives.front()) out += '\n';
    out += directive_line(directive, depth, word);
    if (!directive.block.empty()) {
      out += directive.words.empty() ? "{\n" : " {\n";
      text.add(out, {origin});
      write(text, directive.block, depth + 1, origin);
      out.assign(depth, '\t');
      out += '}';
    }
    text.add(out + '\n', {origin});
  }
}

}  // namespace

Text to_caddyfile(const std::vector<Directive>& directives, std::string_view header,
                  const Origin& origin) {
  Text text;
  text.add(comment_lines(header), {origin});
  write(text, directives, 0, origin);
  return text;
}

Result<std::string> literal(std::string_view text) {
  const bool clean = std::ranges::none_of(text, [](char c) {
    return c == '{' || c == '}' || c == '\\' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (!clean) {
    return fail("a Caddyfile cannot carry " + json_string(text),
                "braces, backslashes and control characters have no escape there");
  }
  return std::string(text);
}

}  // namespace caisson::render

#include "generator/render/directive.h"

#include "generator/render/comment.h"

namespace caisson::render {

std::string directive_line(const Directive& directive, std::size_t depth,
                           std::string (*word)(std::string_view)) {
  std::string out;
  const auto comment = comment_lines(directive.comment);
  for (std::size_t line = 0; line < comment.size();) {
    const auto end = comment.find('\n', line) + 1;
    out.append(depth, '\t');
    out.append(comment, line, end - line);
    line = end;
  }
  out.append(depth, '\t');
  for (std::size_t i = 0; i < directive.words.size(); ++i) {
    if (i != 0) out += ' ';
    out += word(directive.words[i]);
  }
  return out;
}

}  // namespace caisson::render

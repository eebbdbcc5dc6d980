#include "generator/render/comment.h"

namespace caisson::render {

std::string comment_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    out += line.empty() ? "#" : "# ";
    for (const char c : line) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    out += '\n';
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
  }
  return out;
}

}  // namespace caisson::render

#include "generator/render/dockerfile.h"

#include <algorithm>

#include "generator/render/comment.h"
#include "generator/render/json.h"

namespace caisson::render {

namespace {

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '\'' || c == '\\' || c == 0x7f;
  });
}

/// A double-quoted value: backslash, quote and dollar lose their meaning, line breaks cannot be
/// written.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '$') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

std::string exec_form(const std::vector<std::string>& arguments) {
  std::string out = "[";
  for (const auto& argument : arguments) {
    if (out.size() > 1) out += ", ";
    out += json_string(argument);
  }
  return out + "]";
}

}  // namespace

Result<std::string> to_dockerfile(const Dockerfile& file) {
  std::string out = comment_lines(file.header);
  for (const auto& instruction : file.instructions) {
    if (instruction.name == "FROM" || !instruction.comment.empty()) out += '\n';
    out += comment_lines(instruction.comment);
    out += instruction.name;
    for (const auto* words : {&instruction.flags, &instruction.words}) {
      for (const auto& word : *words) {
        if (!is_word(word)) {
          return fail("a Dockerfile cannot carry " + json_string(word) + " in " + instruction.name);
        }
        out += ' ' + word;
      }
    }
    for (const auto& [key, value] : instruction.pairs) out += ' ' + key + '=' + quoted(value);
    if (!instruction.exec.empty()) out += ' ' + exec_form(instruction.exec);
    out += '\n';
  }
  return out;
}

}  // namespace caisson::render

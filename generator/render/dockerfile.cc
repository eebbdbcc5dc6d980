#include "generator/render/dockerfile.h"

#include <algorithm>
#include <iterator>
#include <sstream>

#include "base/json_text.h"
#include "generator/render/comment.h"

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

bool is_instruction(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) { return c >= 'A' && c <= 'Z'; });
}

/// Puts values into the texts of a blueprint and remembers which.
class Filler {
 public:
  explicit Filler(const Node& values) : values_(values) {}

  Result<std::string> text(const Node& node) {
    if (node.text() == nullptr) {
      return fail("blueprint " + node.origin().at + ": write a text here", "quote numbers");
    }
    auto filled = *node.text();
    for (const auto& [name, value] : *values_.map()) {
      const auto place = '{' + name + '}';
      for (auto at = filled.find(place); at != filled.npos; at = filled.find(place, at)) {
        filled.replace(at, place.size(), *value.text());
        at += value.text()->size();
        if (std::ranges::find(used, value.origin()) == used.end()) used.push_back(value.origin());
      }
    }
    return filled;
  }

  Result<std::vector<std::string>> texts(const Node& list) {
    std::vector<std::string> filled;
    for (const auto& element : *list.list()) {
      auto one = text(element);
      if (!one) return tl::unexpected(one.error());
      filled.push_back(std::move(*one));
    }
    return filled;
  }

  LineOrigins used{};

 private:
  const Node& values_;
};

/// Flags come first; what looks like one further on is an argument.
void split(const std::string& text, Instruction& into) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const bool flag = word.starts_with("--") && into.words.empty();
    (flag ? into.flags : into.words).push_back(std::move(word));
  }
}

Result<void> read_arguments(const Node& node, Filler& filler, Instruction& into) {
  if (node.list() != nullptr) {
    auto exec = filler.texts(node);
    if (!exec) return tl::unexpected(exec.error());
    into.exec = std::move(*exec);
    return {};
  }
  if (const auto* pairs = node.map()) {
    for (const auto& [key, value] : *pairs) {
      auto filled = filler.text(value);
      if (!filled) return tl::unexpected(filled.error());
      into.pairs.emplace_back(key, std::move(*filled));
    }
    return {};
  }
  auto words = filler.text(node);
  if (!words) return tl::unexpected(words.error());
  split(*words, into);
  return {};
}

Result<Instruction> read_instruction(const Node& node, const Node& values) {
  Instruction instruction;
  Filler filler(values);
  if (node.map() == nullptr) return fail("blueprint " + node.origin().at + ": not an instruction");
  for (const auto& [key, value] : *node.map()) {
    Result<void> done;
    if (is_instruction(key) && instruction.name.empty()) {
      instruction.name = key;
      done = read_arguments(value, filler, instruction);
    } else if (key == "exec" && value.list() != nullptr) {
      done = read_arguments(value, filler, instruction);
    } else if (key == "comment" && value.text() != nullptr) {
      instruction.comment = *value.text();
    } else {
      done = fail("blueprint " + value.origin().at + ": an instruction has no '" + key + "'",
                  "an instruction is `NAME: arguments`, with `exec` and `comment` beside it");
    }
    if (!done) return tl::unexpected(done.error());
  }
  instruction.origins = {node.origin()};
  std::ranges::move(filler.used, std::back_inserter(instruction.origins));
  return instruction;
}

}  // namespace

Result<Dockerfile> read_dockerfile(const Node& blueprint, const Node& values) {
  const auto* header = blueprint.find("header");
  const auto* instructions = blueprint.find("instructions");
  if (header == nullptr || header->text() == nullptr || instructions == nullptr ||
      instructions->list() == nullptr) {
    return fail("blueprint " + blueprint.origin().at + ": it needs `header` and `instructions`");
  }
  for (const auto& word : blueprint.keys()) {
    if (word == "header" || word == "instructions") continue;
    return fail(
        "blueprint " + blueprint.child(word)->origin().at + ": nothing reads '" + word + "'",
        "use `header` and `instructions`");
  }
  Dockerfile file{.header = *header->text(), .instructions = {}, .origins = {header->origin()}};
  for (const auto& node : *instructions->list()) {
    auto instruction = read_instruction(node, values);
    if (!instruction) return tl::unexpected(instruction.error());
    file.instructions.push_back(std::move(*instruction));
  }
  return file;
}

Result<Text> to_dockerfile(const Dockerfile& file) {
  Text text;
  text.add(comment_lines(file.header), file.origins);
  for (const auto& instruction : file.instructions) {
    std::string out;
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
    text.add(out + '\n', instruction.origins);
  }
  return text;
}

}  // namespace caisson::render

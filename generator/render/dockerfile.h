#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "generator/render/node.h"
#include "generator/render/text.h"

namespace caisson::render {

/// One instruction. `flags` come before the arguments ("--from=build"); `exec` arguments are
/// written in the JSON form, which no shell sees; `pairs` are NAME="value" with Dockerfile
/// escaping.
struct Instruction {
  std::string name;
  std::vector<std::string> flags{};
  std::vector<std::string> words{};
  std::vector<std::string> exec{};
  std::vector<std::pair<std::string, std::string>> pairs{};
  std::string comment{};  ///< one line above the instruction
  LineOrigins origins{};
};

/// A Dockerfile of exec-form instructions. There is no shell form to get wrong: nothing is ever
/// split, expanded or continued.
struct Dockerfile {
  std::string header;  ///< comment lines without their '#'
  std::vector<Instruction> instructions;
  LineOrigins origins{};  ///< of the header
};

/// Reads a blueprint: `header`, and `instructions`, each a map of the instruction's name to its
/// flags and words (text), its exec arguments (list) or its pairs (map); `exec` beside it is what
/// follows the words, and `comment` stands above it. `{name}` stands for that entry of `values`.
/// Fails, naming the line, on anything else.
[[nodiscard]] Result<Dockerfile> read_dockerfile(const Node& blueprint, const Node& values);

/// Fails when a word holds a blank, a line break or a quote, which no Dockerfile can carry
/// unquoted.
[[nodiscard]] Result<Text> to_dockerfile(const Dockerfile& file);

}  // namespace caisson::render

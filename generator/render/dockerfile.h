#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generator/source/result.h"

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
};

/// A Dockerfile of exec-form instructions. There is no shell form to get wrong: nothing is ever
/// split, expanded or continued.
struct Dockerfile {
  std::string header;  ///< comment lines without their '#'
  std::vector<Instruction> instructions;
};

/// Fails when a word holds a blank, a line break or a quote, which no Dockerfile can carry
/// unquoted.
[[nodiscard]] Result<std::string> to_dockerfile(const Dockerfile& file);

}  // namespace caisson::render

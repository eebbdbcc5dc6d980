#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "editor/project.h"
#include "generator/spec/field.h"

namespace caisson::editor {

/// What may be written instead of something.
struct Replacement {
  std::string text;
  bool likely = true;  ///< the remedy says so; false: a guess
  bool only = false;   ///< nothing else can have been meant, or the remedy says nothing else
};

/// What a remedy says to write instead ("did you mean 'x'?", "write 2..6", "use a, b or c"), and
/// what follows from how the value is written. The most likely first.
[[nodiscard]] std::vector<Replacement> other_words(std::string_view code, std::string_view written,
                                                   std::string_view remedy);

/// Values that a missing field may be given: its words, names that the project declares, or the
/// example of its note. Empty when nobody can guess one.
[[nodiscard]] std::vector<std::string> examples_of(const spec::Field& field,
                                                   const Project& project);

}  // namespace caisson::editor

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "editor/project.h"
#include "generator/source/diagnostics.h"
#include "generator/spec/field.h"

namespace caisson::editor {

/// What may be written instead of something.
struct Replacement {
  std::string text;
  bool likely = true;  ///< the remedy says so; false: a guess
  bool only = false;   ///< nothing else can have been meant, or the remedy says nothing else
  bool part = false;   ///< another word in a value that is kept, and as it is quoted
};

/// What a remedy says to write instead ("did you mean 'x'?", "write 2..6", "use a, b or c"), and
/// what follows from how the value is written. The most likely first. Where the message quotes a
/// word of the value alone, the rest of the value stays; references to secrets and answers do.
[[nodiscard]] std::vector<Replacement> other_words(const source::Diagnostic& diagnostic,
                                                   std::string_view written);

/// Values that a missing field may be given: its words, names that the project declares, or the
/// example of its note. Empty when nobody can guess one.
[[nodiscard]] std::vector<std::string> examples_of(const spec::Field& field,
                                                   const Project& project);

}  // namespace caisson::editor

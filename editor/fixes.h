#pragma once

#include <functional>
#include <string>
#include <vector>

#include "editor/format.h"
#include "editor/project.h"
#include "generator/source/diagnostics.h"

namespace caisson::editor {

/// A way to mend a mistake.
struct Fix {
  std::string title;
  std::vector<Edit> edits;  ///< in the project's sources
  /// May be made without being read: nothing else can have been meant, the files can be read
  /// afterwards, and nothing is taken away but what the diagnostic is about. At most one of a
  /// diagnostic, the first.
  bool preferred = false;
};

/// What `spec::load` says of the project after the edits.
using Judge = std::function<std::vector<source::Diagnostic>(const std::vector<Edit>& edits)>;

/// The ways to mend the diagnostic that are known to: each has been tried, and afterwards there is
/// one mistake of its kind less, and none that was not there. `all` is everything that is said
/// about the project as it is. The most likely first; at most eight. What is taken away as a whole
/// is a value alone, unless the remedy says to remove it.
[[nodiscard]] std::vector<Fix> fixes_for(const Project& project,
                                         const std::vector<source::Diagnostic>& all,
                                         const source::Diagnostic& diagnostic, const Judge& judge);

}  // namespace caisson::editor

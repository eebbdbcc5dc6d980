#pragma once

#include <vector>

#include "editor/edits.h"
#include "editor/fixes.h"
#include "generator/source/diagnostics.h"

namespace caisson::editor {

/// Edits that may mend what keeps a text from being read (E00xx); none for other diagnostics.
[[nodiscard]] std::vector<Fix> document_fixes(const Writing& writing,
                                              const source::Diagnostic& diagnostic);

}  // namespace caisson::editor

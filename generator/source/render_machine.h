#pragma once

#include <string>

#include "generator/source/diagnostics.h"

namespace caisson::source {

/// One line of JSON: `{"diagnostics":[...],"errors":n,"warnings":n}`. Lines and columns are
/// one-based, columns count Unicode scalar values, ends are exclusive.
[[nodiscard]] std::string render_json(const Diagnostics& diagnostics, const SourceSet& sources);

/// A SARIF 2.1.0 log with one run; only the rules that occur are described.
[[nodiscard]] std::string render_sarif(const Diagnostics& diagnostics, const SourceSet& sources);

}  // namespace caisson::source

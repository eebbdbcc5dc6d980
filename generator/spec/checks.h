#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generator/source/diagnostics.h"
#include "generator/source/source_file.h"
#include "generator/spec/deployment.h"
#include "generator/spec/document.h"

namespace caisson::spec {

/// What the checks are told besides the spec.
struct CheckOptions {
  std::string_view today;  ///< "YYYY-MM-DD"
  bool strict = false;
};

/// A waiver of a warning of the language, and whether any check asked for it.
struct WaiverUse {
  source::Span rule;  ///< where the waiver names its warning, which tells it from the others
  std::string code;
  std::string where;  ///< the field; empty: every one
  bool used = false;
};

/// Everything that must hold across fields. The deployment may be half decoded: what was of no use
/// has been reported and is absent. Its waivers of warnings are added to `waivers`, each once
/// however many environments are checked.
void check(const Deployment& deployment, const Node& document, const source::SourceSet& sources,
           const CheckOptions& options, source::Diagnostics& diagnostics,
           std::vector<WaiverUse>& waivers);

}  // namespace caisson::spec

#pragma once

#include <string_view>

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

/// Everything that must hold across fields. The deployment may be half decoded: what was of no use
/// has been reported and is absent.
void check(const Deployment& deployment, const Node& document, const source::SourceSet& sources,
           const CheckOptions& options, source::Diagnostics& diagnostics);

}  // namespace caisson::spec

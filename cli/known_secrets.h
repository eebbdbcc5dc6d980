#pragma once

#include <vector>

#include "cli/spec_source.h"
#include "conformance/scan/disclosure.h"
#include "generator/spec/deployment.h"

namespace caisson::cli {

/// The values of secrets that can be read here. What cannot be is no hindrance: then it cannot get
/// into a bundle from here either.
[[nodiscard]] std::vector<conformance::KnownSecret> known_secrets(
    const spec::Deployment& deployment, const SpecSource& source);

}  // namespace caisson::cli

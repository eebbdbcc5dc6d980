#pragma once

#include "base/result.h"
#include "cli/generation.h"
#include "cli/spec_source.h"

namespace caisson::cli {

/// Adds to the diagnostics of a spec that is right by itself what `generate` would say of it,
/// whatever was generated before; and, unless `rendering` is of one environment, what it would say
/// of each environment and not of the spec, with the environment's name. Everything is generated
/// once for the spec and once for each. Nothing for a spec with errors. Fails as `generate` of the
/// spec does; what keeps an environment from being generated is E0308 at its name.
[[nodiscard]] Result<void> judge(const SpecSource& source, const Rendering& rendering,
                                 LoadedSpec& spec);

}  // namespace caisson::cli

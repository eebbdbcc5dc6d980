#pragma once

#include "base/result.h"
#include "cli/generation.h"
#include "cli/spec_source.h"

namespace caisson::cli {

/// Adds to the diagnostics of a spec that is right by itself what `generate` would say of it,
/// whatever was generated before. Nothing for a spec with errors. Fails as `generate` does.
[[nodiscard]] Result<void> judge(const SpecSource& source, const Rendering& rendering,
                                 LoadedSpec& spec);

}  // namespace caisson::cli

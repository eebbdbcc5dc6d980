#pragma once

#include "base/result.h"
#include "cli/generation.h"
#include "cli/spec_source.h"

namespace caisson::cli {

/// Adds to the diagnostics of a spec that is right by itself what `generate` would say of it,
/// whatever was generated before. Nothing for a spec with errors. Fails as `generate` does.
[[nodiscard]] Result<void> judge(const SpecSource& source, const Rendering& rendering,
                                 LoadedSpec& spec);

/// Adds what each environment of a spec that is right by itself has to say and the spec has not:
/// what `validate --env` says of it, with the environment's name. Everything is generated once for
/// each. Nothing when `rendering` is of one environment.
void judge_environments(const SpecSource& source, const Rendering& rendering, LoadedSpec& spec);

}  // namespace caisson::cli

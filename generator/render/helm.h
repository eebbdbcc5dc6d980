#pragma once

#include <vector>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/artifact.h"
#include "generator/render/blueprints.h"
#include "generator/render/mistake.h"

namespace caisson::render {

/// `values-<environment>.yaml` beside the chart of `base`: what `environment`, a plan of the same
/// spec with --env, says differently. `helm install --values` lays it over values.yaml; what the
/// environment does not have is null there. Patches of the spec are in both; what is wrong with
/// those of the environment is added to `mistakes`, with pointers into its own document, and
/// `patched` gets what they changed of all its values, if asked.
[[nodiscard]] Result<Artifact> helm_environment(const plan::Plan& base,
                                                const plan::Plan& environment,
                                                const Blueprints& blueprints,
                                                std::vector<Mistake>& mistakes,
                                                PatchedFiles* patched = nullptr);

}  // namespace caisson::render

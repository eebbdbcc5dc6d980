#pragma once

#include <vector>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/artifact.h"
#include "generator/render/blueprints.h"
#include "generator/render/mistake.h"

namespace caisson::render {

/// Every file of the targets that are asked for and that the plan has switched on, sorted by path.
/// Pure: the same plan and blueprints give the same bytes. What only now shows to be wrong with the
/// spec goes to `mistakes`, and the artifacts are then of no use. Fails when a blueprint is broken
/// or a value cannot be written in a file's format. `patched` gets what patches changed, if asked.
[[nodiscard]] Result<Artifacts> render(const plan::Plan& plan, const Blueprints& blueprints,
                                       TargetSet targets, std::vector<Mistake>& mistakes,
                                       PatchedFiles* patched = nullptr);

/// The same for who cannot show where a mistake is: the first fails.
[[nodiscard]] Result<Artifacts> render(const plan::Plan& plan, const Blueprints& blueprints,
                                       TargetSet targets = TargetSet::all());

/// Whether the spec wants the target, and where it says so.
[[nodiscard]] const plan::Traced<bool>& wanted(const plan::Targets& targets, Target target);

}  // namespace caisson::render

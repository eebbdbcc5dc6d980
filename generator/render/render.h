#pragma once

#include "generator/plan/plan.h"
#include "generator/render/artifact.h"
#include "generator/render/blueprints.h"
#include "generator/source/result.h"

namespace caisson::render {

/// Every file of the targets that are asked for and that the plan has switched on, sorted by path.
/// Pure: the same plan and blueprints give the same bytes. Fails when a blueprint is broken, a
/// patch does not match what it says, or a value cannot be written in a file's format.
[[nodiscard]] Result<Artifacts> render(const plan::Plan& plan, const Blueprints& blueprints,
                                       TargetSet targets = TargetSet::all());

/// Whether the spec wants the target, and where it says so.
[[nodiscard]] const plan::Traced<bool>& wanted(const plan::Targets& targets, Target target);

}  // namespace caisson::render

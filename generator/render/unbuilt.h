#pragma once

#include <vector>

#include "generator/plan/plan.h"
#include "generator/render/mistake.h"

namespace caisson::render {

/// What the language has and no target can make good: a stack with it would refuse to start, so
/// nothing is generated, started or packed. No waiver changes that.
[[nodiscard]] std::vector<Mistake> unbuilt(const plan::Plan& plan);

}  // namespace caisson::render

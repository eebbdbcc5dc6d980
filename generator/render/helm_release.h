#pragma once

#include <vector>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/mistake.h"
#include "generator/render/node.h"

namespace caisson::render::helm {

/// Refuses values (of render_helm) whose release would be larger than the Secret that Helm keeps it
/// in, and says how many of the tenants fit.
[[nodiscard]] Result<void> check_release(const plan::Plan& plan, const Node& values,
                                         std::vector<Mistake>& mistakes);

}  // namespace caisson::render::helm

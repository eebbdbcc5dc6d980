#pragma once

#include "generator/plan/plan.h"
#include "generator/spec/spec.h"

namespace caisson::plan {

/// The stack that a right spec asks for. Pure: the same spec gives the same plan. Linear in the
/// number of tenants.
[[nodiscard]] Plan plan(const spec::Loaded& loaded);

}  // namespace caisson::plan

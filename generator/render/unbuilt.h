#pragma once

#include <vector>

#include "generator/render/loss_table.h"
#include "generator/render/mistake.h"

namespace caisson::render {

/// What the language has and no target can make good: stores that are not built, with which a stack
/// would refuse to start, and every written field whose row of the loss table is refused. Nothing
/// is generated, started or packed. No waiver changes that.
[[nodiscard]] std::vector<Mistake> unbuilt(const Asked& asked);

}  // namespace caisson::render

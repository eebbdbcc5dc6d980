#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/mistake.h"
#include "generator/render/node.h"

namespace caisson::render {

/// `values.schema.json`: JSON Schema (draft 7, which Helm reads) of the chart's values, closed at
/// every level, with a description of every field. A runtime has at most `runtime_replicas`.
[[nodiscard]] Node helm_values_schema(std::int64_t runtime_replicas);

/// Fails, naming the place, when `values` has something that the schema does not describe, that is
/// of another type or that lacks what templates read: neither is ever written without the other. It
/// is a mistake of `patch` when that is what changed values that were right. What Helm itself
/// cannot read is a mistake in the spec.
[[nodiscard]] Result<void> described_by(const Node& schema, const Node& values,
                                        const plan::Patch* patch, std::vector<Mistake>& mistakes);

}  // namespace caisson::render

#pragma once

#include <optional>

#include "generator/render/json_schema.h"
#include "generator/render/node.h"

namespace caisson::render {

/// What `caisson-runtime check` would refuse of a runtime.json of which every member is right by
/// itself (schemas/runtime.yaml): members that do not go together.
[[nodiscard]] std::optional<SchemaFault> runtime_contradiction(const Node& config);

}  // namespace caisson::render

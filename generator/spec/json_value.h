#pragma once

#include <string>

#include "generator/spec/document.h"

namespace caisson::spec {

/// A value of the spec as JSON: plain scalars by the core schema of YAML 1.2 (null, true, false,
/// numbers), everything else as strings.
[[nodiscard]] std::string json_value(const Node& node);

}  // namespace caisson::spec

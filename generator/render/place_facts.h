#pragma once

#include <map>
#include <string>
#include <string_view>

#include "generator/plan/plan.h"
#include "generator/render/node.h"

namespace caisson::render {

/// What a file says of where the data of a volume are, and whose, by pointer. Words that say the
/// same are the same here; what decides nothing is left out.
using PlaceFacts = std::map<std::string, Node>;

/// A volume that an instance mounts.
struct Kept {
  const plan::Plan& plan;
  const plan::Instance& instance;
  std::string_view volume;
  std::string_view path;  ///< where the process finds it
};

/// Of compose.yaml.
[[nodiscard]] PlaceFacts compose_facts(const Node& project, const Kept& kept);

/// Of the unit that runs the instance.
[[nodiscard]] PlaceFacts unit_facts(const Node& unit, const Kept& kept);

/// Of the chart's values; `workload` is a pointer.
[[nodiscard]] PlaceFacts chart_facts(const Node& values, const std::string& workload,
                                     const Kept& kept);

}  // namespace caisson::render

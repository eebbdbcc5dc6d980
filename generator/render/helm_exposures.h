#pragma once

#include <string_view>
#include <vector>

#include "generator/render/mistake.h"
#include "generator/render/node.h"

namespace caisson::render {

/// Whether the file at the path is what a chart renders when a site says nothing.
[[nodiscard]] bool is_chart_values(std::string_view path);

/// What a site laid over the chart's values that takes the walls between its pods down, as warnings
/// (W0305): no network policies, and pods that share the network, the processes or the devices of
/// their node.
[[nodiscard]] std::vector<Mistake> exposures(const Node& values);

}  // namespace caisson::render

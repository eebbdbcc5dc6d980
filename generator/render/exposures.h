#pragma once

#include <string_view>
#include <vector>

#include "generator/render/mistake.h"
#include "generator/render/node.h"

namespace caisson::render {

/// What patches of the file at `path` take down of the walls between tenants, as warnings (W0305).
/// Of a chart's values: no network policies; pods, those of extra objects among them, that share
/// the network, the processes or the devices of their node; pods on networks that the plan does not
/// put them on. Of compose.yaml: the same of containers. Of any other file nothing.
[[nodiscard]] std::vector<Mistake> exposures(std::string_view path, const Node& tree);

}  // namespace caisson::render

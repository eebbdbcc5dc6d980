#pragma once

#include <string>
#include <string_view>

#include "generator/render/node.h"

namespace caisson::render {

/// For a pointer that leads nowhere: what the deepest node on its way has that looks like it, as
/// "did you mean '/services/runtime'?"; empty when nothing does.
[[nodiscard]] std::string place_hint(const Node& tree, std::string_view pointer);

}  // namespace caisson::render

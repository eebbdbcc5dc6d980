#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "base/result.h"
#include "generator/render/node.h"

namespace caisson::render {

/// Reads `text`, a YAML (or JSON) document, as a tree. Plain scalars are read as YAML 1.2 does:
/// booleans, null, decimal numbers; everything else is text. `origin` gives the origin of what
/// begins on a line. Fails with `name` and the line when it is no such document.
[[nodiscard]] Result<Node> read_tree(std::string name, std::string text,
                                     const std::function<Origin(std::size_t line)>& origin);

}  // namespace caisson::render

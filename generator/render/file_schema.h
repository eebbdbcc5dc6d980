#pragma once

#include <string_view>

#include "generator/render/node.h"

namespace caisson::render {

/// The text of a file in schemas/, which is compiled in; empty when there is none.
[[nodiscard]] std::string_view file_schema_text(std::string_view name);

/// The YAML or JSON file of that name, parsed once: a schema is the same for every artifact. An
/// empty map when there is none.
[[nodiscard]] const Node& file_schema(std::string_view name);

}  // namespace caisson::render

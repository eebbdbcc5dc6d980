#pragma once

#include <string>
#include <string_view>

#include "generator/render/node.h"

namespace caisson::render {

/// Writes `document` as one YAML document under `header` (comment lines without their '#'). A
/// YAML 1.1 parser and a YAML 1.2 parser read the same values back; every string stays a string.
[[nodiscard]] std::string to_yaml(const Node& document, std::string_view header = {});

/// One scalar as to_yaml writes it: plain where nothing could mistake it, else quoted.
[[nodiscard]] std::string yaml_scalar(std::string_view text);

}  // namespace caisson::render

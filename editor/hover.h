#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "editor/project.h"
#include "generator/source/source_file.h"

namespace caisson::editor {

/// Where a value of the spec arrives: a value or a line of a generated file.
struct Arrival {
  std::string target;  ///< "compose"
  std::string place;   ///< "compose/compose.yaml:/services/runtime/mem_limit", "caddy/Caddyfile:12"
  std::string value;   ///< JSON of the value, or the line
};

/// What the value at a pointer of the merged spec becomes in each target; the environment is empty
/// for the base. Nothing while the spec has errors.
using Arrivals =
    std::function<std::vector<Arrival>(const std::string& environment, const std::string& pointer)>;

struct Hover {
  std::string markdown;
  source::Span place;
};

/// What stands at the offset of the part `file`: its field, and what the value becomes.
[[nodiscard]] std::optional<Hover> hover(const Project& project, std::uint32_t file,
                                         std::uint32_t offset, const Arrivals& arrivals);

}  // namespace caisson::editor

#pragma once

#include <optional>
#include <string_view>

#include "generator/render/json_schema.h"
#include "generator/render/node.h"

namespace caisson::render {

/// What the reader of a generated file would refuse of it, or take without a word and do nothing
/// with: a key that it does not know, a value of another kind, in a Compose file a name that
/// nothing defines. The places of unit files are "/SECTION/DIRECTIVE". Files whose readers have no
/// bounds of their own (Grafana's dashboards) are held to nothing, nor are the chart's values,
/// which have the chart's schema.
[[nodiscard]] std::optional<SchemaFault> format_fault(std::string_view path, const Node& tree);

/// Whether `format_fault` knows the file's format.
[[nodiscard]] bool has_format(std::string_view path);

}  // namespace caisson::render

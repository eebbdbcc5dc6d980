#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "generator/render/json_schema.h"
#include "generator/render/node.h"

namespace caisson::render {

/// What systemd 252 would refuse of a unit file, or take without a word and do nothing with: an
/// unknown section or directive, or a value of another kind than the directive's. The places are
/// "/SECTION/DIRECTIVE".
[[nodiscard]] std::optional<SchemaFault> unit_fault(const Node& tree);

/// Whether a `%` in values of `directive` is a percent sign: systemd expands no specifiers there.
[[nodiscard]] bool takes_percentages(std::string_view directive);

/// A directive that systemd 252 knows.
struct UnitDirective {
  std::string_view section;
  std::string_view name;
  bool typed = false;  ///< its values are held to a form
};

/// All of them.
[[nodiscard]] std::vector<UnitDirective> unit_directives();

}  // namespace caisson::render

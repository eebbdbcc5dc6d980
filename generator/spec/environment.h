#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generator/source/diagnostics.h"
#include "generator/spec/document.h"

namespace caisson::spec {

/// A partial spec that `--env` lays over the base; without what an overlay cannot say.
struct Environment {
  std::string name;
  Node overlay;
};

/// The environments of a spec. Each is read as a partial spec, so that a mistake in one that is not
/// chosen is found too.
[[nodiscard]] std::vector<Environment> read_environments(const Node& base,
                                                         source::Diagnostics& diagnostics);

/// The environment called `name`, or null after a report.
[[nodiscard]] const Environment* find_environment(const std::vector<Environment>& environments,
                                                  std::string_view name, const Node& base,
                                                  source::Diagnostics& diagnostics);

}  // namespace caisson::spec

#pragma once

#include <set>
#include <string_view>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/artifact.h"
#include "generator/render/blueprints.h"
#include "generator/render/node.h"
#include "generator/render/site.h"

namespace caisson::render {

/// Where the edge's container sees the directory in which a file `closed` closes it.
inline constexpr std::string_view door_folder = "/run/caisson/door";

/// The papers of the project as they are at a site, where they take the place of its own.
inline constexpr std::string_view installed_folder = "compose/installed/";

/// What a project is made of, as far as it is rendered.
struct ComposeProject {
  const plan::Plan& plan;
  const Site& site;
  const Node& document;  ///< compose.yaml, with the patches of the spec
  const Artifacts& artifacts;
  const std::set<std::string_view>& mounted;    ///< secrets that are files
  const std::set<std::string_view>& variables;  ///< secrets that are variables
};

/// What the installer needs of the project beside what everybody needs: SITE, a `site.yaml` that is
/// laid over compose.yaml (images by the names that the engine here has them by, data and secrets
/// where the installer keeps them), a unit of systemd for each container, and where the probes find
/// the listeners.
[[nodiscard]] Result<Artifacts> compose_install(const ComposeProject& project,
                                                const Blueprints& blueprints);

}  // namespace caisson::render

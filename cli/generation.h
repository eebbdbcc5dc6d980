#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/spec_source.h"
#include "generator/plan/plan.h"
#include "generator/publish/inventory.h"
#include "generator/render/artifact.h"
#include "generator/render/blueprints.h"
#include "generator/render/loss.h"
#include "generator/source/result.h"

namespace CLI {
class App;
}

namespace caisson::cli {

/// What `generate`, `diff` and `explain` are asked to render.
struct Rendering {
  std::string environment;
  std::vector<std::string> targets;  ///< empty: all that the spec has switched on
  std::string blueprints;            ///< a directory of replacements; empty: the shipped ones
  bool strict = strict_by_default();
};

/// --env, --target, --blueprints and --strict.
void add_rendering(CLI::App& app, Rendering& rendering);

/// --blueprints DIR.
void add_blueprints(CLI::App& app, std::string& directory);

/// The shipped blueprints with the files of `directory` in their place.
[[nodiscard]] Result<render::Blueprints> load_blueprints(const std::string& directory);

/// Artifacts, what they were made from, and what of the spec they cannot express.
struct Generated {
  render::Artifacts artifacts;
  publish::Provenance made_from;
  std::vector<render::Loss> losses;
};

/// Plans and renders a spec that is right. Fails when a target is asked for that the spec has
/// switched off, and when rendering does.
[[nodiscard]] Result<Generated> generate(const LoadedSpec& spec, const Rendering& rendering,
                                         const render::Blueprints& blueprints);

}  // namespace caisson::cli

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/blueprint_source.h"
#include "cli/console.h"
#include "cli/options.h"
#include "cli/spec_source.h"
#include "generator/plan/plan.h"
#include "generator/publish/inventory.h"
#include "generator/render/artifact.h"
#include "generator/render/blueprints.h"
#include "generator/render/loss.h"
#include "generator/render/mistake.h"
#include "generator/render/places.h"

namespace CLI {
class App;
}

namespace caisson::cli {

/// What `generate`, `diff` and `explain` are asked to render.
struct Rendering {
  std::string environment;
  std::string answers{};             ///< a file of them; empty: the spec's defaults hold
  std::vector<std::string> targets;  ///< empty: all that the spec has switched on
  std::string blueprints;            ///< where replacements are; empty: the shipped ones
  bool strict = strict_by_default();
};

/// --env, --answers, --target, --blueprints and --strict.
void add_rendering(CLI::App& app, Rendering& rendering);

/// --accept-move: what `moves` of the spec are no mistake, because somebody takes the data along.
void add_accept_move(CLI::App& app, std::vector<std::string>& moves);

/// Fails on what --accept-move names and no place has: it would be accepted in silence.
[[nodiscard]] Result<void> check_moves(const render::Places& before, const render::Places& now,
                                       const std::vector<std::string>& accepted);

/// What of the places would be looked for elsewhere, volumes that change their size, and data that
/// nothing uses any more, of these targets or of all.
[[nodiscard]] std::vector<render::Mistake> place_mistakes(
    const render::Places& before, const render::Places& now,
    const std::vector<std::string>& accepted, const std::vector<std::string>& targets = {});

/// Artifacts, what they were made from, and what of the spec they cannot express.
struct Generated {
  render::Artifacts artifacts;
  publish::Provenance made_from;
  render::Places places;  ///< where the artifacts keep data
  std::vector<render::Loss> losses;
  std::string patches;  ///< what patches of the spec changed, for people; empty without any
};

/// Plans and renders a spec that is right so far, loaded from `source`. Without --env the chart
/// gets a file of values for each environment, which is loaded for that. What is wrong with the
/// spec for what is generated from it goes to `found`; nothing is generated when there are errors
/// among that. Fails when a target is asked for that the spec has switched off, when an environment
/// has errors, and when rendering does.
[[nodiscard]] Result<std::optional<Generated>> generate(const SpecSource& source,
                                                        const LoadedSpec& spec,
                                                        const Rendering& rendering,
                                                        const render::Blueprints& blueprints,
                                                        source::Diagnostics& found);

/// The same for commands that go on only without errors: prints what is found, and fails then.
[[nodiscard]] Result<Generated> generate(const SpecSource& source, const LoadedSpec& spec,
                                         const Rendering& rendering,
                                         const render::Blueprints& blueprints, Console& console);

/// What there is to say of a spec that was generated: what its targets lose, an error under
/// `strict`, and build contexts beside `source` that are not there.
[[nodiscard]] std::vector<render::Mistake> findings(const SpecSource& source,
                                                    const LoadedSpec& spec,
                                                    const Generated& generated, bool strict);

/// Notes waivers of losses that neither the base nor an environment of the spec has use for.
/// `spec` is the base, loaded from `source`. Nothing is noted while an environment has errors.
void add_idle_waivers(const SpecSource& source, const LoadedSpec& spec,
                      source::Diagnostics& diagnostics);

/// Notes mistakes among what there is to say of the spec, with their places.
void add(const std::vector<render::Mistake>& mistakes, const spec::Node& document,
         source::Diagnostics& diagnostics);

/// Prints mistakes with their places. Fails, with their number, when one of them is an error.
[[nodiscard]] Result<void> report(const LoadedSpec& spec,
                                  const std::vector<render::Mistake>& mistakes, Console& console);

}  // namespace caisson::cli

#include "cli/generation.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <CLI/App.hpp>

#include "generator/plan/planner.h"
#include "generator/render/helm.h"
#include "generator/render/render.h"
#include "generator/render/unbuilt.h"
#include "generator/source/diagnostics.h"
#include "generator/spec/spec.h"

namespace caisson::cli {
namespace {

Result<render::TargetSet> select_targets(const std::vector<std::string>& names,
                                         const plan::Targets& planned) {
  if (names.empty()) return render::TargetSet::all();
  render::TargetSet chosen;
  for (const auto& name : names) {
    const auto at = std::ranges::find(render::target_names, name) - render::target_names.begin();
    const auto target = static_cast<render::Target>(at);
    if (!render::wanted(planned, target))
      return fail("the spec switches target '" + name + "' off", "see `targets` in the spec");
    chosen.add(target);
  }
  return chosen;
}

/// The chart's values of every environment of the spec.
Result<void> add_environments(const SpecSource& source, const LoadedSpec& spec,
                              const Rendering& rendering, const plan::Plan& base,
                              const render::Blueprints& blueprints, render::Artifacts& artifacts,
                              render::Places& places, Console& console) {
  const auto* environments = spec::find(spec.loaded->document, "/environments");
  if (environments == nullptr) return {};
  for (const auto& environment : environments->fields) {
    const auto other = load_spec(source, environment.key, rendering.strict);
    if (!other.loaded) {
      return fail(
          "environment '" + environment.key + "' has errors, so the chart cannot have its values",
          "`caisson validate --env " + environment.key + "` shows them");
    }
    const auto plan = plan::plan(*other.loaded);
    if (!plan.targets.helm) continue;
    auto mistakes = render::unbuilt({.plan = plan, .document = other.loaded->document});
    for (auto& mistake : mistakes) mistake.message += ", with --env " + environment.key;
    if (auto right = report(other, mistakes, console); !right) return tl::unexpected(right.error());
    auto values = render::helm_environment(base, plan, blueprints);
    if (!values) return tl::unexpected(values.error());
    artifacts.push_back(*std::move(values));
    for (auto& place : render::places(plan, {render::Target::helm})) {
      place.environment = environment.key;
      places.push_back(std::move(place));
    }
  }
  render::sort(places);
  std::ranges::sort(artifacts, {}, &render::Artifact::path);
  return {};
}

}  // namespace

void add_rendering(CLI::App& app, Rendering& rendering) {
  add_environment(app, rendering.environment);
  std::string choices;
  for (const auto name : render::target_names)
    choices += (choices.empty() ? "" : "|") + std::string(name);
  add_choices(app, "--target", rendering.targets, choices,
              "only these targets; comma-separated or repeated");
  add_blueprints(app, rendering.blueprints);
  add_strict(app, rendering.strict);
}

void add_accept_move(CLI::App& app, std::vector<std::string>& moves) {
  app.add_option(
         "--accept-move", moves,
         "tenant/SLUG or volume/NAME that may go to another place: its data are taken along")
      ->type_name("WHAT")
      ->delimiter(',')
      ->allow_extra_args(false);
}

std::vector<render::Mistake> place_mistakes(const render::Places& before, const render::Places& now,
                                            const std::vector<std::string>& accepted) {
  return render::place_mistakes(before, now, {accepted.begin(), accepted.end()});
}

void add(const std::vector<render::Mistake>& mistakes, const spec::Node& document,
         source::Diagnostics& diagnostics) {
  for (const auto& mistake : mistakes) {
    diagnostics.report({.severity = mistake.severity,
                        .code = mistake.code,
                        .where = spec::nearest(document, mistake.pointer).span,
                        .message = mistake.message,
                        .remedy = mistake.remedy});
  }
}

Result<void> report(const LoadedSpec& spec, const std::vector<render::Mistake>& mistakes,
                    Console& console) {
  if (mistakes.empty()) return {};
  source::Diagnostics diagnostics;
  add(mistakes, spec.loaded->document, diagnostics);
  console.error(source::render(heard(diagnostics, console), spec.sources, source::Format::text,
                               console.colour_error()));
  if (!diagnostics.has_errors()) return {};
  return fail(spec.sources.front().name() + ": " + tally(diagnostics));
}

Result<Generated> generate(const SpecSource& source, const LoadedSpec& spec,
                           const Rendering& rendering, const render::Blueprints& blueprints,
                           Console& console) {
  const auto plan = plan::plan(*spec.loaded);
  const auto targets = select_targets(rendering.targets, plan.targets);
  if (!targets) return tl::unexpected(targets.error());
  std::vector<render::Mistake> mistakes;
  auto artifacts = render::render(plan, blueprints, *targets, mistakes);
  if (!artifacts) return tl::unexpected(artifacts.error());
  const render::Asked asked{.plan = plan, .document = spec.loaded->document};
  std::ranges::move(render::unbuilt(asked), std::back_inserter(mistakes));
  std::ranges::move(render::waiver_mistakes(plan), std::back_inserter(mistakes));
  if (auto right = report(spec, mistakes, console); !right) return tl::unexpected(right.error());
  auto places = render::places(plan, *targets);
  if (rendering.environment.empty() && targets->has(render::Target::helm) && plan.targets.helm) {
    auto added =
        add_environments(source, spec, rendering, plan, blueprints, *artifacts, places, console);
    if (!added) return tl::unexpected(added.error());
  }
  return Generated{.artifacts = *std::move(artifacts),
                   .made_from = {.version = CAISSON_VERSION,
                                 .spec_sha256 = spec.sha256,
                                 .environment = rendering.environment,
                                 .blueprints = blueprints.revision(),
                                 .blueprints_commit = blueprints.commit()},
                   .places = std::move(places),
                   .losses = render::losses(asked, *targets),
                   .patches = render::patch_text(plan, *targets, locator(spec))};
}

}  // namespace caisson::cli

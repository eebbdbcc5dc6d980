#include "cli/generation.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

#include <CLI/App.hpp>

#include "generator/plan/planner.h"
#include "generator/render/exposures.h"
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

/// Notes mistakes of an environment, which was loaded for itself, where the spec has them.
void add_of_environment(const std::string& environment, const LoadedSpec& other,
                        std::vector<render::Mistake> mistakes, const LoadedSpec& spec,
                        source::Diagnostics& found) {
  source::Diagnostics own;
  for (auto& mistake : mistakes) mistake.message += ", with --env " + environment;
  add(mistakes, other.loaded->document, own);
  for (auto& diagnostic : own.sorted()) {
    const auto& name = other.sources[diagnostic.where.file].name();
    const auto same = std::ranges::find(spec.sources, name, &source::SourceFile::name);
    if (same == spec.sources.end()) {
      diagnostic.where = spec::find(spec.loaded->document, "/environments")->span;
    } else {
      diagnostic.where.file = static_cast<std::uint32_t>(same - spec.sources.begin());
    }
    found.report(std::move(diagnostic));
  }
}

/// Points at what an environment says itself, rather than at what it says otherwise.
void point_into(const std::string& environment, const spec::Node& document, render::Place& place) {
  const auto point = [&](std::string& pointer) {
    auto own = "/environments/" + environment + pointer;
    if (!pointer.empty() && spec::find(document, own) != nullptr) pointer = std::move(own);
  };
  for (auto* pointer :
       {&place.at_pointer, &place.tenant_pointer, &place.bytes_pointer, &place.class_pointer})
    point(*pointer);
  std::ranges::for_each(place.tenant_pointers, point);
}

/// The chart's values of every environment of the spec.
Result<void> add_environments(const SpecSource& source, const LoadedSpec& spec,
                              const Rendering& rendering, const plan::Plan& base,
                              const render::Blueprints& blueprints, Generated& generated,
                              source::Diagnostics& found) {
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
    if (!mistakes.empty()) {
      add_of_environment(environment.key, other, std::move(mistakes), spec, found);
      continue;
    }
    render::PatchedFiles patched;
    auto values = render::helm_environment(base, plan, blueprints, mistakes, &patched);
    if (!values) return tl::unexpected(values.error());
    std::ranges::move(render::exposures(values->path, *values->tree), std::back_inserter(mistakes));
    add_of_environment(environment.key, other, std::move(mistakes), spec, found);
    generated.artifacts.push_back(*std::move(values));
    for (auto& place : render::places(plan, {render::Target::helm}, patched)) {
      place.environment = environment.key;
      point_into(environment.key, spec.loaded->document, place);
      generated.places.push_back(std::move(place));
    }
  }
  render::sort(generated.places);
  std::ranges::sort(generated.artifacts, {}, &render::Artifact::path);
  return {};
}

/// Services whose Dockerfile is not there: `docker compose build` would fail. Sources may be
/// brought later, so it is no more than a warning.
void add_missing_builds(const SpecSource& source, const LoadedSpec& spec,
                        std::vector<render::Mistake>& mistakes) {
  const auto& deployment = spec.loaded->deployment;
  for (const auto& [name, service] : deployment.services) {
    if (!service.build || !deployment.targets.compose.enabled) continue;
    const auto file =
        (std::filesystem::path(service.build->context) / service.build->dockerfile).string();
    if (source.read_file(file)) continue;
    mistakes.push_back({.code = "W0302",
                        .pointer = "/services/" + name + "/build/context",
                        .message = "'" + file + "' cannot be read beside the spec",
                        .remedy = "'docker compose build' needs it there, or below SOURCE_DIR",
                        .severity = source::Severity::warning});
  }
}

}  // namespace

void add_rendering(CLI::App& app, Rendering& rendering) {
  add_environment(app, rendering.environment);
  add_answers(app, rendering.answers);
  std::string choices;
  for (const auto name : render::target_names)
    choices += (choices.empty() ? "" : "|") + std::string(name);
  add_choices(app, "--target", rendering.targets, choices,
              "only these targets; comma-separated or repeated");
  add_blueprints(app, rendering.blueprints);
  add_strict(app, rendering.strict);
}

void add_accept_move(CLI::App& app, std::vector<std::string>& moves) {
  app.add_option("--accept-move", moves,
                 "tenant/SLUG, volume/NAME or service/NAME that may go to another place: its data "
                 "are taken along; environment/OLD=NEW that got another name, environment/OLD "
                 "that is gone for good")
      ->type_name("WHAT")
      ->delimiter(',')
      ->allow_extra_args(false);
}

Result<void> check_moves(const render::Places& before, const render::Places& now,
                         const std::vector<std::string>& accepted) {
  std::set<std::string, std::less<>> known;
  for (const auto& was : before) {
    const auto environment = "environment/" + was.environment;
    if (was.environment.empty() || !known.insert(environment).second) continue;
    for (const auto& place : now) known.insert(environment + "=" + place.environment);
  }
  for (const auto* places : {&before, &now}) {
    for (const auto& place : *places) {
      known.insert("volume/" + place.volume);
      if (!place.service.empty()) known.insert("service/" + place.service);
      for (const auto& tenant : place.tenants) known.insert("tenant/" + tenant);
      for (const auto& tenant : place.left) known.insert("tenant/" + tenant);
    }
  }
  for (const auto& move : accepted) {
    if (known.contains(move)) continue;
    return fail(
        "--accept-move " + move + ": nothing of that name keeps data, now or before",
        "write tenant/SLUG, volume/NAME, service/NAME, environment/OLD=NEW or environment/OLD, "
        "as the error says that asks for it");
  }
  return {};
}

std::vector<render::Mistake> place_mistakes(const render::Places& before, const render::Places& now,
                                            const std::vector<std::string>& accepted,
                                            const std::vector<std::string>& targets) {
  const render::AcceptedMoves moves(accepted.begin(), accepted.end());
  auto mistakes = render::place_mistakes(before, now, moves);
  std::ranges::move(render::left_data(before, now, moves, {targets.begin(), targets.end()}),
                    std::back_inserter(mistakes));
  return mistakes;
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

void add_idle_waivers(const SpecSource& source, const LoadedSpec& spec,
                      source::Diagnostics& diagnostics) {
  const auto* environments = spec::find(spec.loaded->document, "/environments");
  std::vector<std::pair<source::Span, render::Mistake>> idle;
  std::vector<source::Span> used;
  const auto look = [&](const spec::Loaded& loaded) {
    const auto plan = plan::plan(loaded);
    for (const auto& use : render::waiver_uses({.plan = plan, .document = loaded.document})) {
      auto mistake = render::idle_waiver(*use.waiver);
      // A waiver is the same one wherever it is merged to.
      const auto where = spec::nearest(loaded.document, mistake.pointer).span;
      if (use.used) used.push_back(where);
      if (!use.used &&
          std::ranges::find(idle, where, &decltype(idle)::value_type::first) == idle.end())
        idle.emplace_back(where, std::move(mistake));
    }
  };
  look(*spec.loaded);
  for (std::size_t i = 0; environments != nullptr && i < environments->fields.size(); ++i) {
    const auto& environment = environments->fields[i];
    const bool of_its_own = spec::find(environment.value, "/waivers") != nullptr;
    if (spec.loaded->deployment.waivers.empty() && !of_its_own) continue;
    const auto other = load_spec(source, environment.key, false);
    if (!other.loaded) return;
    look(*other.loaded);
  }
  for (const auto& [where, mistake] : idle) {
    if (std::ranges::find(used, where) != used.end()) continue;
    diagnostics.report({.severity = mistake.severity,
                        .code = mistake.code,
                        .where = where,
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

std::vector<render::Mistake> findings(const SpecSource& source, const LoadedSpec& spec,
                                      const Generated& generated, bool strict) {
  auto found = render::findings(generated.losses, strict);
  add_missing_builds(source, spec, found);
  return found;
}

Result<std::optional<Generated>> generate(const SpecSource& source, const LoadedSpec& spec,
                                          const Rendering& rendering,
                                          const render::Blueprints& blueprints,
                                          source::Diagnostics& found) {
  const auto plan = plan::plan(*spec.loaded);
  const auto targets = select_targets(rendering.targets, plan.targets);
  if (!targets) return tl::unexpected(targets.error());
  std::vector<render::Mistake> mistakes;
  render::PatchedFiles patched;
  auto artifacts = render::render(plan, blueprints, *targets, mistakes, &patched);
  if (!artifacts) return tl::unexpected(artifacts.error());
  const render::Asked asked{.plan = plan, .document = spec.loaded->document};
  std::ranges::move(render::unbuilt(asked), std::back_inserter(mistakes));
  std::ranges::move(render::waiver_mistakes(plan), std::back_inserter(mistakes));
  add(mistakes, spec.loaded->document, found);
  if (found.has_errors()) return std::nullopt;
  Generated generated{.artifacts = *std::move(artifacts),
                      .made_from = {.version = CAISSON_VERSION,
                                    .spec_sha256 = spec.sha256,
                                    .environment = rendering.environment,
                                    .blueprints = blueprints.revision(),
                                    .blueprints_commit = blueprints.commit()},
                      .places = render::places(plan, *targets, patched),
                      .losses = render::losses(asked, *targets),
                      .patches = render::patch_text(plan, *targets, locator(spec))};
  if (rendering.environment.empty()) {
    add_idle_waivers(source, spec, found);
    if (targets->has(render::Target::helm) && plan.targets.helm) {
      auto added = add_environments(source, spec, rendering, plan, blueprints, generated, found);
      if (!added) return tl::unexpected(added.error());
    }
  }
  if (found.has_errors()) return std::nullopt;
  return generated;
}

Result<Generated> generate(const SpecSource& source, const LoadedSpec& spec,
                           const Rendering& rendering, const render::Blueprints& blueprints,
                           Console& console) {
  source::Diagnostics found;
  auto generated = generate(source, spec, rendering, blueprints, found);
  console.error(source::render(heard(found, console), spec.sources, source::Format::text,
                               console.colour_error()));
  if (!generated) return tl::unexpected(generated.error());
  if (!*generated) return fail(spec.sources.front().name() + ": " + tally(found));
  return **std::move(generated);
}

}  // namespace caisson::cli

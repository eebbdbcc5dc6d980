#include "generator/render/render.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "generator/render/exposures.h"
#include "generator/render/file_format.h"
#include "generator/render/site.h"
#include "generator/render/targets.h"

namespace caisson::render {

namespace {

using Renderer = Result<Artifacts> (*)(const plan::Plan&, const Index&, const Blueprints&,
                                       Patches&);

/// By `Target`.
constexpr std::array<Renderer, target_names.size()> renderers{
    render_docker, render_compose, render_helm, render_systemd, render_local, render_sdk};

/// Words of a replaced blueprint that the reader of a file would refuse or not read. Those that are
/// shipped are held to the same by tests.
Result<void> check_blueprints(const Artifacts& artifacts) {
  for (const auto& artifact : artifacts) {
    if (artifact.tree == nullptr) continue;
    const auto fault = format_fault(artifact.path, *artifact.tree);
    if (!fault) continue;
    const auto from = origin_at(*artifact.tree, fault->at);
    if (from.kind != Origin::Kind::blueprint) continue;
    return fail(
        "blueprint " + from.at + ": '" + fault->at + "' of '" + artifact.path + "' " + fault->what,
        fault->remedy);
  }
  return {};
}

}  // namespace

const plan::Traced<bool>& wanted(const plan::Targets& targets, Target target) {
  switch (target) {
    case Target::docker:
      return targets.docker;
    case Target::compose:
      return targets.compose;
    case Target::helm:
      return targets.helm;
    case Target::systemd:
      return targets.systemd;
    case Target::local:
      return targets.local;
    case Target::sdk:
      break;
  }
  return targets.sdk;
}

Result<Artifacts> render(const plan::Plan& plan, const Blueprints& blueprints, TargetSet targets) {
  std::vector<Mistake> mistakes;
  auto artifacts = render(plan, blueprints, targets, mistakes);
  const auto error = std::ranges::find(mistakes, source::Severity::error, &Mistake::severity);
  if (artifacts && error != mistakes.end()) return fail(error->message, error->remedy);
  return artifacts;
}

Result<Artifacts> render(const plan::Plan& plan, const Blueprints& blueprints, TargetSet targets,
                         std::vector<Mistake>& mistakes, PatchedFiles* patched) {
  const Index index(plan);
  Patches patches(plan);
  Artifacts artifacts;
  for (std::size_t i = 0; i < renderers.size(); ++i) {
    const auto target = static_cast<Target>(i);
    if (!targets.has(target) || !wanted(plan.targets, target)) continue;
    auto made = renderers.at(i)(plan, index, blueprints, patches);
    if (!made) return made;
    std::ranges::move(*made, std::back_inserter(artifacts));
    patches.finish(target_names.at(i), artifacts);
  }
  if (blueprints.replaced()) {
    if (auto read = check_blueprints(artifacts); !read) return tl::unexpected(read.error());
  }
  mistakes = std::move(patches.mistakes());
  if (patched != nullptr) *patched = std::move(patches.files());
  for (const auto& artifact : artifacts)
    if (artifact.tree != nullptr)
      std::ranges::move(exposures(artifact.path, *artifact.tree), std::back_inserter(mistakes));
  // One value may be in many artifacts.
  std::set<std::pair<std::string, std::string>> seen;
  std::erase_if(mistakes, [&](const Mistake& mistake) {
    return !seen.emplace(mistake.pointer, mistake.message).second;
  });
  std::ranges::sort(artifacts, {}, &Artifact::path);
  return artifacts;
}

}  // namespace caisson::render

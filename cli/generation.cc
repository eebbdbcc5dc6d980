#include "cli/generation.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <CLI/App.hpp>

#include "generator/plan/planner.h"
#include "generator/render/render.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

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

void add_blueprints(CLI::App& app, std::string& directory) {
  app.add_option("--blueprints", directory,
                 "a directory whose files replace blueprints of the same name")
      ->type_name("DIR");
}

Result<render::Blueprints> load_blueprints(const std::string& directory) {
  if (directory.empty()) return render::Blueprints();
  std::vector<std::pair<std::string, std::string>> files;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!entry->is_regular_file()) continue;
    auto text = read_file(entry->path(), "");
    if (!text) return tl::unexpected(text.error());
    files.emplace_back(entry->path().lexically_relative(directory).generic_string(),
                       *std::move(text));
  }
  if (error) return fail("cannot read the blueprints in '" + directory + "': " + error.message());
  std::sort(files.begin(), files.end());
  return render::Blueprints::with(files);
}

Result<Generated> generate(const LoadedSpec& spec, const Rendering& rendering,
                           const render::Blueprints& blueprints) {
  const auto plan = plan::plan(*spec.loaded);
  const auto targets = select_targets(rendering.targets, plan.targets);
  if (!targets) return tl::unexpected(targets.error());
  auto artifacts = render::render(plan, blueprints, *targets);
  if (!artifacts) return tl::unexpected(artifacts.error());
  return Generated{.artifacts = *std::move(artifacts),
                   .made_from = {.version = CAISSON_VERSION,
                                 .spec_sha256 = spec.sha256,
                                 .environment = rendering.environment,
                                 .blueprints = blueprints.revision()},
                   .losses = render::losses(plan, *targets)};
}

}  // namespace caisson::cli

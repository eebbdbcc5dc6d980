#include "generator/render/render.h"

#include <algorithm>
#include <iterator>

#include "generator/render/site.h"
#include "generator/render/targets.h"

namespace caisson::render {

Result<Artifacts> render(const plan::Plan& plan, const Blueprints& blueprints, TargetSet targets) {
  const Index index(plan);
  Patches patches(plan);
  Artifacts artifacts;
  const auto add = [&](std::string_view target, Result<Artifacts> made) -> Result<void> {
    if (!made) return tl::unexpected(made.error());
    std::ranges::move(*made, std::back_inserter(artifacts));
    return patches.finish(target);
  };
  Result<void> done;
  if (done && targets.docker && plan.targets.docker) {
    done = add("docker", render_docker(plan, blueprints));
  }
  if (done && targets.compose && plan.targets.compose) {
    done = add("compose", render_compose(plan, index, blueprints, patches));
  }
  if (done && targets.local && plan.targets.local) {
    done = add("local", render_local(plan, index, blueprints, patches));
  }
  if (!done) return tl::unexpected(done.error());
  std::ranges::sort(artifacts, {}, &Artifact::path);
  return artifacts;
}

}  // namespace caisson::render

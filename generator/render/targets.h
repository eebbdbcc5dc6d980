#pragma once

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/artifact.h"
#include "generator/render/blueprints.h"
#include "generator/render/patches.h"
#include "generator/render/site.h"

namespace caisson::render {

/// Everything below `compose/`: the project, what it mounts, and what its operators read.
[[nodiscard]] Result<Artifacts> render_compose(const plan::Plan& plan, const Index& index,
                                               const Blueprints& blueprints, Patches& patches);

/// Everything below `docker/`: Dockerfiles of the images that the project builds.
[[nodiscard]] Result<Artifacts> render_docker(const plan::Plan& plan, const Index& index,
                                              const Blueprints& blueprints, Patches& patches);

/// Everything below `helm/`: the chart, without the values of other environments (helm.h).
[[nodiscard]] Result<Artifacts> render_helm(const plan::Plan& plan, const Index& index,
                                            const Blueprints& blueprints, Patches& patches);

/// Everything below `systemd/`: units, accounts, directories, configuration and how to install
/// them.
[[nodiscard]] Result<Artifacts> render_systemd(const plan::Plan& plan, const Index& index,
                                               const Blueprints& blueprints, Patches& patches);

/// Everything below `local/`: processes without containers (docs/local.md).
[[nodiscard]] Result<Artifacts> render_local(const plan::Plan& plan, const Index& index,
                                             const Blueprints& blueprints, Patches& patches);

/// Everything below `sdk/`: the OpenAPI document of the data API, and clients made of it.
[[nodiscard]] Result<Artifacts> render_sdk(const plan::Plan& plan, const Index& index,
                                           const Blueprints& blueprints, Patches& patches);

}  // namespace caisson::render

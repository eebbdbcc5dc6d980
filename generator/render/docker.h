#pragma once

#include <string_view>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/blueprints.h"
#include "generator/render/dockerfile.h"

namespace caisson::render {

/// The Dockerfile of one of Caisson's own images: "runtime", "dashboard", "edge" or
/// "certificates". Fails when its
/// blueprint is broken.
[[nodiscard]] Result<Dockerfile> dockerfile(const plan::Plan& plan, const Blueprints& blueprints,
                                            std::string_view image);

}  // namespace caisson::render

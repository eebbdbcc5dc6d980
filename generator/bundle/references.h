#pragma once

#include <string>
#include <vector>

#include "generator/plan/plan.h"
#include "generator/render/artifact.h"

namespace caisson::bundle {

/// The images that the artifacts of these forms run, as they name them: sorted, each once. What a
/// variable may replace is what holds without it.
[[nodiscard]] std::vector<std::string> image_references(const render::Artifacts& artifacts,
                                                        const plan::Plan& plan,
                                                        const std::vector<std::string>& forms);

}  // namespace caisson::bundle

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "generator/image/build.h"
#include "generator/plan/plan.h"
#include "generator/render/blueprints.h"

namespace caisson::cli {

/// SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/), seconds since
/// 1970; none when it is not set.
[[nodiscard]] Result<std::optional<std::int64_t>> source_date();

/// The images of Caisson that the plan runs, with this `caisson-runtime` in them.
[[nodiscard]] Result<std::vector<image::Image>> own_images(const plan::Plan& plan,
                                                           const render::Blueprints& blueprints,
                                                           const std::string& program,
                                                           std::int64_t seconds);

}  // namespace caisson::cli

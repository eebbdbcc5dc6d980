#pragma once

#include <string>
#include <string_view>

#include "generator/plan/plan.h"

namespace caisson::render {

/// What the patches of a plan say of where data are.
struct PlacePatches {
  std::string text{};     ///< ", patched: /name: \"other\"", to stand behind what the plan says
  std::string pointer{};  ///< the first of these patches in the spec
};

/// Those that decide where `target` keeps a volume that the instance mounts; empty when none does.
/// The same patches give the same text.
[[nodiscard]] PlacePatches place_patches(const plan::Plan& plan, std::string_view target,
                                         const plan::Instance& instance, std::string_view volume);

}  // namespace caisson::render

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "generator/plan/plan.h"
#include "generator/render/artifact.h"

namespace caisson::render {

/// A value that a patch changed, and the patch.
template <class T>
struct PatchedValue {
  T value{};
  std::string pointer{};  ///< of the patch in the spec
};

/// What the patches of a plan make of where a target keeps a volume that an instance mounts.
struct PlacePatches {
  std::string text{};     ///< ", patched: /name: \"other\"", to stand behind what the plan says
  std::string pointer{};  ///< the first of these patches in the spec
  /// Of a chart. The text says nothing of them.
  std::optional<PatchedValue<std::string>> namespace_{};
  std::optional<PatchedValue<std::string>> storage_class{};
  std::optional<PatchedValue<std::int64_t>> bytes{};
  std::optional<PatchedValue<std::int64_t>> copies_bytes{};
};

/// Files before and after patches are compared in what decides where the data of the volume are,
/// and whose: a patch that moves nothing says nothing. The same files give the same text.
[[nodiscard]] PlacePatches place_patches(const plan::Plan& plan, const PatchedFiles& files,
                                         std::string_view target, const plan::Instance& instance,
                                         std::string_view volume);

}  // namespace caisson::render

#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "generator/plan/plan.h"
#include "generator/render/artifact.h"
#include "generator/render/mistake.h"

namespace caisson::render {

/// Where a target keeps one volume, and the tenants whose data are in it. The pointers say where
/// the spec decides that; they are empty in what was read from a lock file, and no part of what a
/// place is.
struct Place {
  std::string target;           ///< "compose", "helm" or "systemd"
  std::string environment{};    ///< whose values of the chart; else empty
  std::string volume{};         ///< as the plan names it
  std::string at{};             ///< "acme_runtime-data", "acme/runtime-data-runtime-0", a directory
  std::int64_t bytes = 0;       ///< of the claim; 0: as much as there is
  std::string storage_class{};  ///< of the claim; empty: the cluster's default, or none
  std::vector<std::string> tenants{};

  std::string at_pointer{};
  std::string bytes_pointer{};
  std::string class_pointer{};
  std::vector<std::string> tenant_pointers{};  ///< as `tenants`

  friend bool operator==(const Place& a, const Place& b) {
    return a.target == b.target && a.environment == b.environment && a.volume == b.volume &&
           a.at == b.at && a.bytes == b.bytes && a.storage_class == b.storage_class &&
           a.tenants == b.tenants;
  }
};

/// Sorted by target, environment and volume.
using Places = std::vector<Place>;

/// The places of those targets that keep data from one generation to the next: `local` makes
/// everything anew.
[[nodiscard]] Places places(const plan::Plan& plan, TargetSet targets);

/// Sorts as `Places` are.
void sort(Places& places);

/// What of `now` would be looked for elsewhere than `before` kept it, and volumes that change their
/// size. A tenant or volume whose move is `accepted` ("tenant/globex", "volume/files-data") is no
/// mistake, except for a claim that would shrink.
[[nodiscard]] std::vector<Mistake> place_mistakes(
    const Places& before, const Places& now, const std::set<std::string, std::less<>>& accepted);

}  // namespace caisson::render

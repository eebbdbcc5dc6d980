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
  std::string service{};        ///< whose volume it is, as the spec names it; empty: Caisson's own
  std::string replica_of{};     ///< the tenant that has this replica of the service for itself
  std::vector<std::string> tenants{};
  /// Tenants whose data are here though the spec names them no more. Sorted.
  std::vector<std::string> left{};
  /// Tenants that are served elsewhere since: what is here of them is what they had when they moved
  /// away. Sorted.
  std::vector<std::string> moved{};
  /// Of `tenants`, those whose own domains an Ingress in the namespace of the place has. Empty in
  /// what was read from a lock file, and no part of what a place is.
  std::set<std::string, std::less<>> open{};
  /// A claim of copies: the chart leaves one that is larger than asked for as it is. False in what
  /// was read from a lock file, and no part of what a place is.
  bool copies = false;
  bool gone = false;  ///< the spec has the volume no more; what is in it may still be there

  std::string at_pointer{};
  std::string tenant_pointer{};  ///< of `replica_of`, whose tier says in which namespace it is
  std::string bytes_pointer{};
  std::string class_pointer{};
  std::vector<std::string> tenant_pointers{};  ///< as `tenants`

  friend bool operator==(const Place& a, const Place& b) {
    return a.target == b.target && a.environment == b.environment && a.volume == b.volume &&
           a.at == b.at && a.bytes == b.bytes && a.storage_class == b.storage_class &&
           a.service == b.service && a.replica_of == b.replica_of && a.tenants == b.tenants &&
           a.left == b.left && a.moved == b.moved && a.gone == b.gone;
  }
};

/// Sorted by target, environment and volume.
using Places = std::vector<Place>;

/// The places of those targets that keep data from one generation to the next: `local` makes
/// everything anew. `patched` is what the patches of the plan changed.
[[nodiscard]] Places places(const plan::Plan& plan, TargetSet targets, const PatchedFiles& patched);

/// What somebody takes along or has given up: "tenant/globex", "volume/files-data",
/// "service/files".
using AcceptedMoves = std::set<std::string, std::less<>>;

/// Sorts as `Places` are.
void sort(Places& places);

/// What of `now` would be looked for elsewhere than `before` kept it, and volumes that change their
/// size, but for claims of copies that would be smaller. A tenant or volume whose move is
/// `accepted` ("tenant/globex", "volume/files-data") is no mistake, except for a claim that would
/// shrink and for a tenant whose own domains an Ingress would have in two namespaces while the
/// chart is upgraded.
[[nodiscard]] std::vector<Mistake> place_mistakes(const Places& before, const Places& now,
                                                  const AcceptedMoves& accepted);

/// What of `before` nothing serves or mounts any more, and where its data stay: a warning for each
/// target that is off (or keeps no data at all any more), for each volume, and for the tenants that
/// left together. Said once: not of what `before` has as left, nor of what is `accepted`, nor of
/// targets other than `targets` (all, when there are none).
[[nodiscard]] std::vector<Mistake> left_data(const Places& before, const Places& now,
                                             const AcceptedMoves& accepted,
                                             const std::set<std::string, std::less<>>& targets);

/// `now` with what `before` kept and the spec names no more: data outlive their tenant or volume
/// there, so that whoever brings it back is told when it would be looked for elsewhere, or when
/// what is there is older than what is elsewhere. What is `accepted` is forgotten, but not the data
/// of a tenant on a target that is off while it moves on others.
[[nodiscard]] Places remember(const Places& before, Places now, const AcceptedMoves& accepted);

}  // namespace caisson::render

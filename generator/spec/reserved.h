#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace caisson::spec {

/// Names that Caisson gives to what it puts into a stack itself, beside those that follow from a
/// tenant's slug ("runtime-<slug>"). No service and no secret of a spec may have them; a test of
/// the plan holds the lists against what is planned.
inline constexpr std::array<std::string_view, 10> own_instances{
    "runtime", "dashboard",  "edge",     "certificates", "database",
    "cache",   "prometheus", "blackbox", "alertmanager", "grafana"};

inline constexpr std::array<std::string_view, 6> own_secrets{
    "operator-token", "auth-jwks",    "edge-certificate",
    "edge-key",       "edge-ca-root", "grafana-admin-password"};

template <class Names>
[[nodiscard]] constexpr bool is_one_of(std::string_view name, const Names& names) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace caisson::spec

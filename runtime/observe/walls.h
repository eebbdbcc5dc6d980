#pragma once

#include <cstdint>

namespace caisson {

/// The walls between tenants that `caisson prove` takes down, one at a time, to show that a
/// conformance probe notices. In the shipped program every wall stands: `is_down` is a constant and
/// the compiler removes the branch. Only the separately built `caisson-runtime-sabotaged`
/// (CAISSON_SABOTAGE defined) reads the wall's name from the environment variable CAISSON_SABOTAGE.
enum class Wall : std::uint8_t {
  trust_tenant_header,   // ID1
  last_header_wins,      // ID2
  unknown_is_default,    // ID6
  accept_alg_none,       // ID8
  hmac_with_public_key,  // ID9
  skip_tenant_claim,     // ID13
  cache_by_raw_key,      // ID15
  drop_scope,            // DB1, DB2: every tenant's actor uses one store
  no_path_check,         // DB16
  operator_everywhere,   // NW8
  stack_traces,          // OB4
  public_tenant_labels,  // OB1
  one_limiter,           // NN1
  suspend_at_login,      // LC1
  keep_volume,           // LC2, LC3
  foreign_restore,       // LC6
  id_oracle,             // SC1: another tenant's id answers differently from an unknown one
  one_feed,              // WF1: every tenant watches one feed
  sockets_outlive,       // WF2: an open socket asks no more about its credential and its tenant
  any_origin,            // WF3
  endless_sockets,       // WF4
};

#ifdef CAISSON_SABOTAGE
[[nodiscard]] bool is_down(Wall wall) noexcept;
#else
[[nodiscard]] constexpr bool is_down(Wall) noexcept { return false; }
#endif

}  // namespace caisson

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/observe/audit.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/tenants.h"

namespace caisson::admin {

/// Gives every act that an earlier process had begun, and whose outcome it did not come to record,
/// that outcome: registry and stores say what became of it, `unknown` where they cannot. Call it at
/// the start, when `tenants` has resumed or undone what was half done, and before anything else
/// changes, also before anything is purged. Returns how many
/// there were.
std::size_t settle(observe::Audit& audit, const tenancy::Registry& registry,
                   tenancy::Tenants& tenants);

/// The action under which the tenants of the configuration are applied at the start.
inline constexpr std::string_view apply_action = "tenants.apply";

/// Records what applying the configuration did to these tenants.
void record_applied(observe::Audit& audit, std::string_view action,
                    const std::vector<tenancy::TenantPtr>& tenants);
/// Records, with those that they were taken from, which domains it gave to others.
void record_taken(observe::Audit& audit, const std::vector<tenancy::TakenDomain>& taken);

/// What the audit log says of the domains that a tenant gives up when it is deleted; empty when it
/// has none.
[[nodiscard]] std::string domains_given_up(const tenancy::Tenant& tenant);

}  // namespace caisson::admin

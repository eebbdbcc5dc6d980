#pragma once

#include <cstddef>

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

}  // namespace caisson::admin

#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "runtime/storage/database.h"
#include "runtime/storage/store.h"
#include "runtime/tenancy/registry.h"

namespace caisson::tenancy {

/// The tables of registry.db, version by version.
[[nodiscard]] std::span<const storage::Migration> registry_schema();

/// From id, slug, name, owner, tier, status, deployment_url, limits, metadata, created, updated,
/// has_store, configured_status, configured_limits, synthetic_until, in this order. The limits are
/// the tenant's own; domains have their own table, and limits in force need the tier.
[[nodiscard]] Tenant tenant_from_row(const storage::Statement& row);

/// From id, tenant, name, scopes, hash, created, expires, revoked, in this order.
[[nodiscard]] ApiKey key_from_row(const storage::Statement& row);

/// One JSON object; only the limits that are set.
[[nodiscard]] std::string limits_text(const Limits& limits);
[[nodiscard]] Limits limits_from_text(std::string_view text);
[[nodiscard]] std::string metadata_text(const std::map<std::string, std::string>& metadata);
[[nodiscard]] std::string scopes_text(std::span<const std::string> scopes);

/// Takes on what `spec` says, but for status and limits, which are told apart by who said them.
void describe(Tenant& tenant, const TenantSpec& spec);

/// Gives a tenant what its tier says: isolation, retention, and the limits that are not its own.
void apply_tier(Tenant& tenant, const Tiers& tiers);

/// What is wrong with a tenant's values, its own limits among them; nothing when all is well.
[[nodiscard]] std::optional<LifecycleError> defect_of(const Tenant& tenant, const Tiers& tiers);

}  // namespace caisson::tenancy

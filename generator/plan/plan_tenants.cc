#include <unordered_map>

#include "generator/plan/draft.h"

namespace caisson::plan {

namespace {

/// The limits that `from` sets, as `trace(value, name)` remembers where each was written.
template <class Trace>
void lay_over(Limits& to, const spec::Limits& from, const Trace& trace) {
  if (from.requests) to.requests_per_second = trace(from.requests->per_second, "requests");
  if (from.burst) to.burst = trace(*from.burst, "burst");
  if (from.concurrent) to.concurrent = trace(*from.concurrent, "concurrent");
  if (from.body) to.body_bytes = trace(from.body->count, "body");
  if (from.storage) to.storage_bytes = trace(from.storage->count, "storage");
  if (from.queue) to.queue_messages = trace(*from.queue, "queue");
  if (from.sockets) to.sockets = trace(*from.sockets, "sockets");
  if (from.egress_connections) {
    to.egress_connections = trace(*from.egress_connections, "egress-connections");
  }
}

}  // namespace

void plan_tenants(Draft& draft) {
  const auto& spec = draft.spec();
  auto& plan = draft.plan;
  const auto engine = static_cast<Database::Engine>(spec.database.engine);

  std::unordered_map<std::string_view, std::size_t> tiers;
  for (const auto& [name, from] : spec.tiers) {
    const auto at = below("/tiers", name);
    const auto asked = static_cast<Isolation>(from.isolation);
    Tier tier{.name = name,
              .isolation = draft.trace(asked, at + "/isolation"),
              .provided = provided(asked, engine),
              .retention_ms = draft.trace(from.retention.ms, at + "/retention"),
              .limits = {},
              .origin = draft.origin(at)};
    lay_over(tier.limits, from.limits, [&](auto value, const char* limit) {
      return draft.trace(value, at + "/limits/" + limit);
    });
    tiers.emplace(name, plan.tiers.size());
    plan.tiers.push_back(std::move(tier));
  }

  plan.tenants.reserve(spec.tenants.size());
  for (const auto& from : spec.tenants) {
    const auto found = tiers.find(from.tier);
    if (found == tiers.end()) continue;  // a right spec has no such tenant
    const auto& tier = plan.tiers[found->second];
    const Origin origin{Origin::Kind::spec, from.pointer};
    TenantPlacement tenant{.slug = from.slug,
                           .name = from.name,
                           .tier = from.tier,
                           .owner = from.owner,
                           .suspended = from.status == spec::Tenant::Status::suspended,
                           .isolation = tier.isolation,
                           .provided = tier.provided,
                           .instance = {},
                           .host = from.slug + "." + spec.domain,
                           .domains = from.domains,
                           .limits = tier.limits,
                           .retention_ms = tier.retention_ms,
                           .origin = origin};
    lay_over(tenant.limits, from.limits, [&](auto value, const char* limit) {
      return Traced<decltype(value)>{value,
                                     {Origin::Kind::spec, from.pointer + "/limits/" + limit}};
    });
    plan.tenants.push_back(std::move(tenant));
  }
}

}  // namespace caisson::plan

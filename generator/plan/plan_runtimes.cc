#include <algorithm>

#include "generator/plan/draft.h"

namespace caisson::plan {

namespace {

/// Between the drain and the kill: time to close stores.
constexpr std::int64_t close_ms = 5'000;

/// A runtime instance without its place: `tenant` names the one it belongs to, or nobody.
Instance runtime(Draft& draft, const std::optional<std::string>& tenant, Origin origin) {
  const auto& from = draft.spec().runtime;
  auto& plan = draft.plan;
  const auto suffix = [&](std::string_view base) {
    return tenant ? derived_name({base, *tenant}) : std::string(base);
  };

  Instance to{.name = draft.instance_names.take(suffix("runtime")),
              .role = Role::runtime,
              .tenant = tenant,
              .image = draft.trace(from.image.reference, "/runtime/image"),
              .command = {"serve", "--config", "/etc/caisson/runtime.json"},
              .resources = resources(draft, from.resources, "/runtime/resources"),
              .env = environment(draft, from.env, "/runtime/env"),
              .stop_grace_ms = from.drain.ms + close_ms,
              .origin = std::move(origin)};
  to.health = Health{.kind = Health::Kind::runtime_command,
                     .command = {"health", "--config", "/etc/caisson/runtime.json"},
                     .interval_ms = own_health_interval_ms};
  // A tenant's own runtime has one writer whatever the shared one has: its store is its own.
  to.replicas = draft.trace(tenant ? Replicas{} : Replicas{from.replicas.min, from.replicas.max},
                            "/runtime/replicas");

  const auto volume = draft.volume_names.take(derived_name({to.name, "data"}));
  plan.volumes.push_back({.name = volume,
                          .size_bytes = draft.trace(from.storage.count, "/runtime/storage"),
                          .tenant = tenant,
                          .origin = to.origin});
  to.volumes.push_back({.volume = volume, .path = "/var/lib/caisson"});
  to.configs.push_back({.config = to.name + ".json", .path = "/etc/caisson/runtime.json"});

  to.operator_token = draft.secret_names.take(suffix("operator-token"));
  plan.secrets.push_back(
      {.name = to.operator_token, .tenant = tenant, .internal = true, .origin = to.origin});
  to.secrets.push_back({to.operator_token, "/run/secrets/" + to.operator_token});
  for (const auto* secret :
       {&plan.auth.key_secret, &plan.database.password, &plan.cache.password}) {
    if (!secret->empty()) to.secrets.push_back({*secret, "/run/secrets/" + *secret});
  }

  const auto network = [&](std::string_view base, std::string purpose, bool internal = true) {
    plan.networks.push_back({.name = draft.network_names.take(suffix(base)),
                             .internal = internal,
                             .tenant = tenant,
                             .purpose = std::move(purpose),
                             .origin = to.origin});
    to.networks.push_back(plan.networks.back().name);
    return plan.networks.back().name;
  };
  network(tenant ? "tenant" : "front",
          tenant ? "the edge and the runtime of tenant " + *tenant + ", nobody else's"
                 : "the edge, the shared runtime and the dashboard");
  const auto operators =
      network("operator", "the operator API of " + to.name + "; the edge is not on it");
  if (!plan.database.instance.empty() || !plan.cache.instance.empty()) {
    const auto data = network("data", "what " + to.name + " stores in");
    for (auto& store : plan.instances) {
      if (store.role == Role::database || store.role == Role::cache) store.networks.push_back(data);
    }
  }
  if (!plan.egress.allowed.empty()) {
    network("egress", "what " + to.name + " may reach outside", false);
    to.egress = plan.egress.allowed;
  }

  to.ports = {
      {.name = "data", .number = {8080, derived("/runtime")}, .purpose = Port::Purpose::data},
      {.name = "operator",
       .number = {9090, derived("/runtime")},
       .purpose = Port::Purpose::operator_api,
       .network = operators}};
  if (plan.observability.metrics.value) {
    const Origin why = derived("/observability/metrics");
    to.ports.push_back(
        {.name = "metrics",
         .number = {9091, why},
         .purpose = Port::Purpose::metrics,
         .network = network("metrics", "the metrics of " + to.name + "; Prometheus asks here")});
  }
  for (const auto* store : {&plan.database.instance, &plan.cache.instance}) {
    if (!store->empty()) to.needs.push_back(*store);
  }
  return to;
}

}  // namespace

void plan_runtimes(Draft& draft) {
  auto& plan = draft.plan;
  const bool pooled = std::ranges::any_of(
      plan.tiers, [](const Tier& tier) { return tier.isolation != Isolation::deployment; });
  std::string shared;
  if (pooled || plan.tiers.empty()) {
    plan.instances.push_back(runtime(draft, std::nullopt, draft.origin("/runtime")));
    shared = plan.instances.back().name;
  }
  for (auto& tenant : plan.tenants) {
    if (tenant.isolation == Isolation::deployment) {
      plan.instances.push_back(runtime(draft, tenant.slug, derived(tenant.origin.pointer)));
      tenant.instance = plan.instances.back().name;
    } else {
      tenant.instance = shared;
    }
  }
}

}  // namespace caisson::plan

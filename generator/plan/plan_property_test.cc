#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "generator/plan/plan_testing.h"

namespace caisson::plan {
namespace {

/// A right spec with a random shape.
std::string random_spec() {
  const auto any = [](int low, int high) { return *rc::gen::inRange(low, high); };
  const auto flag = [] { return *rc::gen::arbitrary<bool>(); };
  constexpr std::array<const char*, 4> isolations{"row", "schema", "database", "deployment"};
  const int tiers = any(1, 4);
  const bool postgres = flag();
  std::string yaml = "caisson: v1\nname: shop\nversion: 1.0.0\ntiers:\n";
  for (int i = 0; i < tiers; ++i) {
    yaml += "  tier" + std::to_string(i) +
            ": { isolation: " + isolations[static_cast<std::size_t>(any(0, 4))] + " }\n";
  }
  const int tenants = any(0, 6);
  yaml += tenants == 0 ? "tenants: []\n" : "tenants:\n";
  for (int i = 0; i < tenants; ++i) {
    yaml += "  - { slug: t" + std::to_string(i) + ", tier: tier" + std::to_string(any(0, tiers)) +
            (flag() ? ", status: suspended" : "") +
            (flag() ? ", domains: [t" + std::to_string(i) + ".example]" : "") + " }\n";
  }
  if (postgres) yaml += "database: { engine: postgres }\n";
  const bool cache = flag();
  if (cache) yaml += "cache: { engine: redis }\n";
  if (flag()) yaml += "dashboard: false\n";
  if (flag()) yaml += "network: { egress: [api.example:443] }\n";
  const int services = any(0, 4);
  if (services > 0) yaml += "services:\n";
  for (int i = 0; i < services; ++i) {
    std::string needs;
    for (int earlier = 0; earlier < i; ++earlier) {
      if (flag()) needs += (needs.empty() ? "" : ", ") + ("s" + std::to_string(earlier));
    }
    if (cache && flag()) needs += needs.empty() ? "cache" : ", cache";
    if (postgres && flag()) needs += needs.empty() ? "database" : ", database";
    yaml += "  s" + std::to_string(i) + ": { image: \"r.example/s@sha256:" + std::string(64, '1') +
            "\", port: " + std::to_string(8000 + i) +
            (needs.empty() ? "" : ", needs: [" + needs + "]") +
            (flag() ? ", egress: [api.example:443]" : "") +
            (flag() ? ", replica-per-tenant: true" : "") + " }\n";
  }
  return yaml;
}

bool is_label(const std::string& name) {
  return !name.empty() && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

template <class Things>
std::set<std::string> unique_names(const Things& things) {
  std::set<std::string> names;
  for (const auto& thing : things) {
    RC_ASSERT(is_label(thing.name));
    RC_ASSERT(names.insert(thing.name).second);
  }
  return names;
}

RC_GTEST_PROP(PlanInvariants, EveryNameIsUniqueAndEveryReferenceResolves, ()) {
  const auto plan = plan_of(random_spec()).plan;
  const auto instances = unique_names(plan.instances);
  const auto networks = unique_names(plan.networks);
  const auto volumes = unique_names(plan.volumes);
  const auto secrets = unique_names(plan.secrets);
  for (const auto& instance : plan.instances) {
    RC_ASSERT(!instance.networks.empty());
    for (const auto& name : instance.networks) RC_ASSERT(networks.contains(name));
    for (const auto& name : instance.needs) RC_ASSERT(instances.contains(name));
    for (const auto& mount : instance.volumes) RC_ASSERT(volumes.contains(mount.volume));
    for (const auto& mount : instance.secrets) RC_ASSERT(secrets.contains(mount.secret));
    const std::set<std::string> distinct(instance.networks.begin(), instance.networks.end());
    RC_ASSERT(distinct.size() == instance.networks.size());
    for (const auto& port : instance.ports) {
      RC_ASSERT(port.network.empty() || distinct.contains(port.network));
    }
  }
  for (const auto& route : plan.routes) {
    const auto* instance = plan.instance(route.instance);
    RC_ASSERT(instance != nullptr);
    RC_ASSERT(std::ranges::any_of(instance->ports, [&](const Port& port) {
      return port.name == route.port && port.purpose != Port::Purpose::operator_api;
    }));
  }
}

bool is_observer(const Instance& instance) {
  return instance.role == Role::prometheus || instance.role == Role::alertmanager ||
         instance.role == Role::blackbox || instance.role == Role::grafana;
}

RC_GTEST_PROP(PlanInvariants, WallsStand, ()) {
  const auto plan = plan_of(random_spec()).plan;
  std::map<std::string, std::vector<const Instance*>> members;
  for (const auto& instance : plan.instances) {
    for (const auto& network : instance.networks) members[network].push_back(&instance);
    for (const auto& port : instance.ports) {
      RC_ASSERT(!port.published || instance.role == Role::edge);
    }
    // What leaves the host was asked for, is the edge, or tells somebody that something is wrong.
    for (const auto& name : instance.networks) {
      const auto network = std::ranges::find(plan.networks, name, &Network::name);
      const bool leaves = instance.role == Role::edge || instance.role == Role::certificates ||
                          instance.role == Role::alertmanager || !instance.egress.empty();
      RC_ASSERT(network->internal || leaves);
    }
  }
  for (const auto& network : plan.networks) {
    const auto& on_it = members[network.name];
    const auto runtimes = std::ranges::count(on_it, Role::runtime, &Instance::role);
    RC_ASSERT(runtimes <= 1);
    for (const auto* instance : on_it) {
      if (network.tenant && instance->tenant) RC_ASSERT(*instance->tenant == *network.tenant);
      for (const auto& port : instance->ports) {
        if (port.network != network.name) continue;
        const bool operators = port.purpose == Port::Purpose::operator_api;
        for (const auto* other : on_it) {
          RC_ASSERT(other == instance || other->role == Role::prometheus ||
                    (!operators && is_observer(*other)));
        }
      }
    }
  }
  // An operator token opens one instance.
  std::set<std::string> tokens;
  for (const auto& instance : plan.instances) {
    if (instance.role == Role::runtime) RC_ASSERT(tokens.insert(instance.operator_token).second);
  }
  for (const auto& instance : plan.instances) {
    for (const auto& mount : instance.secrets) {
      RC_ASSERT(!tokens.contains(mount.secret) || mount.secret == instance.operator_token);
    }
  }
}

RC_GTEST_PROP(PlanInvariants, TenantsGetAtLeastTheIsolationTheyAskFor, ()) {
  const auto plan = plan_of(random_spec()).plan;
  for (const auto& tenant : plan.tenants) {
    RC_ASSERT(tenant.provided >= tenant.isolation);
    const auto* instance = plan.instance(tenant.instance);
    RC_ASSERT(instance != nullptr);
    const bool own = tenant.isolation == Isolation::deployment;
    RC_ASSERT(instance->tenant.has_value() == own);
    if (own) RC_ASSERT(*instance->tenant == tenant.slug);
  }
}

}  // namespace
}  // namespace caisson::plan

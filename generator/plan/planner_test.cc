#include "generator/plan/planner.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/plan/names.h"
#include "generator/plan/plan_testing.h"
#include "generator/spec/reserved.h"

namespace caisson::plan {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> names(const Plan& plan) {
  std::vector<std::string> names;
  names.reserve(plan.instances.size());
  for (const auto& instance : plan.instances) names.push_back(instance.name);
  return names;
}

const Secret* secret(const Plan& plan, std::string_view name) {
  for (const auto& candidate : plan.secrets) {
    if (candidate.name == name) return &candidate;
  }
  return nullptr;
}

std::string destination(const Plan& plan, std::string_view host, std::string_view path) {
  for (const auto& route : plan.routes) {
    if (route.host == host && path.starts_with(route.path_prefix)) return route.instance;
  }
  return {};
}

TEST(Plan, GivesTheQuickstartASharedRuntimeAndOneForTheTenantThatPaysForIt) {
  const auto plan = example("quickstart").plan;
  EXPECT_THAT(names(plan), ElementsAre("runtime", "runtime-umbrella", "dashboard", "edge",
                                       "blackbox", "prometheus", "grafana"));
  EXPECT_EQ(plan.domain.value, "acme.localhost");
  EXPECT_EQ(plan.domain.origin, (Origin{Origin::Kind::derived, "/name"}));
  EXPECT_EQ(plan.version.origin, (Origin{Origin::Kind::spec, "/version"}));

  const auto* globex = plan.tenant("globex");
  ASSERT_NE(globex, nullptr);
  EXPECT_EQ(globex->instance, "runtime");
  EXPECT_EQ(globex->host, "globex.acme.localhost");
  EXPECT_EQ(globex->isolation, Isolation::schema);
  EXPECT_EQ(globex->provided, Isolation::database);
  ASSERT_TRUE(globex->limits.requests_per_second);
  EXPECT_DOUBLE_EQ(globex->limits.requests_per_second->value, 50);
  EXPECT_EQ(globex->limits.requests_per_second->origin,
            (Origin{Origin::Kind::spec, "/tiers/free/limits/requests"}));

  const auto* umbrella = plan.instance("runtime-umbrella");
  ASSERT_NE(umbrella, nullptr);
  EXPECT_EQ(umbrella->tenant, "umbrella");
  EXPECT_THAT(umbrella->networks,
              ElementsAre("tenant-umbrella", "operator-umbrella", "metrics-umbrella"));
  EXPECT_EQ(umbrella->volumes.front().volume, "runtime-umbrella-data");
  EXPECT_EQ(umbrella->operator_token, "operator-token-umbrella");
  EXPECT_EQ(umbrella->origin, (Origin{Origin::Kind::derived, "/tenants/2"}));
  ASSERT_NE(secret(plan, "operator-token-umbrella"), nullptr);
  EXPECT_EQ(secret(plan, "operator-token-umbrella")->tenant, "umbrella");
}

TEST(Plan, RoutesTenantsToTheirRuntimeAndDashboardsToTheDashboard) {
  const auto plan = example("quickstart").plan;
  EXPECT_EQ(destination(plan, "globex.acme.localhost", "/v1/whoami"), "runtime");
  EXPECT_EQ(destination(plan, "umbrella.acme.localhost", "/v1/whoami"), "runtime-umbrella");
  EXPECT_EQ(destination(plan, "umbrella.acme.localhost", "/dashboard/"), "dashboard");
  EXPECT_EQ(destination(plan, "acme.localhost", "/"), "dashboard");
  EXPECT_EQ(destination(plan, "*.acme.localhost", "/v1/whoami"), "runtime");
  EXPECT_EQ(destination(plan, "*", "/v1/whoami"), "runtime");
  EXPECT_THAT(plan.edge.hidden, ElementsAre("/ask", "/livez", "/readyz"));
}

TEST(Plan, RoutesOwnDomains) {
  const auto plan = example("agentik").plan;
  EXPECT_EQ(destination(plan, "agents.northwind.example", "/v1/whoami"), "runtime");
  EXPECT_EQ(plan.edge.email.value, "ops@agentik.example.com");
}

TEST(Plan, OffersMetricsOnlyWhenTheyAreWanted) {
  const std::string spec =
      "caisson: v1\nname: acme\nversion: 1.0.0\ndomain: acme.localhost\ntenants: []\n";
  for (const auto* wanted : {"true", "false"}) {
    const auto plan = plan_of(spec + "observability: { metrics: " + wanted + " }\n").plan;
    const auto* runtime = plan.instance("runtime");
    ASSERT_NE(runtime, nullptr);
    const auto offered = std::ranges::count(runtime->ports, Port::Purpose::metrics, &Port::purpose);
    EXPECT_EQ(offered, wanted == std::string_view("true") ? 1 : 0) << wanted;
  }
}

TEST(Plan, KeepsTheEdgeOffOperatorNetworks) {
  const auto plan = example("agentik").plan;
  const auto* edge = plan.instance("edge");
  ASSERT_NE(edge, nullptr);
  for (const auto& instance : plan.instances) {
    for (const auto& port : instance.ports) {
      const bool watched = port.purpose == Port::Purpose::metrics && &instance != edge;
      if (port.purpose != Port::Purpose::operator_api && !watched) continue;
      EXPECT_FALSE(port.network.empty());
      EXPECT_THAT(edge->networks, Not(Contains(port.network)));
      EXPECT_FALSE(port.published);
    }
  }
}

TEST(Plan, ConnectsServicesWithWhatTheyNeedAndNothingElse) {
  const auto plan = example("devtools").plan;
  const auto* events = plan.instance("events");
  const auto* web = plan.instance("web");
  ASSERT_NE(events, nullptr);
  ASSERT_NE(web, nullptr);
  EXPECT_THAT(events->needs, ElementsAre("database", "cache"));
  EXPECT_THAT(events->networks, ElementsAre("egress-events", "services", "data"));
  EXPECT_THAT(web->needs, ElementsAre("events"));
  EXPECT_THAT(web->networks, ElementsAre("services"));
  EXPECT_THAT(web->egress, IsEmpty());
  ASSERT_TRUE(web->health);
  EXPECT_EQ(web->health->kind, Health::Kind::tcp);
  EXPECT_EQ(plan.tenant("demo")->provided, Isolation::schema);
  EXPECT_EQ(plan.auth.key_secret, "auth-jwks");
  // The runtime's own role is not the server's superuser.
  EXPECT_NE(secret(plan, "database-admin-password"), nullptr);
  EXPECT_EQ(plan.database.user, "caisson");
}

/// Nothing that Caisson puts into a stack may have to give way to a name of the spec.
TEST(Plan, TakesItsOwnNamesFromTheListsThatAreReserved) {
  std::set<std::string_view> instances;
  std::set<std::string_view> secrets;
  for (const auto* name : {"quickstart", "agentik", "devtools", "nginx"}) {
    const auto planned = example(name);
    for (const auto& instance : planned.plan.instances) {
      if (instance.role == Role::service) continue;
      if (instance.tenant) {
        EXPECT_EQ(instance.name, "runtime-" + *instance.tenant);
        continue;
      }
      EXPECT_TRUE(spec::is_one_of(instance.name, spec::own_instances)) << instance.name;
      instances.insert(*std::ranges::find(spec::own_instances, instance.name));
    }
    for (const auto& made : planned.plan.secrets) {
      // Stores are planned and not generated: their passwords are nobody's yet.
      const bool of_store = made.name.starts_with("database-") || made.name.starts_with("cache-");
      if (!made.internal || made.tenant || of_store) continue;
      EXPECT_TRUE(spec::is_one_of(made.name, spec::own_secrets)) << made.name;
      secrets.insert(*std::ranges::find(spec::own_secrets, made.name));
    }
  }
  EXPECT_EQ(instances.size(), spec::own_instances.size());
  EXPECT_GE(secrets.size(), 3U);
}

TEST(Plan, AnEnvironmentMovesATenantIntoItsOwnDeployment) {
  const auto plan = example("devtools", "demo").plan;
  EXPECT_EQ(plan.tenant("big-co")->instance, "runtime-big-co");
  EXPECT_EQ(plan.instance("database"), nullptr);
  EXPECT_EQ(plan.database.engine.value, Database::Engine::sqlite);
  // The services meet each runtime on its own network, so that the runtimes share none.
  EXPECT_THAT(plan.instance("web")->networks, ElementsAre("services", "tenant-big-co"));
}

TEST(Plan, RunsAServicePerTenantBesideThatTenantsRuntime) {
  const auto plan = plan_of(R"(caisson: v1
name: shop
version: 1.0.0
tiers:
  pooled: { isolation: schema }
  own: { isolation: deployment }
tenants:
  - { slug: one, tier: pooled }
  - { slug: two, tier: own }
services:
  worker: { image: "r.example/w@sha256:1111111111111111111111111111111111111111111111111111111111111111", port: 80, replica-per-tenant: true }
)")
                        .plan;
  ASSERT_NE(plan.instance("worker-one"), nullptr);
  EXPECT_THAT(plan.instance("worker-one")->networks, ElementsAre("services"));
  EXPECT_THAT(plan.instance("worker-two")->networks, ElementsAre("tenant-two"));
  EXPECT_EQ(plan.instance("worker"), nullptr);
}

TEST(Plan, WithoutPooledTiersThereIsNoSharedRuntime) {
  const auto plan = plan_of(R"(caisson: v1
name: shop
version: 1.0.0
tiers: { own: { isolation: deployment } }
tenants: [ { slug: two, tier: own } ]
dashboard: false
)")
                        .plan;
  EXPECT_EQ(plan.instance("runtime"), nullptr);
  EXPECT_NE(plan.instance("runtime-two"), nullptr);
  EXPECT_EQ(plan.instance("dashboard"), nullptr);
  EXPECT_EQ(destination(plan, "*", "/"), "");
}

TEST(Plan, StaysLinearWithTenThousandTenantsWithDeploymentsOfTheirOwn) {
  std::string yaml =
      "caisson: v1\nname: big\nversion: 1.0.0\ntiers: { own: { isolation: deployment } }\n"
      "tenants:\n";
  for (int i = 0; i < 10000; ++i) yaml += "  - { slug: t" + std::to_string(i) + ", tier: own }\n";
  const auto plan = plan_of(yaml).plan;
  EXPECT_EQ(plan.tenants.size(), 10000U);
  EXPECT_EQ(plan.tenants.back().instance, "runtime-t9999");
  EXPECT_EQ(plan.secrets.size(), 10001U) << "one each, and Grafana's";
}

TEST(DerivedName, IsADnsLabelAndStaysDistinctWhenCut) {
  const std::string longest(40, 'a');
  EXPECT_EQ(derived_name({"runtime", "x"}), "runtime-x");
  const auto one = derived_name({longest, longest + "b"});
  const auto two = derived_name({longest, longest + "c"});
  EXPECT_LE(one.size(), longest_name);
  EXPECT_NE(one, two);
}

TEST(Names, NumbersWhatIsTaken) {
  Names names;
  EXPECT_EQ(names.take("edge"), "edge");
  EXPECT_EQ(names.take("edge"), "edge-2");
  EXPECT_EQ(names.take("edge"), "edge-3");
}

}  // namespace
}  // namespace caisson::plan

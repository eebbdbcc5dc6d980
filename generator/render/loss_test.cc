#include "generator/render/loss.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/plan/plan_testing.h"
#include "generator/render/unbuilt.h"

namespace caisson::render {
namespace {

using testing::HasSubstr;
using testing::Not;

const Loss* find(const std::vector<Loss>& losses, std::string_view target, std::string_view field) {
  const auto found = std::ranges::find_if(
      losses, [&](const Loss& loss) { return loss.target == target && loss.field == field; });
  return found == losses.end() ? nullptr : &*found;
}

plan::Planned planned(const std::string& more) {
  return plan::plan_of("caisson: v1\nname: shop\nversion: 1.0.0\n" + more, {},
                       std::string(CAISSON_SOURCE_DIR) + "/specs/valid");
}

TEST(LossTable, HasEveryFieldThatHoldsAValueOnceAndNoOther) {
  std::vector<std::string> fields;
  for (const auto& row : loss_table()) fields.emplace_back(row.field);
  std::ranges::sort(fields);
  EXPECT_EQ(fields, spec::value_fields());
  EXPECT_GT(fields.size(), 190U);
}

TEST(LossTable, SaysOfEveryFieldAndTargetWhatKeepsItOrWhatHappensInstead) {
  for (const auto& row : loss_table()) {
    bool kept = false;
    for (const auto& cell : row.cells) {
      EXPECT_NE(cell.support, Support::unsaid) << row.field;
      kept |= cell.support == Support::honoured;
      const bool needs_reason = cell.support == Support::approximated ||
                                cell.support == Support::ignored ||
                                cell.support == Support::refused;
      EXPECT_TRUE(!needs_reason || !cell.reason.empty()) << row.field;
    }
    EXPECT_TRUE(!kept || !row.by.empty()) << row.field << " is kept by nobody";
  }
}

/// Whether the reference says it of the field, or of what it is part of.
bool reference_says(std::string_view field, std::string_view words) {
  for (;; field = field.substr(0, field.rfind('.'))) {
    const auto told = spec::explain_field(field);
    if (told && told->substr(0, told->find('\n')).ends_with(words)) return true;
    if (field.find('.') == std::string_view::npos) return false;
  }
}

/// The reference and `caisson explain` promise no more than the table.
TEST(LossTable, IsKnownToTheReferenceWhereNothingDoesAField) {
  std::size_t undone = 0;
  for (const auto& row : loss_table()) {
    const bool ignored = std::ranges::any_of(
        row.cells, [](const Cell& cell) { return cell.support == Support::ignored; });
    if (!ignored || !row.by.empty()) continue;
    ++undone;
    EXPECT_TRUE(reference_says(row.field, "; nothing does it yet")) << row.field;
  }
  EXPECT_GE(undone, 10U);
}

/// What the table refuses, `caisson generate` refuses: the reference says so, and each such field
/// is an error of its own beside an engine that there is.
TEST(LossTable, IsKeptWhereItRefuses) {
  const std::string server =
      "{ host: db.example, port: 5432, name: shop, user: shop, password: key, tls: require }";
  const auto all = planned(
      "tenants: []\nsecrets: { key: { from: generate } }\n"
      "database: { engine: sqlite, version: 16, storage: 1Gi, pool: 3,\n"
      "            resources: { cpu: 1, memory: 1Gi }, external: " +
      server +
      " }\n"
      "cache: { engine: none, persistence: true, external: " +
      server + " }\n");
  std::vector<std::string> refused;
  for (const auto& mistake : unbuilt({.plan = all.plan, .document = all.loaded.document})) {
    EXPECT_EQ(mistake.code, "E0309");
    refused.push_back(mistake.message.substr(0, mistake.message.find(':')));
    auto pointer = "/" + refused.back();
    std::ranges::replace(pointer, '.', '/');
    EXPECT_EQ(mistake.pointer, pointer);
    EXPECT_TRUE(mistake.remedy.ends_with(pointer.starts_with("/cache") ? "'cache: none'"
                                                                       : "'database: sqlite'"));
    EXPECT_TRUE(reference_says(refused.back(), "; nothing can be generated with it yet"))
        << refused.back();
  }
  std::vector<std::string> rows;
  for (const auto& row : loss_table()) {
    if (std::ranges::any_of(row.cells, [](const Cell& c) { return c.support == Support::refused; }))
      rows.emplace_back(row.field);
  }
  EXPECT_EQ(refused, rows);
  EXPECT_GE(rows.size(), 18U);
}

TEST(LossTable, IsTheOneInTheDocuments) {
  const auto path = std::string(CAISSON_SOURCE_DIR) + "/docs/support.md";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << support_table();
    GTEST_SKIP() << "wrote " << path;
  }
  std::ifstream file(path, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), support_table());
}

std::vector<Loss> losses_of(const plan::Planned& planned, TargetSet targets = TargetSet::all()) {
  return losses({.plan = planned.plan, .document = planned.loaded.document}, targets);
}

TEST(Losses, NamesWhatAnExampleAsksForInVain) {
  const auto found = losses_of(plan::example("devtools"));
  const auto* replicas = find(found, "compose", "services.*.replicas");
  ASSERT_NE(replicas, nullptr);
  EXPECT_EQ(replicas->pointer, "/services/events/replicas");
  EXPECT_EQ(replicas->support, Support::approximated);
  EXPECT_THAT(loss_text(found, false, {}), HasSubstr("services.*.replicas: the lower bound runs"));
}

TEST(Losses, SayOfStorageWhatReplicasOfAServiceShare) {
  const auto with = [](const std::string& replicas) {
    return losses_of(planned("tenants: []\nservices: { files: { image: x, port: 80, replicas: " +
                             replicas + ", storage: { path: /data, size: 1Gi } } }\n"));
  };
  const auto several = with("2");
  for (const auto& [target, said] :
       {std::pair{"compose", "its replicas share one volume"},
        std::pair{"helm", "each of its replicas has a volume of its own, which begins empty"}}) {
    const auto* loss = find(several, target, "services.*.storage.path");
    ASSERT_NE(loss, nullptr) << target;
    EXPECT_EQ(loss->pointer, "/services/files/storage/path");
    EXPECT_THAT(loss_text(several, false, {}), HasSubstr(said));
  }
  const auto one = with("1");
  EXPECT_EQ(find(one, "compose", "services.*.storage.path"), nullptr);
  EXPECT_EQ(find(one, "helm", "services.*.storage.path"), nullptr);
}

TEST(Losses, AreNothingThatTheQuickstartWrites) {
  EXPECT_EQ(loss_text(losses_of(plan::example("quickstart")), false, {}), "");
  EXPECT_TRUE(findings(losses_of(plan::example("quickstart")), true).empty());
}

/// A spec of every field that holds a value would not be one: some exclude each other. These are
/// those that nothing does, each at its place.
TEST(Losses, WarnOfWhatNothingDoes) {
  const auto spec = planned(R"(tiers:
  free: { limits: { queue: 10, egress-connections: 4, requests: 5/s } }
tenants:
  - { slug: a, limits: { queue: 20 } }
  - { slug: b }
runtime: { modules: [records, events] }
auth: { oidc: { issuer: "https://id.example", client-id: x } }
services:
  web: { image: "registry.example/x:1", port: 80, module: events.module, egress: ["api.stripe.com:443"] }
observability: { tracing: { otlp: "http://otel:4318" } }
backup: { schedule: "0 3 * * *", to: /var/backups, encrypt: key }
secrets: { key: { from: generate } }
assets: [{ path: model.bin }]
targets: { bundle: { part-size: 1Gi } }
)");
  const auto found = findings(losses_of(spec), false);
  std::vector<std::string> places;
  for (const auto& finding : found) {
    EXPECT_EQ(finding.code, "W0301");
    EXPECT_EQ(finding.severity, source::Severity::warning);
    EXPECT_THAT(finding.message, HasSubstr("'compose', 'helm'")) << finding.pointer;
    places.push_back(finding.pointer);
  }
  EXPECT_THAT(places,
              testing::UnorderedElementsAre(
                  "/tiers/free/limits/queue", "/tiers/free/limits/egress-connections",
                  "/tenants/0/limits/queue", "/runtime/modules", "/auth/oidc/issuer",
                  "/services/web/port", "/services/web/module", "/observability/tracing/otlp",
                  "/backup/encrypt", "/targets/bundle/part-size"));
  for (const auto& finding : findings(losses_of(spec), true)) {
    EXPECT_EQ(finding.severity, source::Severity::error) << finding.message;
  }
}

/// What is to be left out with it, when the spec would be wrong without the field alone.
TEST(Losses, SayWhatHasToBeLeftOutTogether) {
  const std::string port = "    port: 80\n";
  const std::string health = "    health: { path: /health }\n";
  const std::string oidc = "auth: { oidc: { issuer: \"https://id.example\", client-id: x } }\n";
  const std::string tracing = "observability: { tracing: { otlp: \"http://otel:4318\" } }\n";
  const std::string rest = "tenants: []\nservices:\n  web:\n    image: registry.example/x:1\n";
  std::map<std::string, std::string> remedies;
  for (const auto& finding :
       findings(losses_of(planned(rest + port + health + oidc + tracing)), false)) {
    remedies[finding.pointer] = finding.remedy.substr(0, finding.remedy.find(", or accept it"));
  }
  EXPECT_THAT(remedies, testing::UnorderedElementsAre(
                            testing::Pair("/services/web/port", "leave it and 'health.path' out"),
                            testing::Pair("/auth/oidc/issuer", "leave 'auth.oidc' out"),
                            testing::Pair("/observability/tracing/otlp",
                                          "leave 'observability.tracing' out")));
  EXPECT_TRUE(findings(losses_of(planned(rest)), false).empty()) << "who follows them is done";
}

TEST(Losses, OfTheDefaultsThereAreNone) {
  EXPECT_TRUE(losses_of(planned("tenants: []\n")).empty());
}

TEST(Losses, SayWhoReachesAPort) {
  const auto detail = [](const std::string& services) {
    const auto found = losses_of(planned("tenants: []\nservices:\n" + services));
    const auto* port = find(found, "helm", "services.*.port");
    return port == nullptr ? std::string{} : port->reason;
  };
  EXPECT_EQ(detail("  web: { image: x, port: 80 }\n"),
            "no route leads to this port: nothing can reach it");
  EXPECT_EQ(detail("  web: { image: x, port: 80 }\n  mail: { image: y }\n"),
            "no route leads to this port, and no service lists 'web' in `needs`");
  EXPECT_EQ(detail("  web: { image: x, port: 80 }\n  mail: { image: y, needs: [web] }\n"), "");
}

TEST(Losses, OfATenThousandTenantsAreToldAtAFewPlaces) {
  std::string tenants = "tenants:\n";
  for (int i = 0; i < 10'000; ++i) {
    tenants += "  - { slug: t" + std::to_string(i) + ", limits: { queue: 7 } }\n";
  }
  const auto found = losses_of(planned(tenants), {Target::compose});
  ASSERT_EQ(found.size(), 8U);
  EXPECT_THAT(found.back().reason, HasSubstr("(so at 9992 more places)"));
}

TEST(Losses, OfAServiceThatIsLeftOutAreToldOnce) {
  const auto found =
      losses_of(planned("tenants: []\nservices: { web: { image: x, writable: [/a], user: 7 } }\n"),
                {Target::local});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].field, "services.*.local.command");
}

TEST(Losses, AreWaivedByTheFieldOrWhatItIsPartOf) {
  const std::string spec =
      "tenants: []\ndashboard: { replicas: 2..4, resources: { cpu: 1 } }\nwaivers:\n"
      "  - { rule: loss/dashboard, where: local, reason: it is for trying out }\n";
  const auto found = losses_of(planned(spec));
  EXPECT_EQ(find(found, "local", "dashboard.replicas")->waiver, "it is for trying out");
  EXPECT_EQ(find(found, "local", "dashboard.resources.cpu")->waiver, "it is for trying out");
  EXPECT_EQ(find(found, "compose", "dashboard.replicas")->waiver, "");
  EXPECT_EQ(findings(found, true).size(), 2U);  // compose and systemd, in different words
  for (const auto* rule : {"loss/name", "loss/dash", "loss/database.version", "loss/"}) {
    EXPECT_EQ(waiver_mistakes(planned("tenants: []\nwaivers: [{ rule: " + std::string(rule) +
                                      ", reason: none }]\n")
                                  .plan)
                  .size(),
              1U)
        << rule;
  }
}

TEST(Losses, KnowsWaiversAndTargets) {
  const auto planned = plan::plan_of(R"(caisson: v1
name: shop
version: 1.0.0
tenants: []
dashboard: { replicas: 2..4 }
waivers:
  - { rule: loss/dashboard.replicas, where: compose, reason: two are plenty }
)");
  const auto found = losses_of(planned);
  EXPECT_EQ(find(found, "compose", "dashboard.replicas")->waiver, "two are plenty");
  EXPECT_EQ(find(found, "local", "dashboard.replicas")->waiver, "");
  const auto only_local = losses_of(planned, {Target::local});
  EXPECT_EQ(find(only_local, "compose", "dashboard.replicas"), nullptr);
}

TEST(Losses, SayUntilWhenTheyAreWaivedAndWhatPatchesChange) {
  const auto planned = plan::plan_of(R"(caisson: v1
name: shop
version: 1.0.0
tenants: []
dashboard: { replicas: 2..4 }
waivers:
  - { rule: loss/dashboard.replicas, reason: two are plenty, until: 2030-01-31 }
patches:
  - { file: compose/compose.yaml, at: /services/runtime/init, set: true, reason: it forks }
)");
  EXPECT_THAT(loss_text(losses_of(planned), false, {}),
              HasSubstr("[waived: until 2030-01-31, two are plenty]"));
  EXPECT_EQ(
      patch_text(planned.plan, TargetSet::all(), [](auto) { return std::string("a.yaml:9"); }),
      "changed by patches of the spec:\n"
      "  compose/compose.yaml at /services/runtime/init (a.yaml:9): it forks\n");
  EXPECT_EQ(patch_text(planned.plan, {Target::local}, {}), "");
}

TEST(Losses, SaysWhatEachProxyCannotDo) {
  const auto found = [](const std::string& edge) {
    return losses_of(planned("tenants: []\nedge: " + edge + "\n"));
  };
  const auto nginx = found("{ proxy: nginx, limits: { connections: 50 } }");
  const auto* proxy = find(nginx, "compose", "edge.proxy");
  ASSERT_NE(proxy, nullptr);
  EXPECT_EQ(proxy->support, Support::approximated);
  EXPECT_EQ(find(nginx, "compose", "edge.limits.connections"), nullptr);
  EXPECT_EQ(find(found("{ proxy: nginx, tls: { mode: 'off' } }"), "compose", "edge.proxy"),
            nullptr);
  const auto caddy = found("{ limits: { connections: 50 } }");
  EXPECT_EQ(find(caddy, "compose", "edge.proxy"), nullptr);
  EXPECT_NE(find(caddy, "compose", "edge.limits.connections"), nullptr);
}

}  // namespace
}  // namespace caisson::render

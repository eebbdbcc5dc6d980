#include "generator/render/loss.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/plan/plan_testing.h"

namespace caisson::render {
namespace {

using testing::HasSubstr;
using testing::Not;

const Loss* find(const std::vector<Loss>& losses, std::string_view target, std::string_view field) {
  const auto found = std::ranges::find_if(
      losses, [&](const Loss& loss) { return loss.target == target && loss.field == field; });
  return found == losses.end() ? nullptr : &*found;
}

TEST(LossTable, HasEveryFieldOfTheLanguage) {
  const auto fields = table_fields();
  const auto covered = [&](std::string_view path) {
    // "<name>" stands for any key; a list's "[]" is part of its field.
    std::string normal;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (path[i] == '<') {
        normal += '*';
        i = path.find('>', i);
      } else if (path.substr(i, 2) == "[]") {
        ++i;
      } else {
        normal += path[i];
      }
    }
    return std::ranges::any_of(fields, [&](std::string_view field) {
      return normal == field || normal.starts_with(std::string(field) + ".");
    });
  };
  const auto paths = spec::field_paths();
  EXPECT_GT(paths.size(), 100U);
  for (const auto& path : paths) EXPECT_TRUE(covered(path)) << path;
}

TEST(LossTable, HasEachFieldOnce) {
  const auto fields = table_fields();
  EXPECT_EQ(std::set<std::string_view>(fields.begin(), fields.end()).size(), fields.size());
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

TEST(Losses, NamesWhatAnExampleAsksForInVain) {
  const auto found = losses(plan::example("devtools").plan, TargetSet::all());
  const auto* replicas = find(found, "compose", "runtime.replicas");
  ASSERT_NE(replicas, nullptr);
  EXPECT_EQ(replicas->pointer, "/runtime/replicas");
  EXPECT_TRUE(replicas->written);
  EXPECT_EQ(replicas->support, Support::approximated);
  EXPECT_NE(find(found, "local", "database"), nullptr);
  const auto* grafana = find(found, "local", "observability.grafana");
  ASSERT_NE(grafana, nullptr);
  EXPECT_FALSE(grafana->written);
  EXPECT_THAT(loss_text(found, {}), HasSubstr("runtime.replicas: the lower bound runs"));
}

TEST(Losses, AreNothingThatTheQuickstartWrites) {
  for (const auto& loss : losses(plan::example("quickstart").plan, TargetSet::all())) {
    EXPECT_FALSE(loss.written) << loss.field;
    EXPECT_NE(loss.support, Support::refused) << loss.field;
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
)")
                           .plan;
  const auto found = losses(planned, TargetSet::all());
  EXPECT_EQ(find(found, "compose", "dashboard.replicas")->waiver, "two are plenty");
  EXPECT_EQ(find(found, "local", "dashboard.replicas")->waiver, "");
  const auto only_local = losses(planned, {Target::local});
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
)")
                           .plan;
  EXPECT_THAT(loss_text(losses(planned, TargetSet::all()), {}),
              HasSubstr("[waived: until 2030-01-31, two are plenty]"));
  EXPECT_EQ(patch_text(planned, TargetSet::all(), [](auto) { return std::string("a.yaml:9"); }),
            "changed by patches of the spec:\n"
            "  compose/compose.yaml at /services/runtime/init (a.yaml:9): it forks\n");
  EXPECT_EQ(patch_text(planned, {Target::local}, {}), "");
}

TEST(Losses, SaysWhatEachProxyCannotDo) {
  const auto found = [](const std::string& edge) {
    return losses(
        plan::plan_of("caisson: v1\nname: shop\nversion: 1.0.0\ntenants: []\nedge: " + edge + "\n")
            .plan,
        TargetSet::all());
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

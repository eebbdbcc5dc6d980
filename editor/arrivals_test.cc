#include "editor/arrivals.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "editor/workspace.h"

namespace caisson::editor {
namespace {

using ::testing::HasSubstr;

/// By target what the value at a pointer of the spec becomes there, the first place of each.
std::map<std::string, std::string> arrivals(const std::string& text, const std::string& pointer) {
  Workspace workspace({.today = [] { return std::string("2026-06-01"); },
                       .read_file = [](const std::filesystem::path&) -> Result<std::string> {
                         return fail("no such file");
                       }});
  const std::string uri = "file:///w/deployment.yaml";
  workspace.open({.uri = uri, .path = {}, .language = "caisson", .text = Text(text)});
  std::map<std::string, std::string> values;
  for (const Arrival& each : workspace.arrivals(*workspace.member(uri)->spec, "", pointer))
    values.emplace(each.target, each.value);
  return values;
}

TEST(Arrivals, OfATierAreInTheTenantsOfEveryTarget) {
  const std::string spec =
      "caisson: v1\nname: shop\nversion: 1.0.0\n"
      "tiers:\n  free: { isolation: schema, limits: { requests: 50/s, storage: 1Gi } }\n"
      "  pro: { isolation: database, limits: { requests: 90/m, burst: 7 } }\n"
      "tenants:\n  - { slug: acme, tier: pro, limits: { sockets: 3 } }\n";
  for (const auto& [pointer, said] :
       std::map<std::string, std::string>{{"/tiers/free/isolation", "schema"},
                                          {"/tiers/free/limits/storage", "1073741824"},
                                          {"/tiers/pro/isolation", "database"},
                                          {"/tiers/pro/limits/requests", "1.5"},
                                          {"/tiers/pro/limits/burst", "7"},
                                          {"/tenants/0/limits/sockets", "3"}}) {
    const auto values = arrivals(spec, pointer);
    for (const auto* target : {"compose", "helm", "local", "systemd"}) {
      ASSERT_TRUE(values.contains(target)) << pointer << " on " << target;
      EXPECT_THAT(values.at(target), HasSubstr(said)) << pointer << " on " << target;
    }
  }
  // What comes from the row of the tenant.
  const auto of_row = arrivals(spec, "/tenants/0/slug");
  for (const auto* target : {"compose", "helm", "local", "systemd"})
    EXPECT_TRUE(of_row.contains(target)) << target;
  EXPECT_TRUE(arrivals(spec, "/tenants/0/tier").empty());
  // Of a line that holds every tier only what was asked for is shown.
  EXPECT_THAT(arrivals(spec, "/tiers/pro/limits/burst").at("compose"), "\"burst\": 7");
  EXPECT_THAT(arrivals(spec, "/tiers/pro/isolation").at("systemd"), "\"isolation\": \"database\"");
}

}  // namespace
}  // namespace caisson::editor

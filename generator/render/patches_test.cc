// Patches whose values are of the wrong kind, at every place of every file that can be patched.

#include "generator/render/patches.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/render/file_format.h"
#include "generator/render/render_testing.h"
#include "generator/render/unit_value.h"

namespace caisson::render {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

struct Place {
  std::string at;
  const Node* value;
};

void collect(const Node& node, const std::string& at, std::vector<Place>& out) {
  if (!at.empty()) out.push_back({at, &node});
  for (const auto& key : node.keys())
    collect(*node.child(key), at + "/" + pointer_segment(key), out);
}

std::vector<Place> places_of(const Node& tree) {
  std::vector<Place> out;
  collect(tree, "", out);
  return out;
}

plan::Patch patch(const std::string& file, const std::string& at, std::string value,
                  std::size_t number) {
  return {.file = file,
          .at = at,
          .action = value.empty() ? plan::Patch::Action::remove : plan::Patch::Action::set,
          .value = std::move(value),
          .reason = "a test",
          .origin = {plan::Origin::Kind::spec, "/patches/" + std::to_string(number)}};
}

plan::Plan quickstart() {
  auto plan = plan::example("quickstart").plan;
  plan.patches.clear();
  return plan;
}

TargetSet target_of(const Artifact& artifact) {
  const auto name = artifact.path.substr(0, artifact.path.find('/'));
  return {static_cast<Target>(std::ranges::find(target_names, name) - target_names.begin())};
}

bool is_unit(const std::string& file) {
  return file.starts_with("systemd/") && !file.ends_with(".json") &&
         file.find("/observability/") == std::string::npos;
}

bool can_be_patched(const Artifact& artifact) {
  // What the installer reads of a project is its own.
  return artifact.tree != nullptr && !artifact.path.starts_with("sdk/") &&
         artifact.owner != "/targets/bundle" && !artifact.path.ends_with("values.schema.json");
}

/// What the file's own format has in several forms.
bool is_free(const std::string& file, const Place& place) {
  const auto segments = pointer_segments(place.at);
  // Of a directive a list is its lines.
  if (is_unit(file)) {
    return segments.size() == 2 && place.value->map() == nullptr && !is_command(segments[1]);
  }
  static const std::set<std::string> forms{"command", "tmpfs",  "test",  "build",
                                           "args",    "nofile", "ports", "labels"};
  const bool item =
      segments.size() > 1 && segments.back().find_first_not_of("0123456789") == std::string::npos;
  const auto& name = item ? segments[segments.size() - 2] : segments.back();
  if (file == "compose/compose.yaml" && segments.size() > 2) return forms.contains(name);
  // What each kind of source and provider has for itself.
  return file.find("/grafana-") != std::string::npos &&
         (place.at.find("/jsonData/") != std::string::npos ||
          place.at.find("/options/") != std::string::npos);
}

std::string fault_text(const Artifact& artifact) {
  const auto fault = format_fault(artifact.path, *artifact.tree);
  return fault ? artifact.path + fault->at + " " + fault->what : std::string{};
}

TEST(Patches, OfAnotherKindAreTheSpecsMistakeOnEveryTarget) {
  const auto plan = quickstart();
  const auto artifacts = rendered(plan);
  std::set<std::string> targets;
  for (const auto& artifact : artifacts) {
    if (!can_be_patched(artifact)) continue;
    targets.insert(artifact.path.substr(0, artifact.path.find('/')));
    // Each is refused and undone, so that the next finds what was there.
    auto patched = plan;
    std::vector<std::string> wrong;
    for (const auto& place : places_of(*artifact.tree)) {
      if (place.value->is_null() || is_free(artifact.path, place)) continue;
      const bool single = place.value->map() == nullptr && place.value->list() == nullptr;
      patched.patches.push_back(
          patch(artifact.path, place.at, single ? "[a]" : "hello", wrong.size()));
      wrong.push_back(place.at);
    }
    std::vector<Mistake> mistakes;
    const auto made = render(patched, Blueprints{}, target_of(artifact), mistakes);
    ASSERT_TRUE(made.has_value()) << made.error().text();
    std::set<std::string> told;
    for (const auto& mistake : mistakes) {
      // The writer of unit files says what it cannot write in its own words.
      EXPECT_THAT(std::string(mistake.code), AnyOf("E0307", "E0308"));
      EXPECT_FALSE(mistake.remedy.empty());
      EXPECT_THAT(mistake.message + mistake.remedy, Not(HasSubstr("bug"))) << mistake.message;
      told.insert(mistake.pointer.substr(0, mistake.pointer.find('/', 9)));
    }
    for (std::size_t i = 0; i < wrong.size(); ++i)
      EXPECT_TRUE(told.contains("/patches/" + std::to_string(i))) << artifact.path << wrong[i];
    const bool unit = is_unit(artifact.path);
    // What the writer of units refuses has been patched already.
    EXPECT_TRUE(unit || artifact.bytes == render::artifact(*made, artifact.path).bytes)
        << artifact.path;
  }
  EXPECT_EQ(targets, (std::set<std::string>{"compose", "helm", "local", "systemd"}));
}

/// Maps whose keys are whatever somebody calls them, or read by nobody who would mind.
bool takes_any_key(const std::string& file, const std::string& at, const Node& map) {
  static const std::set<std::string> named{
      "args",       "environment", "labels",          "options",  "ports",   "env",
      "secret-env", "annotations", "jsonData",        "networks", "volumes", "configs",
      "secrets",    "services",    "external_labels", "modules",  "tiers",   "driver_opts",
      "sysctls",    "depends_on",  "Environment"};
  const auto segments = pointer_segments(at);
  const bool grafana = file.find("/observability/dashboard-") != std::string::npos;
  const bool receiver =
      file.ends_with("/alertmanager.yaml") && at.find("_configs/") != std::string::npos;
  const bool values = file.ends_with("/values.yaml");  // has the chart's schema
  if (grafana || receiver || values) return true;
  return !segments.empty() && named.contains(segments.back()) && map.map() != nullptr;
}

/// Every file that can be patched, every map in it: a key that its reader does not know.
TEST(Patches, OfKeysThatNothingReadsAreTheSpecsMistakeInEveryFile) {
  auto plan = plan::example("agentik").plan;
  plan.patches.clear();
  std::set<std::string> files;
  for (const auto& artifact : rendered(plan)) {
    if (!can_be_patched(artifact)) continue;
    EXPECT_EQ(fault_text(artifact), "") << "Caisson's own words are among those that are known";
    auto patched = plan;
    std::vector<std::string> wrong;
    auto places = places_of(*artifact.tree);
    if (artifact.tree->map() != nullptr) places.push_back({"", artifact.tree.get()});
    for (const auto& [at, value] : places) {
      if (value->map() == nullptr || takes_any_key(artifact.path, at, *value)) continue;
      patched.patches.push_back(patch(artifact.path, at + "/restrat", "true", wrong.size()));
      wrong.push_back(at);
    }
    if (wrong.empty()) continue;
    files.insert(artifact.path.substr(artifact.path.rfind('/') + 1));
    std::vector<Mistake> mistakes;
    const auto made = render(patched, Blueprints{}, target_of(artifact), mistakes);
    ASSERT_TRUE(made.has_value()) << made.error().text();
    std::set<std::string> told;
    for (const auto& mistake : mistakes) {
      EXPECT_EQ(mistake.code, "E0307") << mistake.message;
      EXPECT_FALSE(mistake.remedy.empty()) << mistake.message;
      EXPECT_THAT(mistake.message, HasSubstr("restrat"));
      told.insert(mistake.pointer.substr(0, mistake.pointer.find('/', 9)));
    }
    for (std::size_t i = 0; i < wrong.size(); ++i)
      EXPECT_TRUE(told.contains("/patches/" + std::to_string(i))) << artifact.path << wrong[i];
    EXPECT_EQ(artifact.bytes, render::artifact(*made, artifact.path).bytes);
  }
  for (const auto* name :
       {"compose.yaml", "Chart.yaml", "stack.json", "site.json", "runtime.json", "dashboard.json",
        "runtime.backup.json", "prometheus.yaml", "rules.yaml", "alertmanager.yaml",
        "blackbox.yaml", "agentik-runtime.service", "agentik.slice", "journald@agentik.conf"})
    EXPECT_TRUE(files.contains(name)) << name;
}

TEST(Patches, OfWordsThatATargetRefusesSayWhatItTakes) {
  const std::string unit = "systemd/system/acme-runtime.service";
  const std::string project = "compose/compose.yaml";
  for (const auto& [file, at, value, remedy] : std::vector<std::array<std::string, 4>>{
           {unit, "/Service/MemoryMax", "true", "write a number with a unit, as 512M, or infinity"},
           {unit, "/Service/MemoryMax", "much", "write a number with a unit, as 512M, or infinity"},
           {unit, "/Service/MemoryMaxx", "1G", "did you mean 'MemoryMax'?"},
           {unit, "/Service/PrivateTmp", "maybe", "write true or false"},
           {unit, "/Service/Restart", "false",
            "write 'no', 'on-success', 'on-failure', 'on-abnormal', 'on-watchdog', 'on-abort' or "
            "'always'"},
           {unit, "/Service/ProtectSystem", "strictt", "write true or false, 'full' or 'strict'"},
           {unit, "/Service/MemoryMax", "[1]", "write a number with a unit, as 512M, or infinity"},
           {unit, "/Service/TimeoutStartSec", "30 parsecs", "write a time, as 30s"},
           {unit, "/Service/CapabilityBoundingSet", "CAP_FLY",
            "write capabilities, as CAP_NET_BIND_SERVICE"},
           {unit, "/Servise", "{ Nice: 1 }", "did you mean 'Service'?"},
           {"helm/acme/Chart.yaml", "/version", "next", ""},
           {"helm/acme/Chart.yaml", "/version", "v1.2", ""},
           {project, "/services/runtime/restrat", "always", "did you mean 'restart'?"},
           {project, "/services/runtime/read_only", "[a]", "write true or false or text"},
           {project, "/services/runtime/restart", "perhaps",
            "write 'no', 'always', 'unless-stopped', 'on-failure' or 'on-failure:3'"},
           {project, "/services/runtime/healthcheck/interval", "often",
            "write a number with a unit, as 30s, 500ms or 1m30s"},
           {project, "/services/runtime/mem_limit", "12x",
            "write a number with a unit, as 512m or 2g"},
           {project, "/services/edge/ports", "[99999]", "write at most 65535"},
           {project, "/services/edge/ports", "['99999:80']",
            "write ports from 0 to 65535, as '8080:80' or '127.0.0.1:8080:80/tcp'"},
           {project, "/services/runtime/networks", "[nowhere]", "define it under 'networks' first"},
           {project, "/services/runtime/depends_on", "[egde]", "did you mean 'edge'?"},
           {"local/stack.json", "/processes/0/colour", "red", "leave it out: nothing reads it"},
           {"compose/runtime.json", "/log/level", "loud",
            "write 'trace', 'debug', 'info', 'warn' or 'error'"},
           {"compose/runtime.json", "/listen/data", "localhost:99999",
            "write address:port, as 127.0.0.1:8080, or unix:/path"},
           {"compose/runtime.json", "/limits/memory", "1000", "write at least 134217728"},
           {"local/config/runtime.json", "/listen/metrics", "'127.0.0.1:18082'",
            "give each listener an address of its own"},
           {"local/stack.json", "/processes/0/directory", "../x", "write a folder in 'work'"},
           {"compose/dashboard.json", "/tls", "true",
            "the keys are 'deployment', 'domain' or 'listen'"}}) {
    auto patched = quickstart();
    patched.patches.push_back(patch(file, at, value, 0));
    std::vector<Mistake> mistakes;
    const auto made = render(patched, Blueprints{}, TargetSet::all(), mistakes);
    ASSERT_TRUE(made.has_value()) << made.error().text();
    ASSERT_EQ(mistakes.size(), 1U) << file << at;
    EXPECT_THAT(mistakes[0].pointer, testing::StartsWith("/patches/0/set"));
    if (!remedy.empty()) {
      EXPECT_EQ(mistakes[0].remedy, remedy) << mistakes[0].message;
    }
  }
}

TEST(Patches, ThatTakeAwayWhatAReaderNeedsAreRefused) {
  for (const auto& [file, at] : std::vector<std::pair<std::string, std::string>>{
           {"local/stack.json", "/processes/0/uid-offset"},
           {"compose/runtime.json", "/operator"},
           {"compose/dashboard.json", "/listen"},
           {"helm/acme/Chart.yaml", "/version"},
           {"compose/compose.yaml", "/networks/front"}}) {
    auto patched = quickstart();
    patched.patches.push_back(patch(file, at, "", 0));
    std::vector<Mistake> mistakes;
    ASSERT_TRUE(render(patched, Blueprints{}, TargetSet::all(), mistakes).has_value());
    ASSERT_EQ(mistakes.size(), 1U) << file << at;
    EXPECT_EQ(mistakes[0].code, "E0307");
  }
}

TEST(Patches, ThatTakeFromTheChartWhatItsTemplatesReadAreRefused) {
  const auto plan = quickstart();
  const auto artifacts = rendered(plan, {Target::helm});
  const auto& values = artifact(artifacts, "helm/acme/values.yaml");
  std::size_t refused = 0;
  for (const auto& place : places_of(*values.tree)) {
    auto patched = plan;
    patched.patches.push_back(patch(values.path, place.at, "", 0));
    std::vector<Mistake> mistakes;
    const auto made = render(patched, Blueprints{}, {Target::helm}, mistakes);
    ASSERT_TRUE(made.has_value()) << place.at << ": " << made.error().text();
    if (mistakes.empty()) continue;
    ++refused;
    EXPECT_THAT(mistakes[0].pointer, testing::StartsWith("/patches/0")) << place.at;
  }
  EXPECT_GT(refused, 50);
}

TEST(Patches, MayWriteWhatAFormatHasInSeveralForms) {
  for (const auto& [file, at, value] : std::vector<std::array<std::string, 3>>{
           {"compose/compose.yaml", "/services/runtime/command", "a text"},
           {"compose/compose.yaml", "/services/edge/ports", "['80:80']"},
           {"compose/compose.yaml", "/services/runtime/cpus", "2"},
           {"compose/compose.yaml", "/services/runtime/healthcheck/test", "exit 0"},
           {"compose/compose.yaml", "/services/runtime/labels", "[a=b]"},
           {"systemd/system/acme-runtime.service", "/Service/ReadOnlyPaths", "[/a, /b]"},
           {"systemd/system/acme-runtime.service", "/Service/NoNewPrivileges", "'True'"},
           {"systemd/system/acme-runtime.service", "/Service/IOReadBandwidthMax", "/dev/sda 10M"},
           {"systemd/system/acme-runtime.service", "/Unit/OnFailureJobMode", "replace"},
           {"compose/compose.yaml", "/services/runtime/restart", "on-failure:3"},
           {"compose/compose.yaml", "/services/runtime/mem_limit", "'${LIMIT:-2g}'"},
           {"local/stack.json", "/processes/0/ready/path", "/other"}}) {
    auto patched = quickstart();
    patched.patches.push_back(patch(file, at, value, 0));
    std::vector<Mistake> mistakes;
    const auto made = render(patched, Blueprints{}, TargetSet::all(), mistakes);
    ASSERT_TRUE(made.has_value()) << made.error().text();
    EXPECT_TRUE(mistakes.empty()) << file << at << ": " << mistakes[0].message;
  }
}

TEST(Patches, OfCaissonsOwnJsonKeepNumbersAndText) {
  auto patched = quickstart();
  patched.patches.push_back(patch("local/stack.json", "/processes/0/ports/data", "'18081'", 0));
  patched.patches.push_back(patch("compose/runtime.json", "/listen/data", "8080", 1));
  std::vector<Mistake> mistakes;
  ASSERT_TRUE(render(patched, Blueprints{}, TargetSet::all(), mistakes).has_value());
  ASSERT_EQ(mistakes.size(), 2U);
  for (const auto& mistake : mistakes)
    EXPECT_THAT(mistake.remedy, AnyOf("write a whole number", "write text")) << mistake.message;
}

}  // namespace
}  // namespace caisson::render

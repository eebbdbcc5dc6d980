// Every value and every line of what is generated can be followed to the line that it comes from.

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "generator/render/render_testing.h"

namespace caisson::render {
namespace {

struct Example {
  std::string name;
  std::string environment;
};

std::size_t line_count(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

/// "/tenants/0/slug" as the language's reference calls it: "tenants[].slug".
std::string field_of(std::string_view pointer) {
  std::string field;
  for (const auto& segment : pointer_segments(pointer)) {
    const bool index = !segment.empty() && std::ranges::all_of(segment, [](unsigned char c) {
      return std::isdigit(c) != 0;
    });
    if (index) {
      field += "[]";
    } else {
      field += (field.empty() ? "" : ".") + segment;
    }
  }
  return field;
}

/// Calls `visit` with the pointer of every value that has nothing inside.
void each_leaf(const Node& node, const std::string& pointer,
               const std::function<void(const std::string&)>& visit) {
  const auto keys = node.keys();
  if (keys.empty()) visit(pointer);
  for (const auto& key : keys) {
    each_leaf(*node.child(key), pointer + "/" + pointer_segment(key), visit);
  }
}

class Origins : public testing::TestWithParam<Example> {
 protected:
  /// What is wrong with an origin; empty when it leads somewhere.
  [[nodiscard]] std::string wrong(const Origin& origin) const {
    if (origin.at.empty()) return "has no origin";
    if (origin.kind == Origin::Kind::blueprint) return wrong_blueprint(origin.at);
    const auto* written = spec::find(planned_.loaded.document, origin.at);
    if (written != nullptr && origin.kind != Origin::Kind::defaulted) {
      const auto& file = planned_.sources[written->span.file];
      const auto line = file.position(written->span.begin).line;
      return line <= line_count(file.text()) ? "" : origin.at + " is beyond its file";
    }
    if (origin.kind == Origin::Kind::spec) return origin.at + " is not in the spec";
    return spec::explain_field(field_of(origin.at)) ? "" : origin.at + " is no field";
  }

  [[nodiscard]] std::string wrong_blueprint(const std::string& place) const {
    const auto colon = place.rfind(':');
    const auto text = blueprints_.text(place.substr(0, colon));
    std::size_t line = 0;
    std::from_chars(place.data() + colon + 1, place.data() + place.size(), line);
    return text && line > 0 && line <= line_count(*text) ? "" : place + " is no blueprint's line";
  }

  plan::Planned planned_ = plan::example(GetParam().name, GetParam().environment);
  Blueprints blueprints_;
};

INSTANTIATE_TEST_SUITE_P(Render, Origins,
                         testing::Values(Example{"quickstart", ""}, Example{"agentik", ""},
                                         Example{"agentik", "development"}, Example{"devtools", ""},
                                         Example{"devtools", "demo"}, Example{"nginx", ""}),
                         [](const auto& example) {
                           return example.param.name + example.param.environment;
                         });

TEST_P(Origins, LeadFromEveryValueToALineThatExists) {
  std::size_t values = 0;
  for (const auto& file : rendered(planned_.plan)) {
    if (file.tree == nullptr) continue;
    each_leaf(*file.tree, "", [&](const std::string& pointer) {
      ++values;
      EXPECT_EQ(wrong(origin_at(*file.tree, pointer)), "") << file.path << ":" << pointer;
    });
  }
  EXPECT_GT(values, 400U);
}

TEST_P(Origins, LeadFromEveryLineOfATextToALineThatExists) {
  std::size_t lines = 0;
  for (const auto& file : rendered(planned_.plan)) {
    if (file.tree != nullptr) continue;
    ASSERT_EQ(file.lines.size(), line_count(file.bytes)) << file.path;
    ASSERT_TRUE(file.bytes.empty() || file.bytes.ends_with('\n')) << file.path;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      ++lines;
      EXPECT_FALSE(file.lines[i].empty()) << file.path << ":" << i + 1;
      for (const auto& origin : file.lines[i]) {
        EXPECT_EQ(wrong(origin), "") << file.path << ":" << i + 1;
      }
    }
  }
  EXPECT_GT(lines, 300U);
}

/// Calls `visit` with every scalar that the spec itself writes, by pointer.
void each_scalar(const spec::Node& node, const std::string& pointer,
                 const std::function<void(const std::string&, const spec::Node&)>& visit) {
  if (node.kind == spec::Node::Kind::scalar) visit(pointer, node);
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    each_scalar(node.items[i], pointer + "/" + std::to_string(i), visit);
  }
  for (const auto& field : node.fields) {
    each_scalar(field.value, pointer + "/" + pointer_segment(field.key), visit);
  }
}

/// Another value of the same kind, if it is easily found: the next number, the other truth, a
/// longer word.
std::string another(std::string text) {
  if (text == "true") return "false";
  if (text == "false") return "true";
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > 9) return text + "x";
  return std::to_string(std::stol(text.substr(0, digits)) + 1) + text.substr(digits);
}

bool is_below(std::string_view inner, std::string_view outer) {
  return inner == outer ||
         (inner.starts_with(outer) && inner.size() > outer.size() && inner[outer.size()] == '/');
}

/// A value that is made of several: a digest of a whole file, an address or a host of a tenant and
/// the domain, an expression that names the deployment; under systemd, paths of the host's
/// directories, the deployment and the unit. What the installer is told of a project is like that.
bool is_made_of_several(std::string_view file, std::string_view place) {
  const auto within = [place](std::string_view part) { return place.find(part) != place.npos; };
  if (within("/labels/caisson.config") || place.ends_with("/deployment-url")) return true;
  if (place.starts_with("/scrape_configs/") && within("/targets/")) return true;
  if (file.ends_with("/targets/uptime.json")) return true;
  if (file.starts_with("helm/") && place.ends_with("/expr")) return true;
  if (file.ends_with("/site.json") && within("-file")) return true;
  if (file.starts_with("systemd/config/") || file == "systemd/site.json") {
    return within("/listen") || within("-file") || place == "/dashboard" ||
           place.ends_with("/data") || place.ends_with("/operator") || place.ends_with("/metrics");
  }
  if (file == "compose/site.yaml") return place.ends_with("/source") || place.ends_with("/file");
  if (file == "compose/site.json") {
    return place.ends_with("/data") || place.ends_with("/operator") || place.ends_with("/metrics");
  }
  return (file.starts_with("systemd/") || file.starts_with("compose/system/") ||
          file.starts_with("compose/journald@")) &&
         (within("/ExecStart") || within("/LoadCredential/") || within("/Wants/") ||
          place.ends_with("/Description") || place.ends_with("/SystemMaxUse"));
}

/// Changes one value of a spec after the other: what changes in the artifacts says that it came
/// from there.
TEST(Origin, IsTheTruth) {
  std::size_t changed = 0;
  for (const auto& [name, environment] : {std::pair{"agentik", ""}, std::pair{"devtools", ""}}) {
    const auto base = plan::example(name, environment);
    const auto before = rendered(base.plan);
    const auto text = std::string(base.sources[0].text());
    each_scalar(base.loaded.document, "", [&](const std::string& pointer, const spec::Node& node) {
      auto other = text;
      other.replace(node.span.begin, node.span.end - node.span.begin, another(node.text));
      Artifacts after;
      try {
        after = rendered(
            plan::plan_of(other, environment, std::string(CAISSON_SOURCE_DIR) + "/examples/" + name)
                .plan);
      } catch (const std::runtime_error&) {
        return;  // not another value that the language takes there
      }
      for (const auto& file : after) {
        const auto old = std::ranges::find(before, file.path, &Artifact::path);
        if (file.tree == nullptr || old == before.end()) continue;
        each_leaf(*file.tree, "", [&](const std::string& place) {
          const auto* was = old->tree->at(place);
          if (was == nullptr || *was == *file.tree->at(place)) return;
          ++changed;
          if (is_made_of_several(file.path, place)) return;
          if (place.starts_with("/Service/BindPaths/")) return;  // and of the path in the service
          const auto origin = origin_at(*file.tree, place).at;
          EXPECT_TRUE(is_below(pointer, origin) || is_below(origin, pointer))
              << name << pointer << " changed " << file.path << ":" << place
              << ", which says it is of " << origin;
        });
      }
    });
  }
  EXPECT_GT(changed, 200U);
}

/// The same for what a service writes, a line each: the line is that of the value, not that of the
/// service or of the section that it is in.
TEST(Origin, IsTheFieldItselfOfAService) {
  const std::string text = R"(caisson: v1
name: acme
version: 1.0.0
tenants: []
services:
  catalog:
    build:
      context: catalog
      dockerfile: Dockerfile.prod
      args:
        RELEASE: stable
    command: [serve]
    port: 8000
    health:
      path: /healthz
      interval: 11s
      timeout: 3s
      retries: 4
      start: 6s
    env:
      LOG_LEVEL: info
    resources: { cpu: 100m..500m, memory: 64Mi..256Mi }
    storage:
      path: /data
      size: 5Gi
    limits:
      processes: 200
      files: 1000
    local: { command: [python3, catalog.py] }
    secrets: [token]
secrets: { token: { from: generate } }
)";
  const auto base = plan::plan_of(text, "", CAISSON_SOURCE_DIR);
  const auto before = rendered(base.plan);
  const auto services = std::string("/services/");
  std::set<std::string> told;
  each_scalar(base.loaded.document, "", [&](const std::string& pointer, const spec::Node& node) {
    if (!pointer.starts_with(services)) return;
    auto other = text;
    other.replace(node.span.begin, node.span.end - node.span.begin, another(node.text));
    Artifacts after;
    try {
      after = rendered(plan::plan_of(other, "", CAISSON_SOURCE_DIR).plan);
    } catch (const std::runtime_error&) {
      return;  // not another value that the language takes there
    }
    for (const auto& file : after) {
      const auto old = std::ranges::find(before, file.path, &Artifact::path);
      if (file.tree == nullptr || old == before.end()) continue;
      each_leaf(*file.tree, "", [&](const std::string& place) {
        const auto* was = old->tree->at(place);
        if (was == nullptr || *was == *file.tree->at(place)) return;
        if (is_made_of_several(file.path, place) || place == "/Slice/TasksMax") return;
        const auto origin = origin_at(*file.tree, place).at;
        const auto parent = pointer.substr(0, pointer.rfind('/'));
        const bool is_word = std::isdigit(static_cast<unsigned char>(pointer.back())) != 0;
        const bool several =
            place.ends_with("/healthcheck/test/4") || place.ends_with("/probes/startup/failures");
        const bool within = (is_word && origin == parent) || (several && is_below(pointer, origin));
        EXPECT_EQ(origin, within ? origin : pointer) << file.path << ":" << place;
        told.insert(pointer);
      });
    }
  });
  for (const auto* field :
       {"/build/context", "/build/dockerfile", "/build/args/RELEASE", "/command/0", "/health/path",
        "/health/interval", "/health/timeout", "/health/retries", "/health/start", "/env/LOG_LEVEL",
        "/storage/path", "/storage/size", "/limits/files"}) {
    EXPECT_TRUE(told.contains(services + "catalog" + field)) << field;
  }
}

}  // namespace
}  // namespace caisson::render

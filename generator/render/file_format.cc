#include "generator/render/file_format.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/suggestion.h"
#include "generator/render/file_schema.h"
#include "generator/render/runtime_format.h"
#include "generator/render/unit_format.h"

namespace caisson::render {
namespace {

using Fault = std::optional<SchemaFault>;

/// The schema of what ends so; the first that fits.
struct Format {
  std::string_view end;
  std::string_view schema;
};
constexpr std::array<Format, 13> formats{
    {{"compose/compose.yaml", "compose-spec/compose-spec.json"},
     {"/Chart.yaml", "chart.yaml"},
     {"/stack.json", "stack.yaml"},
     {"/site.json", "site.yaml"},
     {"/dashboard.json", "dashboard.yaml"},
     {".backup.json", "backup.yaml"},
     {"/alertmanager.yaml", "alertmanager.yaml"},
     {"/blackbox.yaml", "blackbox.yaml"},
     {"/grafana-dashboards.yaml", "grafana-dashboards.yaml"},
     {"/grafana-datasources.yaml", "grafana-datasources.yaml"},
     {"/prometheus.yaml", "prometheus.yaml"},
     {"/rules.yaml", "rules.yaml"},
     {"/targets/uptime.json", "targets.yaml"}}};

std::string_view schema_of(std::string_view path) {
  const auto format =
      std::ranges::find_if(formats, [&](const Format& known) { return path.ends_with(known.end); });
  if (format != formats.end()) return format->schema;
  // What is left of Caisson's own: "runtime.json" and "runtime-acme.json".
  const auto name = path.substr(path.rfind('/') + 1);
  const bool runtime = name.starts_with("runtime") && name.ends_with(".json");
  return runtime && path.find("/observability/") == std::string_view::npos ? "runtime.yaml" : "";
}

bool is_unit(std::string_view path) {
  return path.starts_with("systemd/") &&
         (path.starts_with("systemd/system/") || path.ends_with(".conf"));
}

/// The names that an entry of a service has: of a list its words or their `key`, of a map its keys.
std::vector<std::string> names_in(const Node& node, std::string_view key) {
  std::vector<std::string> names;
  if (node.map() != nullptr) return node.keys();
  for (const auto& each : node.list() == nullptr ? Node::List{} : *node.list()) {
    const auto* name = each.text() != nullptr ? &each : each.find(key);
    if (name != nullptr && name->text() != nullptr) names.push_back(*name->text());
  }
  return names;
}

/// Compose reads "name:/path" as a volume, and "./name:/path" as a directory.
bool is_volume(const std::string& text) {
  return !text.empty() && std::string_view("./~$").find(text[0]) == std::string_view::npos;
}

/// Names that a service uses and nothing defines: Compose refuses the project.
Fault undefined(const Node& project) {
  struct Reference {
    std::string_view key;
    std::string_view section;
    std::string_view name;  // of an entry in its long form
  };
  constexpr std::array<Reference, 5> references{{{"depends_on", "services", ""},
                                                 {"networks", "networks", ""},
                                                 {"volumes", "volumes", "source"},
                                                 {"configs", "configs", "source"},
                                                 {"secrets", "secrets", "source"}}};
  const auto* services = project.find("services");
  if (services == nullptr) return {};
  for (const auto& [service, about] : *services->map()) {
    for (const auto& [key, section, name] : references) {
      const auto* used = about.find(key);
      if (used == nullptr) continue;
      for (auto each : names_in(*used, name)) {
        if (key == "volumes") {
          if (!is_volume(each)) continue;
          const auto colon = each.find(':');
          if (colon == std::string::npos && used->list() != nullptr && each.starts_with('/'))
            continue;
          each = each.substr(0, colon);
        }
        const auto* defined = project.find(section);
        if (defined != nullptr && defined->find(each) != nullptr) continue;
        if (key == "networks" && each == "default") continue;
        const auto there = defined == nullptr ? std::vector<std::string>{} : defined->keys();
        const std::vector<std::string_view> known(there.begin(), there.end());
        const auto meant = closest(each, known);
        return SchemaFault{"/services/" + pointer_segment(service) + "/" + std::string(key),
                           "names '" + each + "', which the file does not define",
                           meant.empty() ? "define it under '" + std::string(section) + "' first"
                                         : "did you mean '" + std::string(meant) + "'?"};
      }
    }
  }
  return {};
}

/// What of a service excludes something else of it: Compose refuses the project.
Fault excluded(const Node& project) {
  const auto* services = project.find("services");
  if (services == nullptr) return {};
  for (const auto& [service, about] : *services->map()) {
    const auto* mode = about.find("network_mode");
    const auto* networks = about.find("networks");
    if (mode == nullptr || networks == nullptr || mode->empty() || networks->empty()) continue;
    return SchemaFault{
        "/services/" + pointer_segment(service) + "/network_mode",
        "stands beside 'networks', and Compose takes one of them",
        "remove '/services/" + pointer_segment(service) + "/networks' by a patch before this one"};
  }
  return {};
}

}  // namespace

bool has_format(std::string_view path) { return !schema_of(path).empty(); }

std::optional<SchemaFault> format_fault(std::string_view path, const Node& tree) {
  if (is_unit(path)) return unit_fault(tree);
  const auto name = schema_of(path);
  if (name.empty()) return {};
  if (auto fault = fault_of(file_schema(name), tree)) return fault;
  if (name == "runtime.yaml") return runtime_contradiction(tree);
  if (!name.starts_with("compose-spec")) return {};
  if (auto fault = fault_of(file_schema("compose-values.yaml"), tree)) return fault;
  if (auto fault = excluded(tree)) return fault;
  return undefined(tree);
}

}  // namespace caisson::render

#include <map>

#include "generator/render/plan_report.h"

namespace caisson::render {

namespace {

/// A Graphviz string.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + '"';
}

std::string_view shape(plan::Role role) {
  switch (role) {
    case plan::Role::database:
    case plan::Role::cache:
      return "cylinder";
    case plan::Role::edge:
      return "house";
    default:
      return "box";
  }
}

}  // namespace

std::string plan_dot(const plan::Plan& plan) {
  std::string out = "digraph " + quoted(plan.name.value) + " {\n";
  out += "  rankdir=LR\n  node [fontname=\"sans-serif\", fontsize=11, style=rounded]\n";
  out += "  edge [fontname=\"sans-serif\", fontsize=9]\n";
  out += "  clients [shape=plaintext]\n";

  std::map<std::string_view, std::size_t> tenants;
  for (const auto& tenant : plan.tenants) ++tenants[tenant.instance];
  for (const auto& instance : plan.instances) {
    std::string label = instance.name;
    if (const auto found = tenants.find(instance.name); found != tenants.end()) {
      label += instance.tenant ? " (tenant " + *instance.tenant + ")"
                               : " (" + std::to_string(found->second) +
                                     (found->second == 1 ? " tenant)" : " tenants)");
    }
    out += "  " + quoted(instance.name) + " [label=" + quoted(label) +
           ", shape=" + std::string(shape(instance.role)) + "]\n";
  }
  for (const auto& network : plan.networks) {
    out += "  " + quoted("network " + network.name) + " [label=" + quoted(network.name) +
           ", shape=ellipse, style=" + (network.internal ? "dashed" : "solid") + "]\n";
  }
  if (!plan.edge.instance.empty()) out += "  clients -> " + quoted(plan.edge.instance) + "\n";
  for (const auto& instance : plan.instances) {
    for (const auto& network : instance.networks) {
      out += "  " + quoted(instance.name) + " -> " + quoted("network " + network) +
             " [dir=none, style=dotted]\n";
    }
    for (const auto& need : instance.needs) {
      out += "  " + quoted(instance.name) + " -> " + quoted(need) + " [label=needs]\n";
    }
  }
  return out + "}\n";
}

}  // namespace caisson::render

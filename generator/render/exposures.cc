#include "generator/render/exposures.h"

#include <array>
#include <string>
#include <utility>

namespace caisson::render {
namespace {

bool is_on(const Node* value) { return value != nullptr && value->value() == Node{true}.value(); }

bool is(const Node* value, std::string_view word) {
  return value != nullptr && value->text() != nullptr && *value->text() == word;
}

bool is_patched(const Node& value) { return value.origin().at.starts_with("/patches"); }

/// None where a patch or an environment puts something else in the place of a map.
const Node::Map& entries(const Node* map) {
  static const Node::Map none;
  return map == nullptr || map->map() == nullptr ? none : *map->map();
}

class Exposures {
 public:
  std::vector<Mistake> of_chart(const Node& values) {
    if (const auto* policies = values.find("networkPolicies");
        policies != nullptr && policies->value() == Node{false}.value())
      add(*policies, "networkPolicies: false lets every pod of the cluster reach every other one",
          "leave it true where the network of the cluster enforces policies");
    if (const auto* pods = values.find("pods")) pod(*pods, "every pod");
    workloads(values);
    for (const auto& [name, tenant] : entries(values.find("tenants"))) workloads(tenant);
    for (const auto& [name, object] : entries(values.find("extraObjects")))
      objects(object, "pods of extraObjects." + name);
    return std::move(found_);
  }

  std::vector<Mistake> of_compose(const Node& project) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> shared{
        {{"network_mode", "the network"}, {"pid", "the processes"}, {"ipc", "the shared memory"}}};
    for (const auto& [name, service] : entries(project.find("services"))) {
      const auto whose = "service '" + name + "'";
      for (const auto& [key, what] : shared)
        if (const auto* value = service.find(key); is(value, "host"))
          add(*value,
              std::string(key) + ": host gives " + whose + " " + std::string(what) + " of the host",
              "leave it out: what is on the host is every tenant's");
      if (const auto* value = service.find("privileged"); is_on(value))
        add(*value, "privileged: true gives " + whose + " the devices of the host",
            "leave it out: what is on the host is every tenant's");
      networks(service, whose);
    }
    return std::move(found_);
  }

 private:
  void workloads(const Node& place) {
    for (const auto& [name, workload] : entries(place.find("workloads"))) {
      const auto whose = "pods of '" + name + "'";
      if (const auto* own = workload.find("pod")) pod(*own, whose);
      networks(workload, whose);
      for (const auto& [port, where] : entries(workload.find("ports")))
        networks(where, std::string("port '").append(port).append("' of ").append(whose));
    }
  }

  /// Of a list, as compose has it too, only a patch of the whole list can be told.
  void networks(const Node& place, const std::string& whose) {
    const auto* networks = place.find("networks");
    if (networks == nullptr) return;
    const auto joins = [&](const Node& at, const std::string& network) {
      add(at, "a patch puts " + whose + " on network '" + network + "'",
          "leave it out: 'needs' of a service says what it reaches");
    };
    for (const auto& [network, how] : entries(networks))
      if (is_patched(how) || is_patched(*networks)) joins(how, network);
    if (networks->list() == nullptr || !is_patched(*networks)) return;
    for (const auto& network : *networks->list())
      if (network.text() != nullptr) joins(*networks, *network.text());
  }

  /// Of an object of any kind: a pod's spec stands at another depth in each.
  void objects(const Node& object, const std::string& whose) {
    spec(object, whose);
    for (const auto& [key, value] : entries(&object)) objects(value, whose);
    if (object.list() != nullptr)
      for (const auto& item : *object.list()) objects(item, whose);
  }

  void pod(const Node& pod, const std::string& whose) {
    if (const auto* own = pod.find("spec"); own != nullptr) spec(*own, whose);
  }

  void spec(const Node& spec, const std::string& whose) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> shared{
        {{"hostNetwork", "the network"},
         {"hostPID", "the processes"},
         {"hostIPC", "the shared memory"}}};
    for (const auto& [key, what] : shared)
      if (const auto* value = spec.find(key); is_on(value))
        add(*value,
            std::string(key) + ": true gives " + whose + " " + std::string(what) + " of the node",
            "leave it out: no network policy of the chart holds for the node");
    for (const auto* key : {"containers", "initContainers", "ephemeralContainers"}) {
      const auto* containers = spec.find(key);
      if (containers == nullptr || containers->list() == nullptr) continue;
      for (const auto& container : *containers->list())
        if (const auto* value = container.at("/securityContext/privileged"); is_on(value))
          add(*value, "privileged: true gives " + whose + " the devices of the node",
              "leave it out, or run what needs it in a namespace of its own");
    }
  }

  void add(const Node& value, std::string message, std::string remedy) {
    found_.push_back({.code = "W0305",
                      .pointer = value.origin().at,
                      .message = std::move(message),
                      .remedy = std::move(remedy),
                      .severity = source::Severity::warning});
  }

  std::vector<Mistake> found_;
};

bool is_chart_values(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);
  return path.starts_with("helm/") && name.starts_with("values") && name.ends_with(".yaml");
}

}  // namespace

std::vector<Mistake> exposures(std::string_view path, const Node& tree) {
  if (is_chart_values(path)) return Exposures().of_chart(tree);
  if (path == "compose/compose.yaml") return Exposures().of_compose(tree);
  return {};
}

}  // namespace caisson::render

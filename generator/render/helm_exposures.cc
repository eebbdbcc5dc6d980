#include "generator/render/helm_exposures.h"

#include <array>
#include <string>
#include <utility>

namespace caisson::render {
namespace {

bool is_on(const Node* value) { return value != nullptr && value->value() == Node{true}.value(); }

class Exposures {
 public:
  std::vector<Mistake> of(const Node& values) {
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

 private:
  /// None where an environment takes a map away.
  static const Node::Map& entries(const Node* map) {
    static const Node::Map none;
    return map == nullptr || map->map() == nullptr ? none : *map->map();
  }

  void workloads(const Node& place) {
    for (const auto& [name, workload] : entries(place.find("workloads")))
      if (const auto* own = workload.find("pod")) pod(*own, "pods of '" + name + "'");
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

}  // namespace

bool is_chart_values(std::string_view path) {
  return path.starts_with("helm/") && path.ends_with("/values.yaml");
}

std::vector<Mistake> exposures(const Node& values) { return Exposures().of(values); }

}  // namespace caisson::render

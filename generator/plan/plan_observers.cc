#include "generator/plan/draft.h"

namespace caisson::plan {

namespace {

constexpr std::int64_t mebibyte = 1048576;

Instance observer(Draft& draft, Role role, std::string_view name, std::uint16_t port,
                  std::int64_t memory_mebibytes, const std::string& pointer) {
  return {.name = draft.instance_names.take(std::string(name)),
          .role = role,
          .ports = {{.name = "http",
                     .number = {port, derived(pointer)},
                     .purpose = Port::Purpose::http}},
          .resources = {.cpu_request_millis = {50, derived(pointer)},
                        .cpu_limit_millis = {500, derived(pointer)},
                        .memory_request_bytes = {memory_mebibytes / 4 * mebibyte, derived(pointer)},
                        .memory_limit_bytes = {memory_mebibytes * mebibyte, derived(pointer)}},
          .uid = 65534,
          .origin = draft.origin(pointer)};
}

}  // namespace

void plan_observers(Draft& draft) {
  auto& plan = draft.plan;
  const auto& observe = plan.observability;
  if (!observe.metrics || !observe.prometheus) return;

  plan.networks.push_back({.name = draft.network_names.take("observe"),
                           .purpose = "Prometheus, Alertmanager and Grafana",
                           .origin = derived("/observability")});
  const auto network = plan.networks.back().name;

  auto prometheus =
      observer(draft, Role::prometheus, "prometheus", 9090, 512, "/observability/prometheus");
  prometheus.networks = {network};
  for (const auto& instance : plan.instances) {
    for (const auto& port : instance.ports) {
      if (port.purpose == Port::Purpose::operator_api) prometheus.networks.push_back(port.network);
    }
  }
  plan.volumes.push_back({.name = draft.volume_names.take("prometheus-data"),
                          .size_bytes = observe.prometheus_storage_bytes,
                          .origin = derived("/observability/prometheus")});
  prometheus.volumes.push_back({.volume = plan.volumes.back().name, .path = "/prometheus"});

  if (!observe.alerts.empty()) {
    auto alertmanager =
        observer(draft, Role::alertmanager, "alertmanager", 9093, 128, "/observability/alerts");
    alertmanager.networks = {network};
    for (const auto& receiver : observe.alerts) {
      if (receiver.kind == AlertReceiver::Kind::email) continue;
      alertmanager.secrets.push_back({receiver.target, "/run/secrets/" + receiver.target});
    }
    prometheus.needs.push_back(alertmanager.name);
    plan.instances.push_back(std::move(alertmanager));
  }
  const auto scraper = prometheus.name;
  plan.instances.push_back(std::move(prometheus));

  if (observe.grafana) {
    auto grafana = observer(draft, Role::grafana, "grafana", 3000, 256, "/observability/grafana");
    grafana.networks = {network};
    grafana.needs = {scraper};
    plan.volumes.push_back({.name = draft.volume_names.take("grafana-data"),
                            .size_bytes = {1024 * mebibyte, derived("/observability/grafana")},
                            .origin = derived("/observability/grafana")});
    grafana.volumes.push_back({.volume = plan.volumes.back().name, .path = "/var/lib/grafana"});
    plan.instances.push_back(std::move(grafana));
  }
}

}  // namespace caisson::plan

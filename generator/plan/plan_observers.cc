#include <algorithm>

#include "generator/plan/draft.h"

namespace caisson::plan {

namespace {

constexpr std::int64_t mebibyte = 1048576;

/// Where Caddy offers its metrics; its admin API, which has this port by default, is off.
constexpr std::uint16_t edge_metrics_port = 2019;

/// What one program of the observers looks like.
struct Shape {
  Role role = Role::prometheus;
  std::string_view name;
  std::uint16_t port = 0;
  std::int64_t memory_mebibytes = 0;
  std::string_view health;  ///< path that answers 200
  std::string pointer;
};

class Observers {
 public:
  explicit Observers(Draft& draft) : draft_(draft), plan_(draft.plan) {}

  void plan() {
    network_ = network("observe", true, "Prometheus and those that it works with; nobody else");
    watch_edge();
    const auto alerter = alerted() ? alertmanager() : std::string{};
    if (watched()) blackbox();
    const auto scraper = prometheus(alerter);
    if (plan_.observability.grafana) grafana(scraper);
  }

 private:
  [[nodiscard]] const Observability& settings() const { return plan_.observability; }
  [[nodiscard]] bool alerted() const {
    return !settings().alerts.empty() || !settings().heartbeat.empty();
  }
  [[nodiscard]] bool watched() const {
    return settings().uptime_checks.value && !plan_.edge.instance.empty();
  }

  std::string network(const std::string& name, bool internal, std::string purpose) {
    plan_.networks.push_back({.name = draft_.network_names.take(name),
                              .internal = internal,
                              .purpose = std::move(purpose),
                              .origin = derived("/observability")});
    return plan_.networks.back().name;
  }

  void volume(Instance& instance, Traced<std::int64_t> size, std::string_view path) {
    plan_.volumes.push_back({.name = draft_.volume_names.take(instance.name + "-data"),
                             .size_bytes = std::move(size),
                             .origin = instance.origin});
    instance.volumes.push_back({.volume = plan_.volumes.back().name, .path = std::string(path)});
  }

  /// It listens on the observers' network alone, whichever others it asks on: what it asks must not
  /// reach it.
  [[nodiscard]] Instance observer(const Shape& shape) {
    const auto origin = derived(shape.pointer);
    return {.name = draft_.instance_names.take(std::string(shape.name)),
            .role = shape.role,
            .ports = {{.name = "http",
                       .number = {shape.port, origin},
                       .purpose = Port::Purpose::http,
                       .network = network_}},
            .resources = {.cpu_request_millis = {50, origin},
                          .cpu_limit_millis = {500, origin},
                          .memory_request_bytes = {shape.memory_mebibytes / 4 * mebibyte, origin},
                          .memory_limit_bytes = {shape.memory_mebibytes * mebibyte, origin}},
            .networks = {network_},
            .health = Health{.kind = Health::Kind::http,
                             .path = {std::string(shape.health), origin},
                             .start_ms = 30'000},
            .uid = 65534,
            .origin = draft_.origin(shape.pointer)};
  }

  /// The edge on a network of its own with those that look at it.
  void watch_edge() {
    const auto edge = std::ranges::find(plan_.instances, plan_.edge.instance, &Instance::name);
    const bool measured = plan_.edge.proxy.value == Edge::Proxy::caddy;
    if (edge == plan_.instances.end() || (!measured && !watched())) return;
    watch_ = network("watch", true, "the edge as Prometheus and the uptime checks reach it");
    edge->networks.push_back(watch_);
    if (!measured) return;
    edge->ports.push_back({.name = "metrics",
                           .number = {edge_metrics_port, derived("/observability/metrics")},
                           .purpose = Port::Purpose::metrics,
                           .network = watch_});
  }

  std::string prometheus(const std::string& alerter) {
    auto to = observer({.role = Role::prometheus,
                        .name = "prometheus",
                        .port = 9090,
                        .memory_mebibytes = 512,
                        .health = "/-/ready",
                        .pointer = "/observability/prometheus"});
    to.configs = {{"prometheus.yaml", "/etc/prometheus/prometheus.yaml"},
                  {"rules.yaml", "/etc/prometheus/rules.yaml"}};
    for (const auto& instance : plan_.instances) {
      for (const auto& port : instance.ports) {
        if (port.purpose == Port::Purpose::metrics) to.networks.push_back(port.network);
      }
    }
    volume(to, settings().prometheus_storage_bytes, "/prometheus");
    if (!alerter.empty()) to.needs.push_back(alerter);
    plan_.instances.push_back(std::move(to));
    return plan_.instances.back().name;
  }

  std::string alertmanager() {
    auto to = observer({.role = Role::alertmanager,
                        .name = "alertmanager",
                        .port = 9093,
                        .memory_mebibytes = 128,
                        .health = "/-/ready",
                        .pointer = "/observability/alerts"});
    to.configs = {{"alertmanager.yaml", "/etc/alertmanager/alertmanager.yaml"}};
    to.networks.push_back(network("alert", false, "how alerts and the heartbeat leave"));
    volume(to, {64 * mebibyte, derived("/observability/alerts")}, "/alertmanager");
    const auto mount = [&](const std::string& secret) {
      const bool known =
          std::ranges::find(to.secrets, secret, &SecretMount::secret) != to.secrets.end();
      if (!secret.empty() && !known) to.secrets.push_back({secret, "/run/secrets/" + secret});
    };
    for (const auto& receiver : settings().alerts) {
      if (receiver.kind != AlertReceiver::Kind::email) mount(receiver.target);
    }
    mount(settings().smtp.password);
    mount(settings().heartbeat);
    plan_.instances.push_back(std::move(to));
    return plan_.instances.back().name;
  }

  void blackbox() {
    auto to = observer({.role = Role::blackbox,
                        .name = "blackbox",
                        .port = 9115,
                        .memory_mebibytes = 64,
                        .health = "/-/healthy",
                        .pointer = "/observability/uptime"});
    to.configs = {{"blackbox.yaml", "/etc/blackbox/blackbox.yaml"}};
    to.networks.push_back(watch_);
    plan_.instances.push_back(std::move(to));
  }

  void grafana(const std::string& scraper) {
    auto to = observer({.role = Role::grafana,
                        .name = "grafana",
                        .port = 3000,
                        .memory_mebibytes = 256,
                        .health = "/api/health",
                        .pointer = "/observability/grafana"});
    to.uid = 472;  // the image's own, which owns its data directory
    to.needs = {scraper};
    to.configs = {
        {"grafana-datasources.yaml", "/etc/grafana/provisioning/datasources/caisson.yaml"},
        {"grafana-dashboards.yaml", "/etc/grafana/provisioning/dashboards/caisson.yaml"}};
    for (const auto name : dashboards) {
      to.configs.push_back({"dashboard-" + std::string(name) + ".json",
                            "/etc/grafana/dashboards/" + std::string(name) + ".json"});
    }
    volume(to, {1024 * mebibyte, derived("/observability/grafana")}, "/var/lib/grafana");
    const auto password = draft_.secret_names.take("grafana-admin-password");
    plan_.secrets.push_back({.name = password, .internal = true, .origin = to.origin});
    to.secrets.push_back({password, "/run/secrets/" + password});
    to.env.push_back({.name = "GF_SECURITY_ADMIN_PASSWORD__FILE",
                      .value = {"/run/secrets/" + password, derived("/observability/grafana")},
                      .secret = {}});
    plan_.instances.push_back(std::move(to));
  }

  Draft& draft_;
  Plan& plan_;
  std::string network_;
  std::string watch_;
};

}  // namespace

void plan_observers(Draft& draft) {
  const auto& settings = draft.plan.observability;
  if (settings.metrics && settings.prometheus) Observers(draft).plan();
}

}  // namespace caisson::plan

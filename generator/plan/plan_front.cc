#include <algorithm>

#include "generator/plan/draft.h"

namespace caisson::plan {

namespace {

constexpr std::int64_t mebibyte = 1048576;
/// Of either proxy, with the buffers of a request.
constexpr std::int64_t bytes_of_a_connection = 32'768;
/// Beside those of connections; nginx counts on 64 of them.
constexpr std::int64_t edge_files_of_its_own = 384;
/// What any target gives an edge that says nothing: who asks for more connections gets no less.
constexpr std::int64_t most_files = 65'536;

const Instance* shared_runtime(const Plan& plan) {
  const auto found = std::ranges::find_if(plan.instances, [](const Instance& instance) {
    return instance.role == Role::runtime && !instance.tenant;
  });
  return found == plan.instances.end() ? nullptr : &*found;
}

/// The network that the edge shares with everything that is not one tenant's alone.
std::string front_network(Draft& draft) {
  if (const auto* runtime = shared_runtime(draft.plan)) return runtime->networks.front();
  draft.plan.networks.push_back({.name = draft.network_names.take("front"),
                                 .purpose = "the edge and the dashboard",
                                 .origin = derived("/edge")});
  return draft.plan.networks.back().name;
}

std::string dashboard(Draft& draft, const std::string& front) {
  const auto& from = draft.spec().dashboard;
  if (!from.enabled) return {};
  Instance to{.name = draft.instance_names.take("dashboard"),
              .role = Role::dashboard,
              .command = {"dashboard", "--config", "/etc/caisson/dashboard.json"},
              .ports = {{.name = "http",
                         .number = {8080, derived("/dashboard")},
                         .purpose = Port::Purpose::http}},
              .replicas = draft.trace(Replicas{from.replicas.min, from.replicas.max},
                                      "/dashboard/replicas"),
              .resources = resources(draft, from.resources, "/dashboard/resources"),
              .configs = {{"dashboard.json", "/etc/caisson/dashboard.json"}},
              .networks = {front},
              .health = Health{.kind = Health::Kind::runtime_command,
                               .command = {"health", "--url", "http://127.0.0.1:8080/readyz"},
                               .interval_ms = own_health_interval_ms},
              .origin = draft.origin("/dashboard")};
  draft.plan.instances.push_back(to);
  return to.name;
}

/// nginx cannot get certificates by itself. What can keeps them in the volume that both share, and
/// asks the runtimes, on the edge's networks, whose names they are.
void certificates(Draft& draft, const Instance& edge) {
  const auto& settings = draft.plan.edge;
  const bool acme = settings.tls.value == Edge::Tls::acme;
  if (settings.proxy.value != Edge::Proxy::nginx ||
      (!acme && settings.tls.value != Edge::Tls::internal)) {
    return;
  }
  Instance to{
      .name = draft.instance_names.take("certificates"),
      .role = Role::certificates,
      .command = {"run"},
      .resources = {.cpu_request_millis = {50, derived("/edge/tls")},
                    .cpu_limit_millis = {500, derived("/edge/tls")},
                    .memory_request_bytes = {64 * mebibyte, derived("/edge/tls")},
                    .memory_limit_bytes = {192 * mebibyte, derived("/edge/tls")}},
      .env = {{.name = "AUTHORITY", .value = {acme ? "acme" : "internal", settings.tls.origin}}},
      .volumes = {{.volume = edge.volumes.front().volume, .path = "/data"}},
      .configs = {{"certificates.sh", "/etc/caisson/certificates.sh"}},
      .networks = edge.networks,
      .needs = {edge.name},
      .health = Health{.kind = Health::Kind::command,
                       .command = {"/bin/sh", "/etc/caisson/certificates.sh", "health"},
                       .interval_ms = 5'000},
      .origin = draft.origin("/edge/tls")};
  if (acme) {
    to.env.push_back({.name = "ACME_EMAIL", .value = settings.email});
    if (!settings.ca.value.empty()) {
      to.env.push_back({.name = "ACME_DIRECTORY", .value = settings.ca});
    }
  }
  if (!settings.ca_root.empty()) {
    to.secrets.push_back({settings.ca_root, "/run/secrets/" + settings.ca_root});
    to.env.push_back({.name = "REQUESTS_CA_BUNDLE",
                      .value = {to.secrets.back().path, derived("/edge/tls/ca-root")}});
  }
  draft.plan.instances.push_back(std::move(to));
}

void edge(Draft& draft, const std::string& front, const std::string& dashboard) {
  auto& plan = draft.plan;
  if (plan.edge.proxy.value == Edge::Proxy::none) return;
  const bool nginx = plan.edge.proxy.value == Edge::Proxy::nginx;
  const bool secure = plan.edge.tls.value != Edge::Tls::off;
  plan.edge.instance = draft.instance_names.take("edge");
  Instance to{
      .name = plan.edge.instance,
      .role = Role::edge,
      .command = nginx ? std::vector<std::string>{"-e", "stderr", "-c", "/etc/nginx/nginx.conf"}
                       : std::vector<std::string>{"run", "--config", "/etc/caddy/Caddyfile",
                                                  "--adapter", "caddyfile"},
      .resources = {.cpu_request_millis = {100, derived("/edge")},
                    .cpu_limit_millis = {1000, derived("/edge")},
                    .memory_request_bytes = {64 * mebibyte, derived("/edge")},
                    .memory_limit_bytes = {256 * mebibyte, derived("/edge")}},
      .configs = {nginx ? ConfigMount{"nginx.conf", "/etc/nginx/nginx.conf"}
                        : ConfigMount{"Caddyfile", "/etc/caddy/Caddyfile"}},
      .health = Health{.kind = Health::Kind::runtime_command,
                       .command = {"health", "--url", "http://127.0.0.1:8079/"},
                       .interval_ms = own_health_interval_ms},
      .origin = draft.origin("/edge")};
  const auto most = plan.edge.connections;
  if (most.value == 0) to.resources.files = {most_files, most.origin};  // no bound
  if (most.value > edge_connections) {
    to.resources.files = {std::max(most_files, 2 * most.value + edge_files_of_its_own),
                          most.origin};
    auto& memory = to.resources.memory_limit_bytes;
    memory = {std::max(memory.value, most.value * bytes_of_a_connection), most.origin};
  }
  to.ports.push_back({.name = "http",
                      .number = {8080, derived("/edge/http")},
                      .purpose = Port::Purpose::http,
                      .published = true});
  if (secure) {
    to.ports.push_back({.name = "https",
                        .number = {8443, derived("/edge/https")},
                        .purpose = Port::Purpose::https,
                        .published = true});
  }
  for (const auto* secret : {&plan.edge.certificate, &plan.edge.key, &plan.edge.ca_root}) {
    if (nginx && secret == &plan.edge.ca_root) continue;
    if (!secret->empty()) to.secrets.push_back({*secret, "/run/secrets/" + *secret});
  }
  plan.volumes.push_back({.name = draft.volume_names.take("edge-data"),
                          .size_bytes = {64 * mebibyte, derived("/edge")},
                          .origin = derived("/edge")});
  to.volumes.push_back({.volume = plan.volumes.back().name, .path = "/data", .read_only = nginx});

  plan.networks.push_back(
      {.name = draft.network_names.take("public"),
       .internal = false,
       .purpose = "the edge, its clients and its certificate authority; nothing else is on it",
       .origin = derived("/edge")});
  to.networks = {plan.networks.back().name, front};
  for (const auto& instance : plan.instances) {
    if (instance.role == Role::runtime && instance.tenant) {
      to.networks.push_back(instance.networks.front());
    }
  }
  if (const auto* runtime = shared_runtime(plan)) to.needs.push_back(runtime->name);
  if (!dashboard.empty()) to.needs.push_back(dashboard);
  plan.instances.push_back(to);
  certificates(draft, to);
}

/// First match wins: tenants' hosts, their own domains, the bare domain, then everything that the
/// shared runtime alone can tell apart.
void routes(Draft& draft, const std::string& dashboard) {
  auto& plan = draft.plan;
  if (plan.edge.instance.empty()) return;
  const auto tenant_host = [&](const std::string& host, const std::string& runtime,
                               const std::optional<std::string>& tenant, const Origin& origin) {
    if (!dashboard.empty()) {
      plan.routes.push_back({.host = host,
                             .path_prefix = "/dashboard",
                             .instance = dashboard,
                             .port = "http",
                             .tenant = tenant,
                             .origin = origin});
    }
    plan.routes.push_back({.host = host,
                           .path_prefix = {},
                           .instance = runtime,
                           .port = "data",
                           .tenant = tenant,
                           .origin = origin});
  };
  for (const auto& tenant : plan.tenants) {
    const auto origin = derived(tenant.origin.pointer);
    tenant_host(tenant.host, tenant.instance, tenant.slug, origin);
    for (const auto& domain : tenant.domains) {
      tenant_host(domain, tenant.instance, tenant.slug, origin);
    }
  }
  const auto* shared = shared_runtime(plan);
  if (!dashboard.empty() || shared != nullptr) {
    plan.routes.push_back({.host = plan.domain.value,
                           .path_prefix = {},
                           .instance = dashboard.empty() ? shared->name : dashboard,
                           .port = dashboard.empty() ? "data" : "http",
                           .tenant = std::nullopt,
                           .origin = derived("/domain")});
  }
  if (shared != nullptr) {
    tenant_host("*." + plan.domain.value, shared->name, std::nullopt, derived("/domain"));
    tenant_host("*", shared->name, std::nullopt, derived("/domain"));
  }
}

}  // namespace

void plan_front(Draft& draft) {
  const auto front = front_network(draft);
  const auto board = dashboard(draft, front);
  edge(draft, front, board);
  routes(draft, board);
}

}  // namespace caisson::plan

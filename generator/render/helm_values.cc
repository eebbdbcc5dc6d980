#include "generator/render/helm_values.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "generator/plan/names.h"
#include "generator/render/calendar.h"
#include "generator/render/helm_workload.h"
#include "generator/render/people.h"
#include "generator/render/plan_report.h"
#include "generator/render/runtime_config.h"
#include "generator/spec/reserved.h"

namespace caisson::render {

namespace {

using plan::HelmSettings;
using plan::Instance;
using plan::Port;
using plan::Role;
using plan::Secret;

const plan::Origin target{plan::Origin::Kind::derived, "/targets/helm"};

/// How long a pod that is to stop serves on. The edge of a small cluster heard within 300 ms that
/// its endpoint is withdrawn (docs/helm.md); what is left is downtime, since the next pod waits for
/// the volume. Nowhere else does anybody route by readiness.
constexpr std::int64_t lame_duck_ms = 1'000;

class HelmSite final : public ContainerSite {
 public:
  /// Every address of the pod; who may reach a port is the network policies' business.
  [[nodiscard]] std::string listen(const Instance&, const Port& port) const override {
    return "[::]:" + std::to_string(port.number.value);
  }
  /// The addresses that clusters give to pods. Of those, the policies let in only the Ingress
  /// controller and the product's services.
  [[nodiscard]] std::vector<std::string> proxies() const override {
    return {"10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"};
  }
};

/// A list of things with a name as a map; `key` is the member that holds the name.
Node by_name(const Node& list, std::string_view key) {
  Node map{Node::Map{}, list.origin()};
  for (const auto& element : *list.list()) {
    auto entry = element;
    const auto name = *entry.find(key)->text();
    entry.remove(key);
    map.add(name, std::move(entry));
  }
  return map;
}

/// Waits until `instance` answers; run by the image of the runtime.
Node waiting(const Instance& instance, const plan::Origin& origin) {
  const auto address = instance.name + ":" + std::to_string(instance.ports.front().number.value);
  const auto* health = instance.health ? &*instance.health : nullptr;
  const bool http = health != nullptr &&
                    (health->kind == plan::Health::Kind::http || instance.role == Role::runtime);
  const auto path =
      http && health->kind == plan::Health::Kind::http ? health->path.value : "/readyz";
  Node node{Node::Map{}, origin};
  node.add("args",
           Node{Node::List{{"health", origin},
                           {"--url", origin},
                           {http ? "http://" + address + path : "tcp://" + address, origin}},
                origin});
  return node;
}

}  // namespace

bool HelmValues::runs(const Instance& instance) {
  constexpr std::array roles{Role::runtime, Role::dashboard, Role::service, Role::database,
                             Role::cache};
  return std::ranges::find(roles, instance.role) != roles.end();
}

Result<HelmValues> HelmValues::load(const plan::Plan& plan, const Index& index,
                                    const Blueprints& blueprints) {
  HelmValues values(plan, index);
  auto images = ComposeServices::load(plan, blueprints);
  if (!images) return tl::unexpected(images.error());
  values.images_ = std::make_shared<const ComposeServices>(std::move(*images));
  for (const auto& [name, to] : {std::pair{"helm/values.yaml", &values.chart_},
                                 std::pair{"helm/tenant.yaml", &values.tenant_},
                                 std::pair{"helm/workload.yaml", &values.workload_},
                                 std::pair{"helm/runtime.yaml", &values.roles_[Role::runtime]},
                                 std::pair{"helm/dashboard.yaml", &values.roles_[Role::dashboard]},
                                 std::pair{"helm/database.yaml", &values.roles_[Role::database]},
                                 std::pair{"helm/cache.yaml", &values.roles_[Role::cache]}}) {
    auto tree = blueprints.yaml(name);
    if (!tree) return tl::unexpected(tree.error());
    *to = std::move(*tree);
  }
  if (!plan.database.instance.empty()) {
    Node data{Node::Map{}};
    data.add("database", plan.database.name);
    data.add("user", plan.database.user);
    auto text = fill(blueprints, "compose/database-init.sql", data);
    if (!text) return tl::unexpected(text.error());
    values.database_init_ = std::move(text->bytes);
  }

  values.namespaces_ = helm::namespaces(plan);
  // The spec has nothing of these names.
  for (const auto& instance : plan.instances) {
    values.headless_.emplace(instance.name,
                             plan::derived_name({instance.name, spec::pods_suffix.suffix}));
  }
  for (const auto& instance : plan.instances) {
    if (!runs(instance)) continue;
    for (const auto& network : instance.networks) {
      values.network_places_[network].insert(values.place(instance));
    }
  }
  values.closed_ = spec::closed_service;
  for (const auto& volume : plan.volumes) values.volumes_.emplace(volume.name, &volume);
  for (const auto& route : plan.routes) values.routed_.emplace(route.instance, route.port);
  return values;
}

std::string HelmValues::place(const Instance& instance) const {
  return instance.tenant && namespaces_.contains(*instance.tenant) ? *instance.tenant
                                                                   : std::string{};
}

std::string HelmValues::image(const Instance& instance) const {
  if (!instance.image.value.empty()) return instance.image.value;
  if (instance.build) return plan_->name.value + "-" + instance.name + ":" + plan_->version.value;
  if (instance.role == Role::database) {
    return images_->foreign("postgres", plan_->database.version).reference;
  }
  if (instance.role == Role::cache) return images_->foreign("redis").reference;
  return "caisson-" + std::string(name_of(instance.role)) + ":" + CAISSON_VERSION;
}

Result<Node> HelmValues::tree() const {
  const auto& plan = *plan_;
  Node values{Node::Map{}};
  values.add("name", plan.name);
  values.add("version", plan.version);
  values.merge(chart_);
  values.set("storageClass", plan.targets.cluster.storage_class)
      .remark("Class of the volumes; empty: the cluster's default.");
  const auto runtime = std::ranges::find(plan.instances, Role::runtime, &Instance::role);
  Node images{Node::Map{}, target};
  images.add("runtime",
             {runtime == plan.instances.end() ? "caisson-runtime:" + std::string(CAISSON_VERSION)
                                              : image(*runtime),
              runtime == plan.instances.end() ? target : runtime->image.origin});
  values.set("images", std::move(images))
      .remark("What `helm test` runs, and what workloads that are no runtimes run before a start.");
  Node over{Node::Map{}};
  over.add("ingress", ingress());
  Node metrics{Node::Map{}};
  metrics.add("enabled", plan.observability.metrics);
  over.add("metrics", std::move(metrics));
  values.merge(std::move(over));
  values.set("secrets", secrets())
      .remark("Where each secret comes from; its value is never written here.");

  ByPlace workloads;
  ByPlace routed = hosts();
  std::map<std::string, helm::Amount, std::less<>> amounts;
  bool aliased = false;
  bool scaled = false;
  for (const auto& instance : plan.instances) {
    if (!runs(instance)) continue;
    const auto there = place(instance);
    auto& made = workloads[there].add(instance.name, workload(instance));
    made.remark(helm::remark(instance));
    aliased |= made.find("aliases") != nullptr;
    scaled |= instance.replicas.value.max > instance.replicas.value.min;
    amounts[there].add(instance, made.find("backup") != nullptr);
  }
  if (auto joined = tenant_networks(); !joined.empty()) {
    values.set("tenantNetworks", std::move(joined))
        .remark(
            "Networks of one tenant's that shared workloads are on: they have one label for all.");
  }
  // What nothing reads is not there.
  if (!aliased) values.remove("clusterDomain");
  if (!scaled) values.remove("autoscaling");
  values.set("workloads", std::move(workloads[""]))
      .remark("What all tenants share, in the release's namespace.");
  values.set("hosts", std::move(routed[""]));
  Node tenants{Node::Map{}, plan::Origin{plan::Origin::Kind::derived, "/tenants"}};
  for (const auto& placed : plan.tenants) {
    if (!namespaces_.contains(placed.slug)) continue;
    Node entry{Node::Map{}, placed.origin};
    entry.add("namespace", {namespaces_.find(placed.slug)->second,
                            plan::Origin{plan::Origin::Kind::derived,
                                         plan.targets.cluster.namespace_.origin.pointer}});
    entry.merge(tenant_);
    entry
        .set("quota",
             amounts[placed.slug].quota({plan::Origin::Kind::derived, "/runtime/resources"}))
        .remark("Room for everything here at its limits, and for an update.");
    entry.set("workloads", std::move(workloads[placed.slug]));
    entry.set("hosts", std::move(routed[placed.slug]));
    tenants.add(placed.slug, std::move(entry));
  }
  values.set("tenants", std::move(tenants))
      .remark("Tenants with a deployment of their own, each in a namespace of its own.");
  return values;
}

Node HelmValues::workload(const Instance& instance) const {
  Node node{Node::Map{}, instance.origin};
  const bool keeps = !instance.volumes.empty() || instance.role == Role::runtime;
  node.add("kind", {keeps ? "StatefulSet" : "Deployment", instance.origin});
  node.add("role", {name_of(instance.role), instance.origin});
  if (keeps) {
    node.add("controller", {helm::controller(instance), instance.origin});
    node.add("headless", {headless_.find(instance.name)->second, instance.origin});
  }
  if (instance.tenant && place(instance).empty()) {
    node.add("tenant", {*instance.tenant, instance.origin});
  }
  // What the spec has no word for is there because the instance is.
  const auto& said = instance.image.origin;
  node.add("image", {image(instance), said.pointer.empty() ? instance.origin : said});
  node.merge(workload_);
  if (const auto role = roles_.find(instance.role); role != roles_.end()) node.merge(role->second);
  helm::lay_over(node, instance, volumes_);
  node.set("ports", ports(instance));
  if (auto also = aliases(instance); !also.empty()) node.set("aliases", std::move(also));
  if (auto before = init(instance); !before.empty()) {
    Node over{Node::Map{}};
    over.add("init", std::move(before));
    node.merge(std::move(over));
  }
  if (!instance.egress.empty() && !plan_->egress.dns.empty()) {
    Node servers{Node::Map{}};
    for (const auto& server : plan_->egress.dns) servers.set(server.value, {true, server.origin});
    node.set("nameservers", std::move(servers));
  }
  files(node, instance);
  if (instance.role == Role::runtime && !plan_->backup.schedule.value.empty()) {
    node.set("backup", backup(instance));
  }
  return node;
}

Node HelmValues::backup(const Instance& instance) const {
  const auto& from = plan_->backup;
  const auto& mount = instance.volumes.front();
  const auto& size = volumes_.find(mount.volume)->second->size_bytes;
  const bool is_path = from.to.value.starts_with('/');
  Node node{Node::Map{}, from.schedule.origin};
  node.add("schedule", {kubernetes_schedule(from.schedule.value), from.schedule.origin});
  node.add("keep", from.keep);
  node.add("to", {is_path ? from.to.value : "/var/backups/" + plan_->name.value, from.to.origin});
  node.add("size", {helm::byte_size(size.value), size.origin});
  node.add("volume", {mount.volume, instance.origin});
  const auto* port = port_for(instance, Port::Purpose::operator_api);
  node.add("port", {port->name, instance.origin});
  node.add("token", {instance.operator_token, instance.origin});
  return node;
}

void HelmValues::files(Node& node, const Instance& instance) const {
  const HelmSite site;
  if (instance.role == Role::runtime) {
    auto config = runtime_config(*plan_, *index_, instance, site);
    // The template listens on the workload's ports.
    config.remove("listen");
    const plan::Origin why{plan::Origin::Kind::derived, "/runtime/drain"};
    config.set("lame-duck-ms", {lame_duck_ms, why});
    if (const auto* tenants = config.find("tenants"))
      config.set("tenants", by_name(*tenants, "slug"));
    node.set("configPath", {instance.configs.front().path, instance.origin});
    node.set("config", std::move(config));
  } else if (instance.role == Role::dashboard) {
    auto config = dashboard_config(*plan_, instance, site);
    config.remove("listen");
    node.set("configPath", {instance.configs.front().path, instance.origin});
    node.set("config", std::move(config));
  } else if (instance.role == Role::database && !instance.configs.empty()) {
    Node files{Node::Map{}};
    files.add(instance.configs.front().path, {database_init_, instance.origin});
    node.set("files", std::move(files));
  }
}

Node HelmValues::ports(const Instance& instance) const {
  Node ports{Node::Map{}, instance.origin};
  for (const auto& port : instance.ports) {
    Node entry{Node::Map{}, port.number.origin};
    entry.add("number", port.number);
    Node networks{Node::Map{}, instance.origin};
    for (const auto& network : instance.networks) {
      if (port.network.empty() || port.network == network)
        networks.set(network, {true, instance.origin});
    }
    entry.add("networks", std::move(networks));
    entry.add("ingress", {routed_.contains({instance.name, port.name}), instance.origin});
    if (port.purpose == Port::Purpose::metrics) entry.add("metrics", {true, instance.origin});
    ports.add(port.name, std::move(entry));
  }
  return ports;
}

/// The other namespaces whose workloads share a network with the instance: there it goes by the
/// same name.
Node HelmValues::aliases(const Instance& instance) const {
  Node found{Node::Map{}, instance.origin};
  if (instance.ports.empty()) return found;
  const auto here = place(instance);
  for (const auto& network : instance.networks) {
    for (const auto& there : network_places_.find(network)->second) {
      if (there == here || (!there.empty() && !here.empty())) continue;
      found.set(there.empty() ? "release" : "tenant." + there, {true, instance.origin});
    }
  }
  return found;
}

Node HelmValues::tenant_networks() const {
  Node joined{Node::Map{}, plan::Origin{plan::Origin::Kind::derived, "/tenants"}};
  for (const auto& network : plan_->networks) {
    const auto there = network_places_.find(network.name);
    if (!network.tenant || !namespaces_.contains(*network.tenant)) continue;
    if (there != network_places_.end() && there->second.contains("")) {
      joined.set(network.name, {true, network.origin});
    }
  }
  return joined;
}

Node HelmValues::init(const Instance& instance) const {
  Node init{Node::Map{}};
  for (const auto& name : instance.needs) {
    const auto* other = index_->instance(name);
    if (other == nullptr || !runs(*other) || other->ports.empty()) continue;
    // A pod's containers have names of their own; the work of the pod has the instance's.
    init.set(plan::derived_name({"wait-for", name}),
             waiting(*other, {plan::Origin::Kind::derived, other->origin.pointer}));
  }
  return init;
}

/// What the Ingress of each place sends where. Hosts right below the domain that the wildcard
/// serves alike are not repeated: 10,000 tenants of the shared runtime cost one rule.
HelmValues::ByPlace HelmValues::hosts() const {
  const auto& domain = plan_->domain.value;
  const auto wildcard = "*." + domain;
  const plan::Origin origin{plan::Origin::Kind::derived, "/domain"};
  // Consecutive routes have one host; the paths of one may lead to several places.
  const auto paths = [&](auto& route) {
    ByPlace places;
    for (const auto host = route->host; route != plan_->routes.end() && route->host == host;
         ++route) {
      const auto* instance = index_->instance(route->instance);
      if (instance == nullptr) continue;
      Node entry{Node::Map{}, route->origin};
      entry.add("workload", {route->instance, route->origin});
      entry.add("port", {route->port, route->origin});
      places.try_emplace(place(*instance), Node{Node::Map{}, route->origin})
          .first->second.set(route->path_prefix.empty() ? "/" : route->path_prefix,
                             std::move(entry));
    }
    return places;
  };
  ByPlace like_wildcard;
  if (auto route = std::ranges::find(plan_->routes, wildcard, &plan::Route::host);
      route != plan_->routes.end()) {
    like_wildcard = paths(route);
  }
  // No controller takes a host in two namespaces: a tenant that is suspended gives up its own
  // domains, so that it can move to another one.
  std::set<std::string_view> closed;
  for (const auto& tenant : plan_->tenants) {
    if (tenant.suspended) closed.insert(tenant.domains.begin(), tenant.domains.end());
  }
  // Without an edge, nobody has any.
  ByPlace hosts{{"", Node{Node::Map{}, origin}}};
  for (const auto& [slug, name] : namespaces_) hosts.emplace(slug, Node{Node::Map{}, origin});
  for (auto route = plan_->routes.begin(); route != plan_->routes.end();) {
    const auto& host = route->host;
    auto places = paths(route);
    // A cluster's Ingress controller serves others too: nobody takes every host of it.
    if (host == "*") continue;
    const bool direct =
        host.ends_with("." + domain) && host.find('.') + 1 + domain.size() == host.size();
    if (direct && host != wildcard && places == like_wildcard) continue;
    if (closed.contains(host)) continue;
    for (auto& [there, node] : places) {
      hosts.at(there).add(host, std::move(node));
    }
  }
  return hosts;
}

Node HelmValues::ingress() const {
  const auto& edge = plan_->edge;
  const auto& cluster = plan_->targets.cluster;
  Node node{Node::Map{}};
  node.add("enabled", {edge.proxy.value != plan::Edge::Proxy::none, edge.proxy.origin});
  node.add("className", cluster.ingress_class).remark("Empty: the cluster's default.");
  node.add("tls", {edge.tls.value != plan::Edge::Tls::off, edge.tls.origin});
  node.add("issuer", cluster.issuer)
      .remark("ClusterIssuer of cert-manager; empty: bring the certificates.");
  Node annotations{Node::Map{}, cluster.ingress_class.origin};
  if (cluster.ingress_class.value == "nginx") {
    const auto set = [&](const char* key, std::int64_t value, const plan::Origin& origin) {
      annotations.add(std::string("nginx.ingress.kubernetes.io/") + key,
                      {std::to_string(value), origin});
    };
    const auto seconds = std::max<std::int64_t>(1, (edge.timeout_ms.value + 999) / 1000);
    set("proxy-body-size", edge.body_bytes.value, edge.body_bytes.origin);
    set("proxy-read-timeout", seconds, edge.timeout_ms.origin);
    set("proxy-send-timeout", seconds, edge.timeout_ms.origin);
  }
  node.add("annotations", std::move(annotations));
  Node hidden{Node::Map{}, edge.proxy.origin};
  for (const auto& path : edge.hidden) hidden.add(path, {true, edge.proxy.origin});
  node.add("hidden", std::move(hidden)).remark("Never reachable from outside.");
  node.add("closed", {closed_, target}).remark("The Service without endpoints behind those.");
  return node;
}

Node HelmValues::secrets() const {
  std::set<std::string_view> used;
  for (const auto& instance : plan_->instances) {
    if (!runs(instance)) continue;
    for (const auto& mount : instance.secrets) used.insert(mount.secret);
    for (const auto& variable : instance.env) {
      if (!variable.secret.empty()) used.insert(variable.secret);
    }
  }
  Node node{Node::Map{}};
  for (const auto& planned : plan_->secrets) {
    if (used.contains(planned.name)) node.add(planned.name, secret(planned));
  }
  return node;
}

Node HelmValues::secret(const Secret& secret) const {
  Node node{Node::Map{}, secret.origin};
  const auto split = [&] {
    const auto colon = secret.reference.find(':');
    return std::pair{secret.reference.substr(0, colon),
                     colon == std::string::npos ? "" : secret.reference.substr(colon + 1)};
  };
  const auto external = [&](const std::string& store, const std::string& key,
                            const plan::Origin& origin) {
    node.add("kind", {"ExternalSecret", origin});
    node.add("store", {store, origin});
    node.add("key", {key, origin});
    node.add("refresh", {"1h", origin});
  };
  const auto sealed = [&](const plan::Origin& origin) {
    node.add("kind", {"SealedSecret", origin});
    node.add("encrypted", {"", origin});
  };
  // A key set that lives at a URL is a file to whoever brings it here.
  const bool declared = !secret.internal;
  const auto& mode = plan_->targets.cluster.secrets;
  if (declared && secret.source == Secret::Source::kubernetes) {
    const auto [name, key] = split();
    node.add("kind", {"Existing", secret.origin});
    node.add("name", {name, secret.origin});
    node.add("key", {key, secret.origin});
  } else if (declared && secret.source == Secret::Source::external) {
    const auto [store, key] = split();
    external(store, key, secret.origin);
  } else if (declared && secret.source == Secret::Source::vault) {
    external("vault", secret.reference, secret.origin);
  } else if (declared && secret.source == Secret::Source::aws) {
    external("aws", secret.reference, secret.origin);
  } else if (declared && secret.source == Secret::Source::sealed) {
    sealed(secret.origin);
  } else if (mode.value == HelmSettings::Secrets::external) {
    external(plan_->name.value, plan_->name.value + "/" + secret.name, plan_->name.origin);
  } else if (mode.value == HelmSettings::Secrets::sealed) {
    sealed(mode.origin);
  } else {
    node.add("kind", {"Secret", secret.origin});
    node.add("value", {"", secret.origin});
    if (secret.source == Secret::Source::generate)
      node.add("generate", {secret.bytes, secret.origin});
  }
  return node;
}

}  // namespace caisson::render

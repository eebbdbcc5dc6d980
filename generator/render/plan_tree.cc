#include <array>

#include "generator/render/json.h"
#include "generator/render/plan_report.h"

namespace caisson::render {

namespace {

using plan::Instance;

Node texts(const std::vector<std::string>& values, const Origin& origin) {
  Node node{Node::List{}, origin};
  for (const auto& value : values) node.push({value, origin});
  return node;
}

Node traced_texts(const std::vector<plan::Traced<std::string>>& values) {
  Node node{Node::List{}};
  for (const auto& value : values) node.push(value);
  return node;
}

/// A name, or null when there is none.
Node optional_text(const std::optional<std::string>& value, const Origin& origin) {
  return value ? Node{*value, origin} : Node{};
}

Node limits(const plan::Limits& limits) {
  Node node{Node::Map{}};
  const auto add = [&](const char* key, const auto& limit) {
    if (limit) node.add(key, *limit);
  };
  add("requests-per-second", limits.requests_per_second);
  add("burst", limits.burst);
  add("concurrent", limits.concurrent);
  add("body", limits.body_bytes);
  add("storage", limits.storage_bytes);
  add("queue", limits.queue_messages);
  add("sockets", limits.sockets);
  add("egress-connections", limits.egress_connections);
  return node;
}

Node ports(const Instance& instance) {
  Node list{Node::List{}, instance.origin};
  for (const auto& port : instance.ports) {
    Node node{Node::Map{}, port.number.origin};
    node.add("name", {port.name, port.number.origin});
    node.add("number", {port.number.value, port.number.origin});
    node.add("purpose", {name_of(port.purpose), port.number.origin});
    node.add("published", {port.published, port.number.origin});
    if (!port.network.empty()) node.add("network", {port.network, port.number.origin});
    list.push(std::move(node));
  }
  return list;
}

Node resources(const plan::Resources& resources) {
  Node node{Node::Map{}};
  node.add("cpu-request-millis", resources.cpu_request_millis);
  node.add("cpu-limit-millis", resources.cpu_limit_millis);
  node.add("memory-request-bytes", resources.memory_request_bytes);
  node.add("memory-limit-bytes", resources.memory_limit_bytes);
  node.add("pids", resources.pids);
  if (resources.files) node.add("files", *resources.files);
  return node;
}

Node environment(const Instance& instance) {
  Node node{Node::Map{}, instance.origin};
  for (const auto& variable : instance.env) {
    Node entry{Node::Map{}, variable.value.origin};
    if (variable.secret.empty()) {
      entry.add("value", variable.value);
    } else {
      entry.add("secret", {variable.secret, variable.value.origin});
    }
    node.add(variable.name, std::move(entry));
  }
  return node;
}

Node mounts(const Instance& instance) {
  Node list{Node::List{}, instance.origin};
  const auto add = [&](const char* kind, const std::string& name, const std::string& path,
                       bool read_only) {
    Node node{Node::Map{}, instance.origin};
    node.add("kind", {kind, instance.origin});
    node.add("name", {name, instance.origin});
    node.add("path", {path, instance.origin});
    node.add("read-only", {read_only, instance.origin});
    list.push(std::move(node));
  };
  for (const auto& mount : instance.volumes)
    add("volume", mount.volume, mount.path, mount.read_only);
  for (const auto& mount : instance.configs) add("config", mount.config, mount.path, true);
  for (const auto& mount : instance.secrets) add("secret", mount.secret, mount.path, true);
  return list;
}

Node writable(const Instance& instance) {
  Node list{Node::List{}, instance.origin};
  for (const auto& mount : instance.writable) {
    Node node{Node::Map{}, mount.size_bytes.origin};
    node.add("path", {mount.path, instance.origin});
    node.add("size-bytes", mount.size_bytes);
    node.add("exec", {mount.exec, instance.origin});
    list.push(std::move(node));
  }
  return list;
}

Node instance_tree(const Instance& instance) {
  const Origin origin = instance.origin;
  Node node{Node::Map{}, origin};
  node.add("name", {instance.name, origin});
  node.add("role", {name_of(instance.role), origin});
  node.add("tenant", optional_text(instance.tenant, origin));
  node.add("image", instance.image);
  node.add("command", texts(instance.command, origin));
  node.add("ports", ports(instance));
  Node replicas{Node::Map{}, instance.replicas.origin};
  replicas.add("min", {instance.replicas.value.min, instance.replicas.origin});
  replicas.add("max", {instance.replicas.value.max, instance.replicas.origin});
  node.add("replicas", std::move(replicas));
  node.add("resources", resources(instance.resources));
  node.add("env", environment(instance));
  node.add("mounts", mounts(instance));
  node.add("writable", writable(instance));
  node.add("networks", texts(instance.networks, origin));
  node.add("needs", texts(instance.needs, origin));
  node.add("egress", traced_texts(instance.egress));
  node.add("uid", {instance.uid, origin});
  node.add("stop-grace-ms", {instance.stop_grace_ms, origin});
  return node;
}

Node tenant_tree(const plan::TenantPlacement& tenant) {
  const Origin origin = tenant.origin;
  Node node{Node::Map{}, origin};
  node.add("slug", {tenant.slug, origin});
  node.add("name", {tenant.name, origin});
  node.add("tier", {tenant.tier, origin});
  node.add("owner", {tenant.owner, origin});
  node.add("suspended", {tenant.suspended, origin});
  node.add("isolation", {name_of(tenant.isolation), origin});
  node.add("provided", {name_of(tenant.provided), origin});
  node.add("instance", {tenant.instance, origin});
  node.add("host", {tenant.host, origin});
  node.add("domains", texts(tenant.domains, origin));
  node.add("limits", limits(tenant.limits));
  node.add("retention-ms", {tenant.retention_ms, origin});
  return node;
}

template <class Range, class Make>
Node list_of(const Range& range, const Make& make) {
  Node list{Node::List{}};
  for (const auto& element : range) list.push(make(element));
  return list;
}

Node tier_tree(const plan::Tier& tier) {
  Node node{Node::Map{}, tier.origin};
  node.add("name", {tier.name, tier.origin});
  node.add("isolation", {name_of(tier.isolation), tier.isolation.origin});
  node.add("provided", {name_of(tier.provided), tier.origin});
  node.add("retention-ms", tier.retention_ms);
  node.add("limits", limits(tier.limits));
  return node;
}

Node network_tree(const plan::Network& network) {
  Node node{Node::Map{}, network.origin};
  node.add("name", {network.name, network.origin});
  node.add("internal", {network.internal, network.origin});
  node.add("tenant", optional_text(network.tenant, network.origin));
  node.add("purpose", {network.purpose, network.origin});
  return node;
}

Node volume_tree(const plan::Volume& volume) {
  Node node{Node::Map{}, volume.origin};
  node.add("name", {volume.name, volume.origin});
  node.add("size-bytes", volume.size_bytes);
  node.add("tenant", optional_text(volume.tenant, volume.origin));
  return node;
}

Node secret_tree(const plan::Secret& secret) {
  Node node{Node::Map{}, secret.origin};
  node.add("name", {secret.name, secret.origin});
  node.add("source", {name_of(secret.source), secret.origin});
  if (secret.source == plan::Secret::Source::generate) {
    node.add("bytes", {secret.bytes, secret.origin});
  } else {
    node.add("reference", {secret.reference, secret.origin});
  }
  node.add("rotate-ms", {secret.rotate_ms, secret.origin});
  node.add("tenant", optional_text(secret.tenant, secret.origin));
  node.add("internal", {secret.internal, secret.origin});
  return node;
}

Node route_tree(const plan::Route& route) {
  Node node{Node::Map{}, route.origin};
  node.add("host", {route.host, route.origin});
  node.add("path-prefix", {route.path_prefix, route.origin});
  node.add("instance", {route.instance, route.origin});
  node.add("port", {route.port, route.origin});
  node.add("tenant", optional_text(route.tenant, route.origin));
  return node;
}

Node edge_tree(const plan::Edge& edge) {
  Node node{Node::Map{}, edge.proxy.origin};
  node.add("proxy", {name_of(edge.proxy.value), edge.proxy.origin});
  node.add("instance", {edge.instance, edge.proxy.origin});
  node.add("http", edge.http);
  node.add("https", edge.https);
  node.add("tls", {name_of(edge.tls.value), edge.tls.origin});
  node.add("hsts", edge.hsts);
  node.add("trust", traced_texts(edge.trust));
  node.add("hidden", texts(edge.hidden, edge.proxy.origin));
  return node;
}

/// Where nodes came from, by pointer. A node without an entry came from where its parent did.
void origins_into(Node& origins, const Node& node, const std::string& pointer,
                  const Origin& inherited, const Locate& locate) {
  const auto& origin = node.origin().at.empty() ? inherited : node.origin();
  if (origin != inherited) {
    constexpr std::array<std::string_view, 4> kinds{"spec", "default", "derived", "blueprint"};
    Node entry{Node::Map{}};
    entry.add("kind", kinds[static_cast<std::size_t>(origin.kind)]);
    entry.add("at", origin.at);
    if (auto place = locate ? locate(origin.at) : std::string{}; !place.empty()) {
      entry.add("place", std::move(place));
    }
    origins.add(pointer, std::move(entry));
  }
  if (const auto* entries = node.map()) {
    for (const auto& [key, value] : *entries) {
      origins_into(origins, value, pointer + "/" + pointer_segment(key), origin, locate);
    }
  } else if (const auto* elements = node.list()) {
    for (std::size_t i = 0; i < elements->size(); ++i) {
      origins_into(origins, (*elements)[i], pointer + "/" + std::to_string(i), origin, locate);
    }
  }
}

}  // namespace

Node plan_tree(const plan::Plan& plan) {
  Node node{Node::Map{}};
  node.add("name", plan.name);
  node.add("version", plan.version);
  node.add("domain", plan.domain);
  node.add("environment", plan.environment);
  node.add("tiers", list_of(plan.tiers, tier_tree));
  node.add("tenants", list_of(plan.tenants, tenant_tree));
  node.add("instances", list_of(plan.instances, instance_tree));
  node.add("networks", list_of(plan.networks, network_tree));
  node.add("volumes", list_of(plan.volumes, volume_tree));
  node.add("secrets", list_of(plan.secrets, secret_tree));
  node.add("edge", edge_tree(plan.edge));
  node.add("routes", list_of(plan.routes, route_tree));
  return node;
}

std::string plan_json(const plan::Plan& plan, const Locate& locate) {
  auto tree = plan_tree(plan);
  Node origins{Node::Map{}};
  origins_into(origins, tree, "", {}, locate);
  Node document{Node::Map{}};
  document.add("format", "caisson-plan/1");
  document.add("plan", std::move(tree));
  document.add("origins", std::move(origins));
  return to_json(document);
}

}  // namespace caisson::render

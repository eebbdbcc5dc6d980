#include "generator/render/runtime_config.h"

#include <algorithm>
#include <set>

#include "generator/render/json.h"
#include "generator/render/plan_report.h"

namespace caisson::render {

namespace {

using plan::Limits;
using plan::Port;

/// The runtime's own bound of a body without any limit in the spec.
constexpr std::int64_t default_body_bytes = 1048576;

/// Bounds that the runtime has for a request's header, and what the edge may add to one.
constexpr std::int64_t least_header = 1024;
constexpr std::int64_t largest_header = 1048576;
constexpr std::int64_t fields_of_edge = 4096;

/// The limits that are set, and are not from `base` when there is one. One that only has the same
/// value stands: a change of `base` is none of it.
Node limits(const Limits& limits, const Limits* base) {
  Node node{Node::Map{}};
  const auto inherits = [](const auto& limit, const auto* inherited) {
    return inherited != nullptr && *inherited && (*inherited)->origin == limit->origin;
  };
  const auto add = [&](const char* key, const auto& limit, const auto* inherited) {
    if (!inherits(limit, inherited)) node.add(key, *limit);
  };
  if (const auto& rate = limits.requests_per_second) {
    const auto* same = base == nullptr ? nullptr : &base->requests_per_second;
    if (!inherits(rate, same)) {
      const auto whole = static_cast<std::int64_t>(rate->value);
      const bool exact = static_cast<double>(whole) == rate->value;
      node.add("requests-per-second",
               exact ? Node{whole, rate->origin} : Node{rate->value, rate->origin});
    }
  }
  const auto put = [&](const char* key, auto member) {
    const auto& limit = limits.*member;
    if (limit) add(key, limit, base == nullptr ? nullptr : &(base->*member));
  };
  put("burst", &Limits::burst);
  put("concurrent", &Limits::concurrent);
  put("body", &Limits::body_bytes);
  put("storage", &Limits::storage_bytes);
  put("queue", &Limits::queue_messages);
  put("sockets", &Limits::sockets);
  put("egress-connections", &Limits::egress_connections);
  return node;
}

Node auth(const plan::Auth& auth, const Site& site) {
  const auto from = [](const char* field) {
    return plan::Origin{plan::Origin::Kind::derived, std::string("/auth") + field};
  };
  Node node{Node::Map{}, from("")};
  Node resolve{Node::List{}, from("/resolve")};
  if (auth.by_subdomain) resolve.push({"subdomain", from("/resolve")});
  if (auth.by_header) resolve.push({"header", from("/resolve")});
  if (auth.by_token) resolve.push({"token", from("/resolve")});
  node.add("resolve", std::move(resolve));
  node.add("api-keys", {auth.api_keys, from("/api-keys")});
  if (!auth.tokens) return node;

  Node tokens{Node::Map{}, from("/tokens")};
  tokens.add("issuer", {auth.issuer, from("/tokens/issuer")});
  tokens.add("audience", {auth.audience, from("/tokens/audience")});
  tokens.add(auth.jwks.empty() ? "key-file" : "jwks-file",
             {site.secret_file(auth.key_secret), from("/tokens")});
  Node algorithms{Node::List{}, from("/tokens/algorithms")};
  for (const auto& algorithm : auth.algorithms)
    algorithms.push({algorithm, from("/tokens/algorithms")});
  tokens.add("algorithms", std::move(algorithms));
  tokens.add("tenant-claim", {auth.tenant_claim, from("/tokens/tenant-claim")});
  tokens.add("leeway-ms", {auth.leeway_ms, from("/tokens/leeway")});
  node.add("tokens", std::move(tokens));
  return node;
}

Node tiers(const plan::Plan& plan, const Index& index, const plan::Instance& instance) {
  std::set<std::string_view> used;
  for (const auto* tenant : index.tenants(instance.name)) used.insert(tenant->tier);
  Node node{Node::Map{}};
  for (const auto& tier : plan.tiers) {
    // The shared instance also takes the tenants that will be created while it runs.
    const bool pooled = !instance.tenant && tier.isolation != plan::Isolation::deployment;
    if (!pooled && !used.contains(tier.name)) continue;
    Node entry{Node::Map{}, tier.origin};
    entry.add("isolation", {name_of(tier.isolation), tier.isolation.origin});
    entry.add("retention-ms", tier.retention_ms);
    entry.add("limits", limits(tier.limits, nullptr));
    node.add(tier.name, std::move(entry));
  }
  return node;
}

/// Where each value of the tree came from, once.
void add_origins(const Node& node, LineOrigins& origins) {
  if (!node.origin().at.empty() && std::ranges::find(origins, node.origin()) == origins.end())
    origins.push_back(node.origin());
  for (const auto& key : node.keys()) add_origins(*node.child(key), origins);
}

Node tenants(const plan::Plan& plan, const Index& index, const plan::Instance& instance) {
  Node node{Node::List{}, plan::Origin{plan::Origin::Kind::derived, "/tenants"}};
  for (const auto* tenant : index.tenants(instance.name)) {
    const auto* tier = index.tier(tenant->tier);
    Node entry{Node::Map{}, tenant->origin};
    entry.add("slug", {tenant->slug, tenant->origin});
    if (!tenant->name.empty()) entry.add("name", {tenant->name, tenant->origin});
    entry.add("tier", {tenant->tier, tenant->origin});
    if (!tenant->owner.empty()) entry.add("owner", {tenant->owner, tenant->origin});
    entry.add("status", {tenant->suspended ? "suspended" : "active", tenant->origin});
    if (!tenant->domains.empty()) {
      Node domains{Node::List{}, tenant->origin};
      for (const auto& domain : tenant->domains) domains.push({domain, tenant->origin});
      entry.add("domains", std::move(domains));
    }
    if (auto own = limits(tenant->limits, tier == nullptr ? nullptr : &tier->limits);
        !own.empty()) {
      entry.add("limits", std::move(own));
    }
    if (instance.tenant) {
      const bool plain = plan.edge.tls.value == plan::Edge::Tls::off;
      entry.add("deployment-url",
                {(plain ? "http://" : "https://") + tenant->host, tenant->origin});
    }
    node.push(std::move(entry));
  }
  return node;
}

/// Servers outside the runtime. A version of the runtime that cannot use them refuses to start on
/// the unknown key, rather than store the data elsewhere.
void external_stores(Node& node, const plan::Plan& plan, const Site& site) {
  const auto& database = plan.database;
  if (database.engine.value == plan::Database::Engine::postgres) {
    const plan::Origin origin{plan::Origin::Kind::derived, "/database"};
    Node entry{Node::Map{}, origin};
    entry.add("engine", {"postgres", origin});
    entry.add("host", {database.host, origin});
    entry.add("port", {database.port, origin});
    entry.add("name", {database.name, origin});
    entry.add("user", {database.user, origin});
    entry.add("password-file", {site.secret_file(database.password), origin});
    if (!database.tls.empty()) entry.add("tls", {database.tls, origin});
    entry.add("pool", {database.pool, origin});
    node.add("database", std::move(entry));
  }
  const auto& cache = plan.cache;
  if (cache.enabled) {
    const plan::Origin origin{plan::Origin::Kind::derived, "/cache"};
    Node entry{Node::Map{}, origin};
    entry.add("engine", {"redis", origin});
    entry.add("host", {cache.host, origin});
    entry.add("port", {cache.port, origin});
    if (!cache.password.empty()) {
      entry.add("password-file", {site.secret_file(cache.password), origin});
    }
    if (!cache.tls.empty()) entry.add("tls", {cache.tls, origin});
    node.add("cache", std::move(entry));
  }
}

}  // namespace

std::int64_t largest_body(const plan::Plan& plan, const Index& index,
                          const plan::Instance& instance) {
  std::int64_t largest = default_body_bytes;
  for (const auto& tier : plan.tiers) {
    if (tier.limits.body_bytes) largest = std::max(largest, tier.limits.body_bytes->value);
  }
  for (const auto* tenant : index.tenants(instance.name)) {
    if (tenant->limits.body_bytes) largest = std::max(largest, tenant->limits.body_bytes->value);
  }
  return largest;
}

Node runtime_config(const plan::Plan& plan, const Index& index, const plan::Instance& instance,
                    const Site& site) {
  const auto& cpu = instance.resources.cpu_limit_millis;
  Node node{Node::Map{}, instance.origin};
  node.add("deployment", plan.name);
  node.add("instance", {instance.name, instance.origin});
  node.add("domain", plan.domain);
  Node listen{Node::Map{}};
  if (const auto* port = port_for(instance, Port::Purpose::data)) {
    listen.add("data", {site.listen(instance, *port), port->number.origin});
  }
  if (const auto* port = port_for(instance, Port::Purpose::operator_api)) {
    listen.add("operator", {site.listen(instance, *port), port->number.origin});
  }
  if (const auto* port = port_for(instance, Port::Purpose::metrics)) {
    listen.add("metrics", {site.listen(instance, *port), port->number.origin});
  }
  node.add("listen", std::move(listen));
  node.add("data", {site.data_directory(instance), instance.origin});
  // One event loop per core that the limit allows, not per core of the host.
  node.add("threads", {std::max<std::int64_t>(1, (cpu.value + 999) / 1000), cpu.origin});
  Node modules{Node::List{}};
  for (const auto& module : plan.runtime.modules) modules.push(module);
  node.add("modules", std::move(modules));
  node.add("drain-ms", plan.runtime.drain_ms);
  Node server{Node::Map{}};
  server.add("body", {largest_body(plan, index, instance),
                      plan::Origin{plan::Origin::Kind::derived, "/tiers"}});
  // What the edge lets in must not be refused behind it, with the fields that the edge adds.
  const auto& header = plan.edge.header_bytes;
  server.add("header", {std::clamp(header.value + fields_of_edge, least_header, largest_header),
                        plan::Origin{plan::Origin::Kind::derived, header.origin.pointer}});
  node.add("limits", std::move(server));
  node.add("auth", auth(plan.auth, site));
  Node operator_api{Node::Map{}};
  operator_api.add("token-file", {site.secret_file(instance.operator_token), instance.origin});
  node.add("operator", std::move(operator_api));
  Node trust{Node::List{}};
  for (const auto& network : site.proxies()) trust.push({network, plan.edge.proxy.origin});
  Node proxy{Node::Map{}};
  proxy.add("trust", std::move(trust));
  node.add("proxy", std::move(proxy));
  Node log{Node::Map{}};
  log.add("level", plan.observability.log_level);
  node.add("log", std::move(log));
  external_stores(node, plan, site);
  if (auto file = site.tenants_file(instance); !file.empty()) {
    node.add("tenants-file", {std::move(file), instance.origin});
  } else {
    node.add("tiers", tiers(plan, index, instance));
    node.add("tenants", tenants(plan, index, instance));
  }
  return node;
}

Text tenants_file(const plan::Plan& plan, const Index& index, const plan::Instance& instance) {
  Text text;
  Node terms{Node::Map{}};
  terms.add("tiers", tiers(plan, index, instance));
  LineOrigins origins{plan::Origin{plan::Origin::Kind::derived, "/tiers"}, instance.origin};
  add_origins(terms, origins);
  text.add(to_json_line(terms) + "\n", origins);
  const auto served = tenants(plan, index, instance);
  for (const auto& tenant : *served.list()) {
    LineOrigins here;
    add_origins(tenant, here);
    text.add(to_json_line(tenant) + "\n", here);
  }
  return text;
}

Node dashboard_config(const plan::Plan& plan, const plan::Instance& instance, const Site& site) {
  Node node{Node::Map{}, instance.origin};
  node.add("deployment", plan.name);
  node.add("domain", plan.domain);
  if (const auto* port = port_for(instance, Port::Purpose::http)) {
    node.add("listen", {site.listen(instance, *port), port->number.origin});
  }
  return node;
}

}  // namespace caisson::render

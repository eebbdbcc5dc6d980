#include <algorithm>

#include "generator/render/observability.h"
#include "generator/render/plan_report.h"

namespace caisson::render {

namespace {

using plan::Instance;
using plan::Plan;
using plan::Port;
using plan::Role;

/// Each host is asked once a scrape: a deployment with more has its first ones watched.
constexpr std::size_t most_checks = 1000;

/// A list of maps whose `key` is one of many.
Node* entry(Node& list, std::string_view key, std::string_view value) {
  for (const auto& at : list.keys()) {
    auto* item = list.child(at);
    const auto* found = item->find(key);
    if (found != nullptr && found->text() != nullptr && *found->text() == value) return item;
  }
  return nullptr;
}

Node static_config(Node targets, Node labels) {
  Node group{Node::Map{}, targets.origin()};
  group.add("targets", std::move(targets));
  group.add("labels", std::move(labels));
  return group;
}

Node relabel(std::string_view label, const std::string& value, const Origin& origin) {
  Node rule{Node::Map{}, origin};
  rule.add("target_label", {label, origin});
  rule.add("replacement", {value, origin});
  return rule;
}

Node& list_in(Node& map, const std::string& key) {
  auto* present = map.find(key);
  return present != nullptr ? *present : map.set(key, Node{Node::List{}});
}

class Jobs {
 public:
  Jobs(const Plan& plan, const Index& index, const Site& site, Node& jobs)
      : plan_(plan), index_(index), site_(site), jobs_(jobs) {}

  void fill() {
    for (const auto& instance : plan_.instances) {
      for (const auto& port : instance.ports) {
        const bool observer = is_observer(instance) && port.purpose == Port::Purpose::http;
        if (observer || port.purpose == Port::Purpose::metrics) target(instance, port);
      }
    }
    uptime();
  }

 private:
  void target(const Instance& instance, const Port& port) {
    auto* job = entry(jobs_, "job_name", name_of(instance.role));
    if (job == nullptr) return;
    const Origin origin = instance.origin;
    const auto address = site_.reach(instance, port);
    if (instance.replicas.value.max > 1 && site_.resolves_replicas()) {
      replicas(*job, instance, address);
      return;
    }
    Node labels{Node::Map{}, origin};
    labels.add("instance", {instance.name, origin});
    list_in(*job, "static_configs")
        .push(static_config(Node{Node::List{{address, origin}}, origin}, std::move(labels)));
  }

  /// Every address that the name has, asked for again and again.
  static void replicas(Node& job, const Instance& instance, const std::string& address) {
    const Origin origin = instance.origin;
    const auto colon = address.rfind(':');
    const auto host = address.substr(0, colon);
    Node lookup{Node::Map{}, origin};
    lookup.add("names", Node{Node::List{{host, origin}}, origin});
    lookup.add("type", {"A", origin});
    lookup.add("port", {std::int64_t{std::stoi(address.substr(colon + 1))}, origin});
    lookup.add("refresh_interval", {"15s", origin});
    list_in(job, "dns_sd_configs").push(std::move(lookup));
    auto rule = relabel("instance", instance.name, instance.replicas.origin);
    rule.add("source_labels", Node{Node::List{{"__meta_dns_name", origin}}, origin});
    rule.add("regex", {host, origin});
    list_in(job, "relabel_configs").push(std::move(rule));
  }

  void uptime() {
    auto* job = entry(jobs_, "job_name", "uptime");
    const auto* edge = index_.instance(plan_.edge.instance);
    const auto blackbox = std::ranges::find(plan_.instances, Role::blackbox, &Instance::role);
    if (job == nullptr || edge == nullptr || blackbox == plan_.instances.end()) return;
    const Origin origin{Origin::Kind::derived, "/observability/uptime/checks"};
    if (const auto file = site_.uptime_file(); !file.empty()) {
      Node discovery{Node::Map{}, origin};
      discovery.add("files", Node{Node::List{{file, origin}}, origin});
      list_in(*job, "file_sd_configs").push(std::move(discovery));
    } else {
      job->set("static_configs", uptime_targets(plan_, index_, site_));
    }
    auto& rules = list_in(*job, "relabel_configs");
    rules.push(relabel("instance", edge->name, origin));
    rules.push(relabel("__address__", site_.reach(*blackbox, blackbox->ports.front()), origin));
  }

  const Plan& plan_;
  const Index& index_;
  const Site& site_;
  Node& jobs_;
};

}  // namespace

/// One question a host and destination; what to ask for is in the labels of its group.
Node uptime_targets(const Plan& plan, const Index& index, const Site& site) {
  const Origin origin{Origin::Kind::derived, "/observability/uptime/checks"};
  Node groups{Node::List{}, origin};
  const auto* edge = index.instance(plan.edge.instance);
  if (edge == nullptr || !std::ranges::count(plan.instances, Role::blackbox, &Instance::role)) {
    return groups;
  }
  const bool plain = site.plain_edge() || plan.edge.tls.value == plan::Edge::Tls::off;
  const auto* door = port_for(*edge, plain ? Port::Purpose::http : Port::Purpose::https);
  const auto url = (plain ? "http://" : "https://") + site.reach(*edge, *door);
  Node tenants{Node::List{}, origin};
  Node pages{Node::List{}, origin};
  Node front{Node::List{}, origin};
  std::size_t checks = 0;
  for (const auto& route : plan.routes) {
    const auto* instance = index.instance(route.instance);
    if (route.host.starts_with('*') || instance == nullptr || ++checks > most_checks) continue;
    auto& list = instance->role != Role::dashboard ? tenants
                 : route.path_prefix.empty()       ? front
                                                   : pages;
    list.push({route.host, route.origin});
  }
  const auto group = [&](Node hosts, std::string_view route, std::string_view path) {
    if (hosts.empty()) return;
    Node labels{Node::Map{}, origin};
    labels.add("route", {route, origin});
    labels.add("__param_module", {"front-door", origin});
    labels.add("__param_target", {url + std::string(path), origin});
    groups.push(static_config(std::move(hosts), std::move(labels)));
  };
  group(std::move(tenants), "data", "/v1/ping");
  group(std::move(pages), "dashboard", "/dashboard/");
  group(std::move(front), "front", "/");
  return groups;
}

Node prometheus_config(const Plan& plan, const Index& index, const Site& site, Node tree) {
  const Origin origin{Origin::Kind::derived, "/observability"};
  auto* global = tree.find("global");
  if (global == nullptr) global = &tree.set("global", Node{Node::Map{}});
  Node external{Node::Map{}, origin};
  external.add("deployment", plan.name);
  global->set("external_labels", std::move(external));
  // Beside this file on every target.
  tree.set("rule_files", Node{Node::List{{"rules.yaml", origin}}, origin});
  for (const auto& instance : plan.instances) {
    if (instance.role != Role::alertmanager) continue;
    Node target{Node::List{{site.reach(instance, instance.ports.front()), instance.origin}},
                instance.origin};
    Node group{Node::Map{}, instance.origin};
    group.add("targets", std::move(target));
    Node discovery{Node::Map{}, instance.origin};
    discovery.add("static_configs", Node{Node::List{std::move(group)}, instance.origin});
    Node alerting{Node::Map{}, instance.origin};
    alerting.add("alertmanagers", Node{Node::List{std::move(discovery)}, instance.origin});
    tree.set("alerting", std::move(alerting));
  }
  if (auto* jobs = tree.find("scrape_configs")) Jobs(plan, index, site, *jobs).fill();
  return tree;
}

Node blackbox_config(const Plan& plan, const Site& site, Node tree) {
  const auto& tls = plan.edge.tls;
  auto* modules = tree.find("modules");
  auto* module = modules == nullptr ? nullptr : modules->find("front-door");
  auto* http = module == nullptr ? nullptr : module->find("http");
  if (http == nullptr) return tree;
  const bool plain = site.plain_edge() || tls.value == plan::Edge::Tls::off;
  http->set(plain ? "fail_if_ssl" : "fail_if_not_ssl", {true, tls.origin});
  if (!plain && tls.value == plan::Edge::Tls::internal) {
    // The edge's own authority is known to nobody; the certificate's dates are read all the same.
    Node config{Node::Map{}, tls.origin};
    config.add("insecure_skip_verify", {true, tls.origin});
    http->set("tls_config", std::move(config));
  }
  return tree;
}

}  // namespace caisson::render

#include "generator/render/observability.h"

#include <algorithm>
#include <optional>

#include "generator/render/json.h"
#include "generator/render/yaml.h"

namespace caisson::render {

namespace {

using plan::Instance;
using plan::Plan;
using plan::Role;

constexpr std::string_view dashboard_prefix = "dashboard-";

const Instance* with_role(const Plan& plan, Role role) {
  const auto found = std::ranges::find(plan.instances, role, &Instance::role);
  return found == plan.instances.end() ? nullptr : &*found;
}

Node grafana_datasources(const Plan& plan, const Site& site, Node tree) {
  const auto* prometheus = with_role(plan, Role::prometheus);
  tree.find("datasources")
      ->child("0")
      ->set("url",
            {"http://" + site.reach(*prometheus, prometheus->ports.front()), prometheus->origin});
  return tree;
}

/// The folder is where the target puts the dashboards.
Node grafana_providers(const Instance& grafana, const Site& site, Node tree) {
  const auto mount = std::ranges::find_if(grafana.configs, [](const plan::ConfigMount& config) {
    return config.config.starts_with(dashboard_prefix);
  });
  const auto path = site.config_file(grafana, *mount);
  const auto slash = path.rfind('/');
  tree.find("providers")
      ->child("0")
      ->find("options")
      ->set("path", {slash == std::string::npos ? "." : path.substr(0, slash), grafana.origin});
  return tree;
}

}  // namespace

bool is_observer(const Instance& instance) {
  return instance.role == Role::prometheus || instance.role == Role::alertmanager ||
         instance.role == Role::blackbox || instance.role == Role::grafana;
}

Features features(const Plan& plan) {
  const auto& observe = plan.observability;
  Features has;
  const auto add = [&](std::string_view name, bool there) {
    if (there) has.emplace(name);
  };
  const auto& edge = plan.edge;
  const bool tls = !edge.instance.empty() && edge.tls.value != plan::Edge::Tls::off;
  const bool internal = tls && edge.tls.value == plan::Edge::Tls::internal;
  add("availability", observe.slo_availability.value > 0);
  add("latency", observe.slo_p95_ms.value > 0);
  add("backup", !plan.backup.schedule.value.empty());
  add("observers", with_role(plan, Role::prometheus) != nullptr);
  add("uptime", with_role(plan, Role::blackbox) != nullptr);
  add("alertmanager", with_role(plan, Role::alertmanager) != nullptr);
  add("heartbeat", !observe.heartbeat.empty());
  add("grafana", with_role(plan, Role::grafana) != nullptr);
  add("caddy", !edge.instance.empty() && edge.proxy.value == plan::Edge::Proxy::caddy);
  add("tls", tls);
  add("internal-ca", internal);
  add("long-certificates", tls && !internal);
  return has;
}

Node needed(const Node& tree, const Features& features) {
  const auto wanted = [&](const Node& node) {
    const auto* needs = node.find("needs");
    return needs == nullptr || std::ranges::all_of(*needs->list(), [&](const Node& need) {
             return features.contains(*need.text());
           });
  };
  if (const auto* list = tree.list()) {
    Node kept{Node::List{}, tree.origin()};
    for (const auto& item : *list) {
      if (wanted(item)) kept.push(needed(item, features));
    }
    return kept;
  }
  if (const auto* map = tree.map()) {
    Node kept{Node::Map{}, tree.origin()};
    for (const auto& [key, value] : *map) {
      if (key != "needs") kept.add(key, needed(value, features));
    }
    return kept;
  }
  return tree;
}

Result<std::vector<ObserverFile>> observer_files(const Plan& plan, const Index& index,
                                                 const Site& site, const Blueprints& blueprints) {
  std::vector<ObserverFile> files;
  const auto has = features(plan);
  std::optional<Failure> broken;
  const auto blueprint = [&](const std::string& name) {
    auto tree = blueprints.yaml("observability/" + name);
    if (!tree) broken = tree.error();
    return tree ? needed(*tree, has) : Node{};
  };
  const auto write = [&](const Instance& instance, const std::string& name) -> Node {
    if (name == "prometheus.yaml") return prometheus_config(plan, index, site, blueprint(name));
    if (name == "rules.yaml") return alert_rules(plan, blueprint(name));
    if (name == "blackbox.yaml") return blackbox_config(plan, site, blueprint(name));
    if (name == "alertmanager.yaml") {
      return alertmanager_config(plan, site, blueprint(name), blueprint("heartbeat.yaml"));
    }
    if (name == "grafana-datasources.yaml") return grafana_datasources(plan, site, blueprint(name));
    if (name == "grafana-dashboards.yaml") {
      return grafana_providers(instance, site, blueprint(name));
    }
    const auto board = name.substr(dashboard_prefix.size(),
                                   name.size() - dashboard_prefix.size() - 5);  // .json
    return grafana_dashboard(plan, board, blueprint("dashboards/" + board + ".yaml"));
  };
  for (const auto& instance : plan.instances) {
    if (!is_observer(instance)) continue;
    for (const auto& mount : instance.configs) {
      auto tree = write(instance, mount.config);
      if (broken) return tl::unexpected(*broken);
      files.push_back(
          {.name = mount.config, .owner = instance.origin.pointer, .tree = std::move(tree)});
    }
  }
  return files;
}

std::string observer_text(const ObserverFile& file) {
  if (file.name.ends_with(".json")) return to_json(file.tree);
  return to_yaml(file.tree, "Generated by Caisson: change the spec, or patch this file there.");
}

Node observer_arguments(const Plan& plan, const Instance& instance, const Site& site) {
  Node arguments{Node::List{}, instance.origin};
  const auto add = [&](std::string_view option, const std::string& value, const Origin& origin) {
    arguments.push({"--" + std::string(option) + "=" + value, origin});
  };
  if (!is_observer(instance) || instance.role == Role::grafana) return arguments;
  add("config.file", site.config_file(instance, instance.configs.front()), instance.origin);
  add("web.listen-address", site.listen(instance, instance.ports.front()), instance.origin);
  if (instance.role == Role::prometheus) {
    const auto& observe = plan.observability;
    const auto& size = observe.prometheus_storage_bytes;
    const auto& retention = observe.prometheus_retention_ms;
    add("storage.tsdb.path", site.data_directory(instance), instance.origin);
    add("storage.tsdb.retention.time", std::to_string(retention.value / 1000) + "s",
        retention.origin);
    // A tenth is left for the log that is not yet a block, and for compaction.
    add("storage.tsdb.retention.size", std::to_string(size.value / 10 * 9) + "B", size.origin);
  }
  if (instance.role == Role::alertmanager) {
    add("storage.path", site.data_directory(instance), instance.origin);
    add("cluster.listen-address", "", instance.origin);  // one alone
  }
  return arguments;
}

}  // namespace caisson::render

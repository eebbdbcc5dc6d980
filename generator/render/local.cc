#include <algorithm>
#include <map>
#include <set>

#include "generator/render/attachment.h"
#include "generator/render/document_facts.h"
#include "generator/render/edge.h"
#include "generator/render/json.h"
#include "generator/render/observability.h"
#include "generator/render/people.h"
#include "generator/render/plan_report.h"
#include "generator/render/runtime_config.h"
#include "generator/render/targets.h"
#include "generator/spec/reserved.h"

namespace caisson::render {

namespace {

using plan::Instance;
using plan::Port;
using plan::Role;
using plan::Secret;

constexpr std::string_view address = "127.0.0.1";

/// Ports of the processes: the first is the edge's, then the runtimes', the dashboard's, the
/// services', and those for metrics.
class LocalSite final : public Site {
 public:
  /// It is a mistake when the processes need more ports than there are above the first.
  [[nodiscard]] Result<void> assign(const plan::Plan& plan, std::vector<Mistake>& mistakes) {
    std::int64_t next = std::int64_t{plan.targets.local_port.value} + 1;
    const auto is_metrics = [](const Port& port) { return port.purpose == Port::Purpose::metrics; };
    const auto take = [&](Role role) {
      for (const auto& instance : plan.instances) {
        if (instance.role != role) continue;
        if (role == Role::service && instance.local_command.empty()) continue;
        for (const auto& port : instance.ports) {
          if (!is_metrics(port)) numbers_[&port] = next++;
        }
      }
    };
    take(Role::runtime);
    take(Role::dashboard);
    take(Role::service);
    for (const auto& instance : plan.instances) {
      for (const auto& port : instance.ports) {
        if (is_metrics(port)) {
          numbers_[&port] = next++;
        } else if (instance.role == Role::edge) {
          numbers_[&port] = plan.targets.local_port.value;
        }
      }
    }
    for (const auto role : {Role::prometheus, Role::alertmanager, Role::blackbox, Role::grafana}) {
      take(role);
    }
    if (next <= 65536) return {};
    return refuse(
        mistakes, plan.targets.local_port.origin,
        {.what = "target local needs ports up to " + std::to_string(next - 1) + " from " +
                 std::to_string(plan.targets.local_port.value) + " on",
         .remedy =
             "run fewer tenants with a deployment of their own, or set targets.local: false"});
  }

  [[nodiscard]] std::int64_t number(const Port& port) const { return numbers_.at(&port); }

  [[nodiscard]] std::string listen(const Instance&, const Port& port) const override {
    return std::string(address) + ":" + std::to_string(number(port));
  }
  [[nodiscard]] std::string reach(const Instance& instance, const Port& port) const override {
    return listen(instance, port);
  }
  [[nodiscard]] std::string secret_file(std::string_view secret) const override {
    return "../secrets/" + std::string(secret);
  }
  [[nodiscard]] std::string data_directory(const Instance& instance) const override {
    return "../data/" + instance.name;
  }
  [[nodiscard]] std::vector<std::string> proxies() const override { return {"127.0.0.0/8"}; }
  [[nodiscard]] bool plain_edge() const override { return true; }
  /// Beside each other: the observers are started in their folder.
  [[nodiscard]] std::string config_file(const Instance&,
                                        const plan::ConfigMount& mount) const override {
    return mount.config;
  }

 private:
  std::map<const Port*, std::int64_t> numbers_;
};

bool runs_here(const Instance& instance) {
  return instance.role == Role::runtime || instance.role == Role::dashboard ||
         instance.role == Role::edge ||
         (instance.role == Role::service && !instance.local_command.empty());
}

/// How the variables with the address of an instance begin: its name without its tenant's, so that
/// one command does for every tenant.
std::string variable_of(const Instance& instance) {
  std::string name = instance.name;
  const auto end = "-" + instance.tenant.value_or("");
  if (instance.tenant && name.ends_with(end)) name.resize(name.size() - end.size());
  return spec::address_variable(name);
}

std::string why_omitted(const Instance& instance) {
  if (instance.role == Role::service) return "the spec gives it no local command";
  if (instance.role == Role::database || instance.role == Role::cache) {
    return "target local starts no " +
           std::string(instance.role == Role::database ? "database" : "cache") + " server";
  }
  if (instance.role == Role::certificates) return "plain HTTP needs no certificates";
  if (instance.role == Role::grafana) return "its dashboards can be imported into any other";
  return "observability/start.sh starts it, beside the stack";
}

class Stack {
 public:
  Stack(const plan::Plan& plan, const Index& index, const LocalSite& site)
      : plan_(plan), index_(index), site_(site) {}

  /// The configuration files of the processes, by path below `local/`.
  [[nodiscard]] Result<Artifacts> write(const Blueprints& blueprints, Patches& patches) {
    Artifacts artifacts;
    const auto add_text = [&](const std::string& path, Text text, std::string owner) {
      artifacts.push_back(text_file("local/" + path, std::move(text), std::move(owner)));
    };
    const auto add_json = [&](const std::string& path, Node tree, std::string owner) {
      auto patched = patches.apply("local/" + path, tree);
      auto bytes = to_json(tree);
      artifacts.push_back({.path = "local/" + path,
                           .bytes = std::move(bytes),
                           .owner = std::move(owner),
                           .tree = std::make_shared<const Node>(std::move(tree))});
      return patched;
    };
    for (const auto& instance : plan_.instances) {
      if (instance.role != Role::runtime && instance.role != Role::dashboard) continue;
      auto tree = instance.role == Role::runtime ? runtime_config(plan_, index_, instance, site_)
                                                 : dashboard_config(plan_, instance, site_);
      auto done = add_json(config_path(instance), std::move(tree), instance.origin.pointer);
      if (!done) return tl::unexpected(done.error());
    }
    if (!plan_.edge.instance.empty()) {
      const EdgeListen listen{.http = plan_.targets.local_port.value,
                              .https = 0,
                              .tls = plan::Edge::Tls::off,
                              .bind = std::string(address),
                              .metrics = edge_metrics(),
                              .scratch = "data/" + plan_.edge.instance,
                              .has_proxies = false};
      auto text = nginx() ? edge_nginx_conf(plan_, index_, site_, listen)
                          : edge_caddyfile(plan_, index_, site_, listen);
      if (!text) return tl::unexpected(text.error());
      add_text(nginx() ? "nginx.conf" : "Caddyfile", std::move(*text), "/edge");
    }
    auto observers = observer_files(plan_, index_, site_, blueprints);
    if (!observers) return tl::unexpected(observers.error());
    for (auto& file : *observers) {
      const auto path = std::string(observer_folder) + file.name;
      if (auto done = patches.apply("local/" + path, file.tree); !done) {
        return tl::unexpected(done.error());
      }
      artifacts.push_back({.path = "local/" + path,
                           .bytes = observer_text(file),
                           .owner = file.owner,
                           .tree = std::make_shared<const Node>(std::move(file.tree))});
    }
    const auto data = facts();
    for (const auto* name : {"README.md", "RUNBOOK.md"}) {
      auto text = fill(blueprints, "local/" + std::string(name), data);
      if (!text) return tl::unexpected(text.error());
      add_text(name, std::move(*text), "/targets/local");
    }
    if (!observers->empty()) {
      auto text = fill(blueprints, "local/observe.sh", data);
      if (!text) return tl::unexpected(text.error());
      artifacts.push_back(text_file("local/" + std::string(observer_folder) + "start.sh",
                                    std::move(*text), "/observability", 0755));
    }
    for (auto& [name, tree] :
         {std::pair("stack.json", stack()), std::pair("site.json", attached())}) {
      if (auto done = add_json(name, tree, "/targets/local"); !done)
        return tl::unexpected(done.error());
    }
    return artifacts;
  }

 private:
  [[nodiscard]] bool nginx() const { return plan_.edge.proxy.value == plan::Edge::Proxy::nginx; }

  [[nodiscard]] static std::string config_path(const Instance& instance) {
    return "config/" + instance.name + ".json";
  }

  [[nodiscard]] std::string edge_metrics() const {
    const auto* edge = index_.instance(plan_.edge.instance);
    const auto* port = edge == nullptr ? nullptr : port_for(*edge, Port::Purpose::metrics);
    return port == nullptr ? std::string{} : site_.listen(*edge, *port);
  }

  [[nodiscard]] std::string url(std::string_view host) const {
    return "http://" + std::string(host) + ":" + std::to_string(plan_.targets.local_port.value);
  }

  [[nodiscard]] Node stack() const {
    Node node{Node::Map{}};
    node.add("name", plan_.name);
    node.add("version", plan_.version);
    node.add("domain", plan_.domain);
    node.add("marker", {"disposable", plan_.targets.local.origin});
    node.add("address", {std::string(address), plan_.targets.local.origin});
    node.add("url", {url(plan_.domain.value), plan_.domain.origin});
    node.add("secrets", secrets());
    Node processes{Node::List{}};
    Node omitted{Node::List{}};
    std::int64_t number = 0;
    for (const auto& instance : plan_.instances) {
      if (runs_here(instance)) {
        processes.push(process(instance, number++));
      } else {
        Node entry{Node::Map{}, instance.origin};
        entry.add("name", {instance.name, instance.origin});
        entry.add("reason", {why_omitted(instance), instance.origin});
        omitted.push(std::move(entry));
      }
    }
    node.add("processes", std::move(processes));
    node.add("omitted", std::move(omitted));
    return node;
  }

  /// Paths are as seen from the state directory, where `up` puts the file.
  [[nodiscard]] Node attached() const {
    return site_description(
        plan_,
        {.target = "local",
         .address = [this](const Instance& instance,
                           const Port& port) { return site_.listen(instance, port); },
         .secret_file = [](std::string_view name) { return "secrets/" + std::string(name); },
         .edge = plan_.edge.instance.empty() ? std::string()
                                             : "http://" + std::string(address) + ":" +
                                                   std::to_string(plan_.targets.local_port.value),
         .listeners = plan_.targets.local_port.origin,
         .secrets = plan_.targets.local.origin});
  }

  /// Those that a process of this target reads.
  [[nodiscard]] Node secrets() const {
    std::set<std::string_view> used;
    for (const auto& instance : plan_.instances) {
      if (!runs_here(instance)) continue;
      for (const auto& mount : instance.secrets) used.insert(mount.secret);
      for (const auto& variable : instance.env) used.insert(variable.secret);
    }
    Node node{Node::List{}};
    for (const auto& secret : plan_.secrets) {
      if (!used.contains(secret.name)) continue;
      Node entry{Node::Map{}, secret.origin};
      entry.add("name", {secret.name, secret.origin});
      entry.add("source", {name_of(secret.source), secret.origin});
      entry.add("bytes", {secret.bytes, secret.origin});
      entry.add("reference", {secret.reference, secret.origin});
      node.push(std::move(entry));
    }
    return node;
  }

  [[nodiscard]] Node process(const Instance& instance, std::int64_t number) const {
    const Origin origin = instance.origin;
    Node node{Node::Map{}, origin};
    node.add("name", {instance.name, origin});
    node.add("role", {name_of(instance.role), origin});
    node.add("tenant", instance.tenant ? Node{*instance.tenant, origin} : Node{});
    Node arguments{Node::List{}, origin};
    Node program{"caisson-runtime", origin};
    std::string config;
    const std::string state = "../../";  // as seen from `directory`
    if (instance.role == Role::edge) {
      program = {nginx() ? "nginx" : "caddy", origin};
      config = nginx() ? "nginx.conf" : "Caddyfile";
      const auto words = nginx()
                             ? std::vector<std::string>{"-p", state, "-e", "stderr", "-c", config}
                             : std::vector<std::string>{"run", "--config", state + config,
                                                        "--adapter", "caddyfile"};
      for (const auto& word : words) arguments.push({word, origin});
    } else if (instance.role == Role::service) {
      const auto& command = instance.local_command;
      const Origin spec{Origin::Kind::derived, instance.origin.pointer + "/local/command"};
      const bool shell = command.size() == 1;
      program = {shell ? "/bin/sh" : command.front(), spec};
      if (shell) arguments.push({"-c", spec});
      for (std::size_t i = shell ? 0 : 1; i < command.size(); ++i) {
        arguments.push({command[i], spec});
      }
    } else {
      config = config_path(instance);
      arguments.push({instance.command.front(), origin});
      arguments.push({"--config", origin});
      arguments.push({state + config, origin});
    }
    node.add("program", std::move(program));
    node.add("args", std::move(arguments));
    node.add("directory", {"work/" + instance.name, origin});
    node.add("config", {config, origin});
    const bool keeps = instance.role == Role::runtime || instance.role == Role::edge;
    node.add("data", {keeps ? "data/" + instance.name : std::string{}, origin});
    Node ports{Node::Map{}, origin};
    for (const auto& port : instance.ports) {
      // Plain HTTP here: the edge has one port.
      if (port.purpose == Port::Purpose::https) continue;
      ports.add(port.name, {site_.number(port), plan_.targets.local_port.origin});
    }
    node.add("ports", std::move(ports));
    node.add("ready", ready(instance));
    Node needs{Node::List{}, origin};
    for (const auto& name : instance.needs) {
      const auto* other = index_.instance(name);
      if (other != nullptr && runs_here(*other)) needs.push({name, origin});
    }
    node.add("needs", std::move(needs));
    Node environment{Node::Map{}, origin};
    if (instance.role == Role::edge && !nginx()) {
      // Caddy keeps its state where these say, else in somebody's home.
      environment.add("HOME", {state + "data/" + instance.name, origin});
      environment.add("XDG_CONFIG_HOME", {state + "data/" + instance.name, origin});
      environment.add("XDG_DATA_HOME", {state + "data/" + instance.name, origin});
    }
    Node secret_environment{Node::Map{}, origin};
    for (const auto& variable : instance.env) {
      if (variable.secret.empty()) {
        environment.add(variable.name, variable.value);
      } else {
        secret_environment.add(variable.name, {variable.secret, variable.value.origin});
      }
    }
    // Every process has a port of its own here, which only these variables tell a service.
    const auto tell = [&](const std::string& name, const std::string& value) {
      if (environment.find(name) != nullptr || secret_environment.find(name) != nullptr) return;
      environment.add(name, {value, plan_.targets.local_port.origin});
    };
    if (instance.role == Role::service) {
      if (!instance.ports.empty())
        tell(std::string(spec::port_variable),
             std::to_string(site_.number(instance.ports.front())));
      for (const auto& name : instance.needs) {
        const auto* other = index_.instance(name);
        if (other == nullptr || !runs_here(*other) || other->ports.empty()) continue;
        // What serves all tenants has no tenant of whom it could be.
        if (other->tenant && other->tenant != instance.tenant) continue;
        tell(variable_of(*other) + "_HOST", std::string(address));
        tell(variable_of(*other) + "_PORT", std::to_string(site_.number(other->ports.front())));
      }
    }
    node.add("env", std::move(environment));
    node.add("secret-env", std::move(secret_environment));
    Node mounts{Node::List{}, origin};
    for (const auto& mount : instance.secrets) mounts.push({mount.secret, origin});
    node.add("secrets", std::move(mounts));
    node.add("uid-offset", {number, origin});
    return node;
  }

  [[nodiscard]] static Node ready(const Instance& instance) {
    if (instance.ports.empty()) return {};
    const Origin origin = instance.origin;
    Node path{"", origin};
    if (instance.role == Role::runtime || instance.role == Role::dashboard)
      path = {"/readyz", origin};
    if (instance.health && instance.health->kind == plan::Health::Kind::http) {
      path = instance.health->path;
    }
    Node node{Node::Map{}, origin};
    node.add("port", {instance.ports.front().name, origin});
    node.add("path", std::move(path));
    if (instance.role == Role::service) node.add("spec-port", instance.ports.front().number);
    return node;
  }

  /// For a shell in `observability/`.
  [[nodiscard]] std::string observer_command(const Instance& instance) const {
    std::string command(instance.role == Role::blackbox ? "blackbox_exporter"
                                                        : name_of(instance.role));
    const auto arguments = observer_arguments(plan_, instance, site_);
    for (const auto& argument : *arguments.list()) command += " " + *argument.text();
    return command;
  }

  /// What README.md and RUNBOOK.md may say. Values only; sentences live in the blueprints.
  [[nodiscard]] Node facts() const {
    Node data{Node::Map{}};
    add_document_facts(data, plan_,
                       {.secure = false,
                        .port = plan_.targets.local_port.value,
                        .origin = plan_.targets.local_port.origin});
    Node processes{Node::List{}};
    Node runtimes{Node::List{}};
    Node omitted{Node::List{}};
    for (const auto& instance : plan_.instances) {
      Node entry{Node::Map{}, instance.origin};
      entry.add("instance", instance.name);
      entry.add("tenant", instance.tenant ? Node{*instance.tenant} : Node{false});
      if (!runs_here(instance)) {
        entry.add("reason", why_omitted(instance));
        omitted.push(std::move(entry));
        continue;
      }
      std::string ports;
      for (const auto& port : instance.ports) {
        if (port.purpose == Port::Purpose::https) continue;
        ports += (ports.empty() ? "" : ", ") + std::to_string(site_.number(port)) + " (" +
                 port.name + ")";
      }
      entry.add("ports", {ports, plan_.targets.local_port.origin});
      if (instance.role == Role::runtime) runtimes.push(entry);
      processes.push(std::move(entry));
    }
    data.add("processes", std::move(processes));
    data.add("runtimes", std::move(runtimes));
    if (!omitted.empty()) data.add("omitted", std::move(omitted));
    Node observers{Node::List{}};
    Node secrets{Node::List{}};
    for (const auto& instance : plan_.instances) {
      if (!is_observer(instance) || instance.role == Role::grafana) continue;
      Node entry{Node::Map{}};
      entry.add("command", {observer_command(instance), instance.origin});
      observers.push(std::move(entry));
      for (const auto& mount : instance.secrets) {
        Node secret{Node::Map{}};
        secret.add("secret", {mount.secret, instance.origin});
        secrets.push(std::move(secret));
      }
    }
    data.add("observed", !observers.empty());
    data.add("observers", std::move(observers));
    data.add("observer-secrets", std::move(secrets));
    return data;
  }

  const plan::Plan& plan_;
  const Index& index_;
  const LocalSite& site_;
};

}  // namespace

Result<Artifacts> render_local(const plan::Plan& plan, const Index& index,
                               const Blueprints& blueprints, Patches& patches) {
  LocalSite site;
  if (auto assigned = site.assign(plan, patches.mistakes()); !assigned)
    return tl::unexpected(assigned.error());
  return Stack(plan, index, site).write(blueprints, patches);
}

}  // namespace caisson::render

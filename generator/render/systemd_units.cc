#include "generator/render/systemd_units.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include "generator/render/host_backup.h"

namespace caisson::render {

namespace {

using plan::Instance;
using plan::Port;
using plan::Role;

/// What a door may use, as blueprints/systemd/door.yaml says.
constexpr std::int64_t door_memory = std::int64_t{32} * 1'048'576;
constexpr std::int64_t door_tasks = 32;

/// Below it the kernel lets nobody listen without CAP_NET_BIND_SERVICE.
constexpr std::uint16_t first_open_port = 1024;

Node empty_unit(std::initializer_list<const char*> sections, const Origin& origin) {
  Node tree{Node::Map{}, origin};
  for (const auto* section : sections) tree.add(section, Node{Node::Map{}, origin});
  return tree;
}

/// One more value of a directive that may be there several times.
void append(Node& tree, std::string_view section, const std::string& key, Node value) {
  auto& directives = *tree.find(section);
  auto* directive = directives.find(key);
  if (directive == nullptr) directive = &directives.set(key, Node{Node::List{}, value.origin()});
  directive->push(std::move(value));
}

/// A temporary file system of a unit, in place of the one that it has there already.
void temporary(Node& tree, const std::string& path, const Node& options) {
  if (auto* present = tree.find("Service")->find("TemporaryFileSystem")) {
    for (const auto& index : present->keys()) {
      if (!present->child(index)->text()->starts_with(path + ":")) continue;
      present->remove(index);
      break;
    }
  }
  append(tree, "Service", "TemporaryFileSystem", {path + *options.text(), options.origin()});
}

/// Millis of a processor as a share of one: "150%".
std::string quota(std::int64_t millis) {
  const auto tenths = std::to_string(millis % 10);
  return std::to_string(millis / 10) + (millis % 10 == 0 ? "" : "." + tenths) + "%";
}

class Units {
 public:
  Units(const plan::Plan& plan, const SystemdLayout& layout, const Blueprints& blueprints)
      : plan_(plan), layout_(layout), blueprints_(blueprints) {
    for (const auto& instance : plan.instances) {
      if (!SystemdLayout::runs(instance)) continue;
      groups_[layout.slice(instance)].push_back(&instance);
      if (instance.role != Role::runtime && instance.role != Role::service) continue;
      networks_[network_of(instance)].push_back(layout.service(instance.name));
      for (const auto* other : layout.doors(instance)) {
        const auto door = layout.door(instance, *other);
        networks_[network_of(instance)].push_back(door + ".socket");
        networks_[network_of(*other)].push_back(door + ".service");
      }
    }
  }

  Result<std::vector<Unit>> all() {
    for (const auto& instance : plan_.instances) {
      if (!SystemdLayout::runs(instance)) continue;
      if (auto done = sockets(instance); !done) return tl::unexpected(done.error());
      if (auto done = service(instance); !done) return tl::unexpected(done.error());
      if (auto done = doors(instance); !done) return tl::unexpected(done.error());
      if (instance.role != Role::runtime || layout_.backups().empty()) continue;
      if (auto done = backup(instance); !done) return tl::unexpected(done.error());
    }
    slices();
    target();
    return std::move(units_);
  }

 private:
  /// `tree` with the blueprints `names` over it, each over the ones before.
  Result<Node> base(Node tree, std::initializer_list<const char*> names) const {
    for (const auto* name : names) {
      auto over = blueprints_.yaml("systemd/" + std::string(name) + ".yaml");
      if (!over) return over;
      tree.merge(std::move(*over));
    }
    return tree;
  }

  void add(std::string name, Node tree, std::string owner, bool started_by_target) {
    if (started_by_target) started_.push_back(name);
    units_.push_back({.name = std::move(name), .tree = std::move(tree), .owner = std::move(owner)});
  }

  void describe(Node& tree, const std::string& what, const Origin& origin) const {
    auto& unit = *tree.find("Unit");
    unit.set("Description", {plan_.name.value + ": " + what, origin});
    unit.set("PartOf", {layout_.target(), plan_.name.origin});
  }

  /// Whether systemd opens the listeners of the instance.
  static bool is_activated(const Instance& instance) {
    return instance.role == Role::runtime || instance.role == Role::dashboard;
  }

  Result<void> sockets(const Instance& instance) {
    if (!is_activated(instance)) return {};
    for (const auto& port : instance.ports) {
      auto tree = blueprints_.yaml("systemd/socket.yaml");
      if (!tree) return tl::unexpected(tree.error());
      const Origin origin = port.number.origin;
      Node unit = empty_unit({"Unit", "Socket"}, origin);
      describe(unit, port.name + " listener of " + instance.name, origin);
      unit.merge(std::move(*tree));
      auto& socket = *unit.find("Socket");
      socket.set("ListenStream", {layout_.socket_path(instance.name, port.name), origin});
      socket.set("Service", {layout_.service(instance.name), origin});
      // The proxy reaches the data, whoever watches the metrics, only the runtime's own account
      // (and root) its operator API.
      const bool operators = port.purpose == Port::Purpose::operator_api;
      const bool metrics = port.purpose == Port::Purpose::metrics;
      socket.set("SocketUser", {operators ? layout_.account(instance) : "root", origin});
      socket.set("SocketGroup", {operators ? layout_.account(instance)
                                 : metrics ? layout_.metrics_group()
                                           : layout_.front_group(),
                                 plan_.targets.systemd_user.origin});
      socket.set("SocketMode", {operators ? "0600" : "0660", origin});
      add(layout_.socket(instance.name, port.name), std::move(unit), instance.origin.pointer, true);
    }
    return {};
  }

  Result<void> service(const Instance& instance) {
    Node own = empty_unit({"Unit", "Service"}, instance.origin);
    describe(own, what(instance), instance.origin);
    program(own, instance);
    run_as(own, instance);
    auto tree = instance.role == Role::edge ? base(std::move(own), {"service", "edge"})
                : instance.role == Role::service
                    ? base(std::move(own), {"service", "isolated", "workload"})
                    : base(std::move(own), {"service", "isolated", "runtime"});
    if (!tree) return tl::unexpected(tree.error());
    if (SystemdLayout::is_image(instance)) {
      auto over = blueprints_.yaml("systemd/image.yaml");
      if (!over) return tl::unexpected(over.error());
      tree->merge(std::move(*over));
    }
    order(*tree, instance);
    if (instance.role == Role::edge) edge_privileges(*tree);
    if (instance.role == Role::service) confinement(*tree, instance);
    environment(*tree, instance);
    credentials(*tree, instance);
    limits(*tree, instance);
    directories(*tree, instance);
    if (instance.role == Role::runtime || instance.role == Role::service) {
      share_network(*tree, layout_.service(instance.name), network_of(instance), instance.origin);
    }
    add(layout_.service(instance.name), std::move(*tree), instance.origin.pointer, true);
    return {};
  }

  static std::string what(const Instance& instance) {
    const auto of = instance.tenant ? " of tenant " + *instance.tenant : std::string{};
    switch (instance.role) {
      case Role::runtime:
        return instance.tenant ? "runtime" + of : "runtime that tenants share";
      case Role::edge:
        return "edge, the one door";
      case Role::dashboard:
        return "dashboard";
      default:
        return "service " + instance.name + of;
    }
  }

  void order(Node& tree, const Instance& instance) const {
    const Origin origin = instance.origin;
    if (is_activated(instance)) {
      for (const auto& port : instance.ports) {
        const auto socket = layout_.socket(instance.name, port.name);
        append(tree, "Unit", "Requires", {socket, origin});
        append(tree, "Unit", "After", {socket, origin});
      }
    }
    for (const auto* other : layout_.doors(instance)) {
      const auto door = layout_.door(instance, *other) + ".socket";
      append(tree, "Unit", "Wants", {door, origin});
      append(tree, "Unit", "After", {door, origin});
    }
    for (const auto& need : instance.needs) {
      const auto* other = plan_.instance(need);
      if (other == nullptr || !SystemdLayout::runs(*other)) continue;
      append(tree, "Unit", "Wants", {layout_.service(need), origin});
      append(tree, "Unit", "After", {layout_.service(need), origin});
    }
  }

  void run_as(Node& tree, const Instance& instance) const {
    auto& service = *tree.find("Service");
    const Origin origin = plan_.targets.systemd_user.origin;
    if (const auto account = layout_.account(instance); account.empty()) {
      service.set("DynamicUser", {true, instance.origin});
    } else {
      service.set("User", {account, origin});
      service.set("Group", {account, origin});
    }
    service.set("Slice", {layout_.slice(instance), instance.origin});
    service.set("LogNamespace", {plan_.name.value, plan_.observability.log_bytes.origin});
    service.set("SyslogIdentifier", {layout_.unit(instance.name), instance.origin});
    service.set("TimeoutStopSec",
                {std::to_string((instance.stop_grace_ms + 999) / 1000) + "s", instance.origin});
  }

  void program(Node& tree, const Instance& instance) const {
    auto& service = *tree.find("Service");
    const Origin origin = instance.origin;
    Node words{Node::List{}, origin};
    const auto say = [&](std::initializer_list<std::string> more) {
      for (const auto& word : more) words.push({word, origin});
    };
    if (instance.role == Role::edge) {
      say({layout_.program("caddy"), "run", "--config", layout_.config("Caddyfile"), "--adapter",
           "caddyfile"});
    } else if (SystemdLayout::is_image(instance)) {
      // Until it is installed nobody knows its program, and it does not start.
      say({"/bin/false"});
      for (const auto& each : instance.command) say({each});
      const auto root = layout_.image_directory(instance) + "/root";
      service.set("RootDirectory", {root, plan_.targets.systemd_prefix.origin});
      append(tree, "Unit", "AssertPathExists", {root, plan_.targets.systemd_prefix.origin});
    } else if (instance.role == Role::service) {
      const auto& command = instance.local_command;
      const auto place = layout_.service_directory(instance);
      if (command.size() == 1) {
        say({"/bin/sh", "-c", command.front()});
      } else {
        // A path beside the spec is a path below the service's directory here.
        const bool beside =
            command.front().find('/') != std::string::npos && !command.front().starts_with('/');
        say({beside ? place + "/" + command.front() : command.front()});
        for (std::size_t i = 1; i < command.size(); ++i) say({command[i]});
      }
      service.set("WorkingDirectory", {place, plan_.targets.systemd_prefix.origin});
    } else {
      say({layout_.program("caisson-runtime"), instance.command.front(), "--config",
           layout_.config(instance.name + ".json")});
    }
    service.set("ExecStart", std::move(words));
  }

  /// A low port is what a unit needs a capability of the host for, not of a user namespace: its
  /// network belongs to the host's.
  static void low_port(Node& tree, bool low, const Origin& origin) {
    auto& service = *tree.find("Service");
    if (!low) {
      service.set("PrivateUsers", {true, origin});
      return;
    }
    service.remove("PrivateUsers");
    for (const auto* key : {"AmbientCapabilities", "CapabilityBoundingSet"})
      service.set(key, {"CAP_NET_BIND_SERVICE", origin});
  }

  void edge_privileges(Node& tree) const {
    append(tree, "Service", "SupplementaryGroups",
           {layout_.front_group(), plan_.targets.systemd_user.origin});
    const auto& ports = plan_.edge;
    const bool secure = ports.tls.value != plan::Edge::Tls::off;
    low_port(tree,
             ports.http.value < first_open_port || (secure && ports.https.value < first_open_port),
             ports.http.origin);
  }

  /// Programs of Caisson's own always live with these; of others, the spec knows.
  static void confinement(Node& tree, const Instance& instance) {
    auto& service = *tree.find("Service");
    const Origin origin{Origin::Kind::derived, instance.origin.pointer + "/systemd"};
    service.set("MemoryDenyWriteExecute", {instance.memory_deny_write_execute, origin});
    service.set("ProcSubset", {instance.proc_of_processes_alone ? "pid" : "all", origin});
    for (const auto& port : instance.ports) {
      if (port.number.value < first_open_port) low_port(tree, true, port.number.origin);
    }
  }

  void environment(Node& tree, const Instance& instance) const {
    Node variables{Node::Map{}, instance.origin};
    if (instance.role == Role::edge) {
      // Caddy keeps its state where these say, else in somebody's home.
      for (const auto* name : {"HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"}) {
        variables.add(name, {layout_.data(instance.name), plan_.targets.systemd_data.origin});
      }
    }
    const auto place = layout_.credentials(layout_.service(instance.name)) + "/";
    for (const auto& variable : instance.env) {
      if (variable.secret.empty()) {
        variables.add(variable.name, variable.value);
      } else {
        // `systemctl show` tells everybody what a unit's environment holds.
        variables.add(variable.name + "_FILE", {place + variable.secret, variable.value.origin});
      }
    }
    if (!variables.empty()) tree.find("Service")->set("Environment", std::move(variables));
  }

  void credentials(Node& tree, const Instance& instance) const {
    const auto load = [&](const std::string& secret, const Origin& origin) {
      append(tree, "Service", "LoadCredential", {secret + ":" + layout_.secret(secret), origin});
    };
    for (const auto& mount : instance.secrets) load(mount.secret, instance.origin);
    for (const auto& variable : instance.env) {
      const bool mounted = std::ranges::find(instance.secrets, variable.secret,
                                             &plan::SecretMount::secret) != instance.secrets.end();
      if (!variable.secret.empty() && !mounted) load(variable.secret, variable.value.origin);
    }
    if (instance.role != Role::service || instance.secrets.empty()) return;
    // Where the spec language says that a service finds its secrets.
    append(
        tree, "Service", "BindReadOnlyPaths",
        {layout_.credentials(layout_.service(instance.name)) + ":/run/secrets", instance.origin});
  }

  static void limits(Node& tree, const Instance& instance) {
    const auto& from = instance.resources;
    auto& service = *tree.find("Service");
    service.set("CPUQuota", {quota(from.cpu_limit_millis.value), from.cpu_limit_millis.origin});
    service.set("CPUWeight",
                {std::clamp<std::int64_t>(from.cpu_request_millis.value / 10, 1, 10'000),
                 from.cpu_request_millis.origin});
    service.set("MemoryMax", from.memory_limit_bytes);
    service.set("MemoryLow", from.memory_request_bytes);
    service.set("TasksMax", from.pids);
    if (from.files) service.set("LimitNOFILE", *from.files);
  }

  /// Of the deployment's directories a process sees its own part alone.
  void directories(Node& tree, const Instance& instance) const {
    const auto& prefix = plan_.targets.systemd_prefix;
    const auto& data = plan_.targets.systemd_data;
    const auto read = [&](const std::string& path) {
      append(tree, "Service", "BindReadOnlyPaths", {path, prefix.origin});
    };
    const bool image = SystemdLayout::is_image(instance);
    // In the root directory of an image there is nothing of the host's.
    if (!image)
      append(tree, "Service", "TemporaryFileSystem", {prefix.value + ":ro", prefix.origin});
    if (instance.role == Role::service) {
      read(image ? layout_.config(SystemdLayout::hosts_file(instance)) + ":/etc/hosts"
                 : layout_.service_directory(instance));
      for (const auto& mount : instance.writable) {
        temporary(tree, mount.path,
                  {":mode=1777,size=" + std::to_string(mount.size_bytes.value) +
                       (mount.exec ? "" : ",noexec"),
                   mount.size_bytes.origin});
      }
    } else {
      const bool edge = instance.role == Role::edge;
      read(layout_.program(edge ? "caddy" : "caisson-runtime"));
      read(layout_.config(edge ? "Caddyfile" : instance.name + ".json"));
      if (instance.role == Role::runtime) {
        read(layout_.config(SystemdLayout::tenants_directory(instance.name)));
      }
    }
    if (!image) append(tree, "Service", "TemporaryFileSystem", {data.value + ":ro", data.origin});
    if (instance.role == Role::edge) {
      append(tree, "Service", "BindReadOnlyPaths", {layout_.edge_door(), data.origin});
    }
    if (!SystemdLayout::keeps_files(instance)) return;
    const auto own = layout_.data(instance.name);
    if (instance.role == Role::service && !instance.volumes.empty()) {
      const plan::Origin path{plan::Origin::Kind::derived,
                              instance.origin.pointer + "/storage/path"};
      append(tree, "Service", "BindPaths", {own + ":" + instance.volumes.front().path, path});
      return;
    }
    append(tree, "Service", "BindPaths", {own, data.origin});
    append(tree, "Service", "ReadWritePaths", {own, data.origin});
  }

  /// What shares a network: all of a deployment, which leads nowhere else, but for services that
  /// are images, of which each has its own.
  [[nodiscard]] std::string network_of(const Instance& instance) const {
    return SystemdLayout::is_image(instance) ? layout_.service(instance.name)
                                             : layout_.slice(instance);
  }

  /// Units that share a network name one another, so that any of them may come first.
  void share_network(Node& tree, const std::string& name, const std::string& network,
                     const Origin& origin) const {
    for (const auto& other : networks_.at(network)) {
      if (other != name) append(tree, "Unit", "JoinsNamespaceOf", {other, origin});
    }
  }

  /// What lets an instance reach those that it needs: a socket in its own network, and what hands
  /// each connection on into the other's.
  Result<void> doors(const Instance& instance) {
    const auto reached = layout_.doors(instance);
    for (std::size_t i = 0; i < reached.size(); ++i) {
      const auto& other = *reached[i];
      const auto name = layout_.door(instance, other);
      const auto what = "door of " + instance.name + " to " + other.name;
      const Origin origin{Origin::Kind::derived, instance.origin.pointer + "/needs"};
      const auto& number = other.ports.front().number;
      auto socket = blueprints_.yaml("systemd/socket.yaml");
      if (!socket) return tl::unexpected(socket.error());
      Node listener = empty_unit({"Unit", "Socket"}, origin);
      describe(listener, what, origin);
      listener.merge(std::move(*socket));
      auto& listening = *listener.find("Socket");
      listening.set("ListenStream",
                    {SystemdLayout::door_address(instance, i) + ":" + std::to_string(number.value),
                     number.origin});
      // Whoever makes the network makes the rest that is shared with it.
      listening.set("PrivateNetwork", {true, origin});
      listening.set("PrivateIPC", {true, origin});
      share_network(listener, name + ".socket", network_of(instance), origin);
      add(name + ".socket", std::move(listener), instance.origin.pointer, true);

      Node own = empty_unit({"Unit", "Service"}, origin);
      describe(own, what, origin);
      run_as(own, instance);
      auto tree = base(std::move(own), {"service", "isolated", "door"});
      if (!tree) return tl::unexpected(tree.error());
      append(*tree, "Unit", "Requires", {name + ".socket", origin});
      append(*tree, "Unit", "After", {name + ".socket", origin});
      auto& service = *tree->find("Service");
      for (const auto* key : {"User", "Group"}) {
        service.set(key, {layout_.door_account(), plan_.targets.systemd_user.origin});
      }
      service.set("SyslogIdentifier", {name, origin});
      Node words{Node::List{}, origin};
      words.push({"/lib/systemd/systemd-socket-proxyd", origin});
      words.push({"127.0.0.1:" + std::to_string(number.value), number.origin});
      service.set("ExecStart", std::move(words));
      for (const auto& place : {plan_.targets.systemd_prefix, plan_.targets.systemd_data}) {
        append(*tree, "Service", "TemporaryFileSystem", {place.value + ":ro", place.origin});
      }
      share_network(*tree, name + ".service", network_of(other), origin);
      add(name + ".service", std::move(*tree), instance.origin.pointer, false);
    }
    return {};
  }

  Result<void> backup(const Instance& instance) {
    const Origin origin = plan_.backup.schedule.origin;
    const auto name = backup_unit(plan_, instance);
    Node own = empty_unit({"Unit", "Service"}, origin);
    describe(own, "backup of " + instance.name, origin);
    run_as(own, instance);
    own.find("Service")->set("SyslogIdentifier", {name, origin});
    auto tree = base(std::move(own), {"service", "isolated", "backup"});
    if (!tree) return tl::unexpected(tree.error());
    append(*tree, "Unit", "Wants", {layout_.service(instance.name), origin});
    append(*tree, "Unit", "After", {layout_.service(instance.name), origin});
    const auto config = layout_.config(instance.name + ".backup.json");
    Node words{Node::List{}, origin};
    for (const auto& word : {layout_.program("caisson-runtime"), std::string("backup"),
                             std::string("--config"), config}) {
      words.push({word, origin});
    }
    tree->find("Service")->set("ExecStart", std::move(words));
    append(*tree, "Service", "LoadCredential",
           {instance.operator_token + ":" + layout_.secret(instance.operator_token), origin});
    const auto& prefix = plan_.targets.systemd_prefix;
    const auto& data = plan_.targets.systemd_data;
    append(*tree, "Service", "TemporaryFileSystem", {prefix.value + ":ro", prefix.origin});
    append(*tree, "Service", "TemporaryFileSystem", {data.value + ":ro", data.origin});
    for (const auto& path :
         {layout_.program("caisson-runtime"), config, layout_.sockets(instance.name)}) {
      append(*tree, "Service", "BindReadOnlyPaths", {path, prefix.origin});
    }
    for (const auto& [path, from] :
         {std::pair{layout_.data(instance.name), data.origin},
          std::pair{layout_.backups() + "/" + instance.name, plan_.backup.to.origin}}) {
      append(*tree, "Service", "BindPaths", {path, from});
      append(*tree, "Service", "ReadWritePaths", {path, from});
    }
    add(name + ".service", std::move(*tree), "/backup", false);

    Node timer = empty_unit({"Unit"}, origin);
    describe(timer, "when " + instance.name + " is backed up", origin);
    timer.find("Unit")->add("StartLimitIntervalSec", {0, origin});  // as of sockets
    timer.add("Timer", backup_times(plan_));
    add(name + ".timer", std::move(timer), "/backup", true);
    return {};
  }

  /// What the units of a slice may use together: the sum of what each may.
  void slices() {
    const auto slice = [&](const std::string& name, const std::string& what,
                           const std::vector<const Instance*>& instances, const Origin& origin) {
      std::int64_t memory = 0;
      std::int64_t cpu = 0;
      std::int64_t tasks = 0;
      for (const auto* instance : instances) {
        memory += instance->resources.memory_limit_bytes.value;
        cpu += instance->resources.cpu_limit_millis.value;
        tasks += instance->resources.pids.value;
        const auto doors = static_cast<std::int64_t>(layout_.doors(*instance).size());
        memory += doors * door_memory;
        tasks += doors * door_tasks;
      }
      Node tree = empty_unit({"Unit", "Slice"}, origin);
      tree.find("Unit")->set("Description", {plan_.name.value + ": " + what, origin});
      auto& limits = *tree.find("Slice");
      limits.set("CPUQuota", {quota(cpu), origin});
      limits.set("MemoryMax", {memory, origin});
      limits.set("MemorySwapMax", {0, origin});
      limits.set("TasksMax", {tasks, origin});
      add(name, std::move(tree), origin.at.empty() ? "/name" : origin.at, false);
    };
    std::vector<const Instance*> every;
    for (const auto& [name, instances] : groups_) {
      const auto& first = *instances.front();
      slice(name, first.tenant ? "tenant " + *first.tenant : "what tenants share", instances,
            first.origin);
      every.insert(every.end(), instances.begin(), instances.end());
    }
    if (!every.empty()) slice(layout_.slice(), "everything", every, plan_.name.origin);
  }

  void target() {
    const Origin origin = plan_.name.origin;
    Node tree = empty_unit({"Unit", "Install"}, origin);
    tree.find("Unit")->set("Description", {plan_.name.value + " " + plan_.version.value, origin});
    std::ranges::sort(started_);
    for (const auto& name : started_) append(tree, "Unit", "Wants", {name, origin});
    tree.find("Install")->set("WantedBy", {"multi-user.target", origin});
    add(layout_.target(), std::move(tree), "/name", false);
  }

  const plan::Plan& plan_;
  const SystemdLayout& layout_;
  const Blueprints& blueprints_;
  std::map<std::string, std::vector<const Instance*>> groups_;  ///< by slice
  std::map<std::string, std::vector<std::string>> networks_;    ///< the units that share each
  std::vector<std::string> started_;
  std::vector<Unit> units_;
};

}  // namespace

Result<std::vector<Unit>> systemd_units(const plan::Plan& plan, const SystemdLayout& layout,
                                        const Blueprints& blueprints) {
  return Units(plan, layout, blueprints).all();
}

}  // namespace caisson::render

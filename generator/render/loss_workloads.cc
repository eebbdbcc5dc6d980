// What runs: the runtime, the dashboard and the product's services.

#include <algorithm>

#include "generator/render/loss_table.h"

namespace caisson::render {

namespace {

using plan::Instance;
using plan::Role;

constexpr std::string_view one_of_range = "the lower bound runs; nothing scales by itself";
constexpr std::string_view one_process = "one process runs";
constexpr std::string_view no_size = "a named volume has no size of its own; watch the disk";
constexpr std::string_view no_directory_size = "a directory has no size of its own; watch the disk";
constexpr std::string_view no_limit = "processes run without limits of their own";
constexpr std::string_view two_paths =
    "of the paths of the system /tmp and /dev/shm alone can be written";
constexpr std::string_view command_instead = "local.command runs in its place";
constexpr std::string_view unroutable = "no route leads to this port";
constexpr std::string_view secret_in_env =
    "a secret in the environment goes through .env, and `docker inspect` shows it";
constexpr std::string_view secret_in_pod =
    "a secret in the environment can be read by whoever may enter the pod";
constexpr std::string_view secret_by_file =
    "a secret never enters the environment: NAME_FILE names the file that holds it";
constexpr std::string_view nobody_asks =
    "systemd asks nobody: a unit is well while its process runs";
constexpr std::string_view asked_at_start = "asked until it is ready at the start, then no more";
constexpr std::string_view no_command_probe = "not run: it is ready when its port is open";
constexpr std::string_view own_root =
    "the unit's own root directory; local.command runs in its place";
constexpr std::string_view built_elsewhere =
    "whoever builds the image; local.command runs in its place";
constexpr std::string_view left_out = "the service has no local command and is left out";
constexpr std::string_view no_calls = "nothing calls it: the runtime routes nothing to handlers";

/// Places below the services that `holds` picks, each once, where the spec writes `key`.
template <class Holds>
std::vector<Use> at_services(const Asked& asked, std::string_view key, const Holds& holds) {
  std::vector<Use> found;
  for (const auto& instance : asked.plan.instances) {
    if (instance.role != Role::service || !holds(instance)) continue;
    const auto pointer = instance.origin.pointer + std::string(key);
    if (spec::find(asked.document, pointer) == nullptr) continue;
    if (std::ranges::find(found, pointer, &Use::pointer) == found.end()) {
      found.push_back({.pointer = pointer});
    }
  }
  return found;
}

bool several(const Instance& instance) { return instance.replicas.value.max > 1; }
bool scaled(const Instance& instance) {
  return instance.replicas.value.max > instance.replicas.value.min;
}

std::vector<Use> scaled_services(const Asked& asked) {
  return at_services(asked, "/replicas", scaled);
}

std::vector<Use> several_services(const Asked& asked) {
  return at_services(asked, "/replicas", several);
}

std::vector<Use> replicated_storage(const Asked& asked) {
  return at_services(asked, "/storage/path", several);
}

std::vector<Use> dashboards(const Asked& asked, bool (*holds)(const Instance&)) {
  const auto found = std::ranges::find(asked.plan.instances, Role::dashboard, &Instance::role);
  if (found == asked.plan.instances.end() || !holds(*found)) return {};
  return written(asked.document, "dashboard.replicas");
}
std::vector<Use> scaled_dashboard(const Asked& asked) { return dashboards(asked, scaled); }
std::vector<Use> several_dashboards(const Asked& asked) { return dashboards(asked, several); }

std::vector<Use> other_modules(const Asked& asked) {
  const auto& modules = asked.plan.runtime.modules;
  if (modules.size() == 1 && modules.front().value == "records") return {};
  return written(asked.document, "runtime.modules");
}

/// Variables that hold a secret, in instances of a role.
std::vector<Use> secret_variables(const Asked& asked, Role role) {
  std::vector<Use> found;
  for (const auto& instance : asked.plan.instances) {
    if (instance.role != role) continue;
    for (const auto& variable : instance.env) {
      const auto& pointer = variable.value.origin.pointer;
      if (variable.secret.empty()) continue;
      if (std::ranges::find(found, pointer, &Use::pointer) == found.end()) {
        found.push_back({.pointer = pointer});
      }
    }
  }
  return found;
}
std::vector<Use> runtime_secrets(const Asked& asked) {
  return secret_variables(asked, Role::runtime);
}
std::vector<Use> service_secrets(const Asked& asked) {
  return secret_variables(asked, Role::service);
}

/// Services that need one of another deployment, where both are programs of the host.
std::vector<Use> apart_needs(const Asked& asked) {
  return at_services(asked, "/needs", [&](const Instance& instance) {
    return std::ranges::any_of(instance.needs, [&](const std::string& need) {
      const auto* other = asked.plan.instance(need);
      return other != nullptr && other->role == Role::service && other->tenant != instance.tenant &&
             !instance.local_command.empty() && !other->local_command.empty();
    });
  });
}

bool share_a_network(const Instance& a, const Instance& b) {
  return std::ranges::any_of(a.networks, [&](const std::string& network) {
    return std::ranges::find(b.networks, network) != b.networks.end();
  });
}

/// Ports of services that no other service says it needs.
std::vector<Use> uncalled_ports(const Asked& asked) {
  std::vector<Use> found;
  const auto& instances = asked.plan.instances;
  const auto place = [](const Instance& instance) { return instance.origin.pointer; };
  for (const auto& instance : instances) {
    if (instance.role != Role::service || instance.ports.empty()) continue;
    const auto pointer = place(instance) + "/port";
    if (std::ranges::find(found, pointer, &Use::pointer) != found.end()) continue;
    bool needed = false;
    bool reachable = false;
    for (const auto& other : instances) {
      if (other.role != Role::service || place(other) == place(instance)) continue;
      needed = needed || std::ranges::find(other.needs, instance.name) != other.needs.end();
      reachable = reachable || share_a_network(instance, other);
    }
    if (needed) continue;
    const auto name = place(instance).substr(place(instance).rfind('/') + 1);
    // Who is asked for its health at a path has to have a port.
    const bool asked_there =
        spec::find(asked.document, place(instance) + "/health/path") != nullptr;
    found.push_back({.pointer = pointer,
                     .detail = reachable ? ", and no service lists '" + name + "' in `needs`"
                                         : ": nothing can reach it",
                     .leave_out = asked_there ? "it and 'health.path'" : ""});
  }
  return found;
}

std::vector<Use> not_to_be_run(const Asked& asked) {
  return at_services(asked, "/writable", [](const Instance& instance) {
    return std::ranges::any_of(instance.writable, [](const auto& mount) { return !mount.exec; });
  });
}

std::vector<Use> named_services(const Asked& asked) {
  return at_services(asked, "/egress", [](const Instance& instance) {
    return std::ranges::any_of(instance.egress, [](const auto& to) { return has_name(to.value); });
  });
}

std::vector<Use> without_command(const Asked& asked) {
  return at_services(asked, "", [](const Instance& i) { return i.local_command.empty(); });
}

// clang-format off: one field a row reads like the table it is
const Row rows[] = {
    {"runtime.image", "the image that runs",
     {none, yes, yes, approximated("the caisson-runtime in targets.systemd.prefix runs, not an image"), approximated("the caisson-runtime beside caisson runs, not an image"), none}},
    {"runtime.replicas", "`caisson`: with SQLite one runs, and more are refused (E0213)", stack},
    {"runtime.resources.cpu", "the target; the runtime has an event loop for each core", {none, yes, yes, yes, approximated(no_limit), none}},
    {"runtime.resources.memory", "the target", {none, yes, yes, yes, approximated(no_limit), none}},
    {"runtime.storage", "the target", {none, approximated(no_size), yes, approximated(no_directory_size), approximated(no_directory_size), none}},
    {"runtime.modules", "the runtime: `records`, always on", on_stack(ignored("the runtime has the module records alone, which is always on")), other_modules},
    {"runtime.drain", "the runtime", stack},
    {"runtime.env", "the environment of the runtime", {none, approximated(secret_in_env), approximated(secret_in_pod), approximated(secret_by_file), yes, none}, runtime_secrets},

    {"dashboard", "the plan", {yes, yes, yes, yes, yes, none}},
    {"dashboard.replicas", "the target",
     {none, approximated(one_of_range, scaled_dashboard), yes, approximated(one_process, several_dashboards), approximated(one_process, several_dashboards), none}},
    {"dashboard.resources.cpu", "the target", {none, yes, yes, yes, approximated(no_limit), none}},
    {"dashboard.resources.memory", "the target", {none, yes, yes, yes, approximated(no_limit), none}},

    {"services.*.image", "the image that runs", {none, yes, yes, honoured(own_root), honoured(command_instead), none}},
    {"services.*.build.context", "`docker compose build`", {none, yes, honoured("the image is named after the service and the version; push it before"), honoured(built_elsewhere), honoured(command_instead), none}},
    {"services.*.build.dockerfile", "`docker compose build`", {none, yes, honoured("whoever builds the image"), honoured(built_elsewhere), honoured(command_instead), none}},
    {"services.*.build.args", "`docker compose build`", {none, yes, honoured("whoever builds the image"), honoured(built_elsewhere), honoured(command_instead), none}},
    {"services.*.command", "the container", {none, yes, yes, honoured(own_root), honoured(command_instead), none}},
    {"services.*.port", "the services that need it; no route of the edge leads to a service",
     {none, ignored(unroutable), ignored(unroutable), ignored(unroutable), honoured("every process of the machine reaches it, at the port that README.md says"), none}, uncalled_ports},
    {"services.*.health.path", "the target", {none, yes, yes, approximated(nobody_asks), approximated(asked_at_start), none}},
    {"services.*.health.command", "the target", {none, yes, yes, approximated(nobody_asks), approximated(no_command_probe), none}},
    {"services.*.health.interval", "the target", {none, yes, yes, approximated(nobody_asks, told_elsewhere), approximated(asked_at_start, told_elsewhere), none}},
    {"services.*.health.timeout", "the target", {none, yes, yes, approximated(nobody_asks, told_elsewhere), approximated(asked_at_start, told_elsewhere), none}},
    {"services.*.health.retries", "the target", {none, yes, yes, approximated(nobody_asks, told_elsewhere), approximated(asked_at_start, told_elsewhere), none}},
    {"services.*.health.start", "the target", {none, yes, yes, approximated(nobody_asks, told_elsewhere), approximated(asked_at_start, told_elsewhere), none}},
    {"services.*.env", "the environment of the service", {none, approximated(secret_in_env), approximated(secret_in_pod), approximated(secret_by_file), yes, none}, service_secrets},
    {"services.*.secrets", "files under /run/secrets", {none, yes, yes, yes, approximated("the files are in ../../secrets/ of the directory where the process starts"), none}},
    {"services.*.replicas", "the target",
     {none, approximated(one_of_range, scaled_services), yes, approximated(one_process, several_services), approximated(one_process, several_services), none}},
    {"services.*.resources.cpu", "the target", {none, yes, yes, yes, approximated(no_limit), none}},
    {"services.*.resources.memory", "the target", {none, yes, yes, yes, approximated(no_limit), none}},
    {"services.*.storage.path", "a volume", {none, approximated("its replicas share one volume", replicated_storage), approximated("each of its replicas has a volume of its own, which begins empty", replicated_storage), yes, approximated("nothing is mounted there: the process keeps its files in the directory where it starts, which `down` removes"), none}},
    {"services.*.storage.size", "the volume", {none, approximated(no_size), yes, approximated(no_directory_size), approximated(no_directory_size), none}},
    {"services.*.user", "the container", {none, yes, yes, approximated("every unit has an account of its own"), approximated("every process has an account of its own, or without root that of whoever starts it"), none}},
    {"services.*.writable", "a tmpfs", {none, yes, yes, yes, approximated(two_paths), none}},
    {"services.*.writable.path", "a tmpfs", {none, yes, yes, yes, approximated(two_paths), none}},
    {"services.*.writable.size", "a tmpfs", {none, yes, yes, yes, approximated(no_limit), none}},
    {"services.*.writable.exec", "a tmpfs", {none, yes, approximated("files there may be run: no pod can forbid it"), yes, approximated("files there may be run"), none}, not_to_be_run},
    {"services.*.limits.processes", "the target", {none, yes, approximated("the kubelet has one limit for all pods of a node, podPidsLimit"), yes, approximated(no_limit), none}},
    {"services.*.limits.files", "the target", {none, yes, approximated("containers have the limit of the node's container runtime"), yes, approximated(no_limit), none}},
    {"services.*.systemd.memory-deny-write-execute", "the unit", {none, none, none, yes, none, none}},
    {"services.*.systemd.proc-subset", "the unit", {none, none, none, yes, none, none}},
    {"services.*.needs", "the order of starting, and the networks", {none, yes, yes, approximated("a tenant's own program does not reach the shared ones: its deployment has a network of its own"), yes, none}, apart_needs},
    {"services.*.egress", "the networks",
     {none,
      approximated("compose cannot tell destinations apart: the service reaches everything outside"),
      approximated(no_names, named_services),
      approximated("nothing leaves: the unit has no network but the one of its own deployment"),
      approximated("processes of one machine share its network"), none}},
    {"services.*.module", "", {none, ignored(no_calls), ignored(no_calls), ignored(no_calls), ignored(no_calls), approximated("the document and the readme name its handlers, which nothing calls", told_elsewhere)}},
    {"services.*.replica-per-tenant", "the plan", stack},
    {"services.*.local.command", "the process that runs", {none, none, none, yes, approximated(left_out), none}, without_command},
};
// clang-format on

}  // namespace

std::span<const Row> workload_rows() { return rows; }

}  // namespace caisson::render

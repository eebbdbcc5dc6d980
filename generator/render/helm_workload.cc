#include "generator/render/helm_workload.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "generator/plan/names.h"

namespace caisson::render::helm {

namespace {

using plan::Health;
using plan::Instance;
using plan::Role;

/// A service says these itself; what else runs has them because of what it is.
plan::Origin field(const Instance& instance, std::string_view name) {
  const auto below = instance.role == Role::service ? "/" + std::string(name) : std::string{};
  return {plan::Origin::Kind::derived, instance.origin.pointer + below};
}

std::string cores(std::int64_t millis) {
  return millis % 1000 == 0 ? std::to_string(millis / 1000) : std::to_string(millis) + "m";
}

std::int64_t whole_seconds(std::int64_t milliseconds) {
  return std::max<std::int64_t>(1, (milliseconds + 999) / 1000);
}

Node strings(const std::vector<std::string>& values, const Origin& origin) {
  Node node{Node::List{}, origin};
  for (const auto& value : values) node.push({value, origin});
  return node;
}

Node resources(const plan::Resources& amount) {
  const auto pair = [](const plan::Traced<std::int64_t>& cpu,
                       const plan::Traced<std::int64_t>& memory) {
    Node node{Node::Map{}};
    node.add("cpu", {cores(cpu.value), cpu.origin});
    node.add("memory", {byte_size(memory.value), memory.origin});
    return node;
  };
  Node node{Node::Map{}};
  node.add("requests", pair(amount.cpu_request_millis, amount.memory_request_bytes));
  node.add("limits", pair(amount.cpu_limit_millis, amount.memory_limit_bytes));
  return node;
}

/// A service is ready when its health check says so and alive as long as it takes connections: a
/// process that is only slow is not killed for it.
Node service_probes(const Instance& instance, const Health& health) {
  const auto origin = field(instance, "health");
  const auto probe = [&](bool connects, Node period, Node failures) {
    Node node{Node::Map{}, origin};
    if (health.kind == Health::Kind::command && (!connects || instance.ports.empty())) {
      node.add("command", strings(health.command, origin));
    } else {
      if (health.kind == Health::Kind::http && !connects) {
        node.add("http", health.path);
      } else {
        node.add("tcp", {true, origin});
      }
      node.add("port", {instance.ports.front().name, origin});
    }
    node.add("period", std::move(period));
    node.add("timeout", {whole_seconds(health.timeout_ms), field(instance, "health/timeout")});
    node.add("failures", std::move(failures));
    return node;
  };
  const auto seconds = whole_seconds(health.interval_ms);
  const Node period{seconds, field(instance, "health/interval")};
  const auto retries = field(instance, "health/retries");
  Node node{Node::Map{}, origin};
  // As long as it may take to start, and then as many failures as ever: made of three fields.
  node.add("startup", probe(false, {1, origin},
                            {whole_seconds(health.start_ms) + health.retries * seconds, origin}));
  node.add("liveness", probe(true, period, {2 * health.retries, retries}));
  node.add("readiness", probe(false, period, {health.retries, retries}));
  return node;
}

Node environment(const Instance& instance) {
  Node env{Node::Map{}, field(instance, "env")};
  for (const auto& variable : instance.env) {
    const auto& origin = variable.value.origin;
    Node entry{Node::Map{}, origin};
    if (variable.secret.empty()) {
      entry.add("value", variable.value);
    } else {
      entry.add("secret", {variable.secret, origin});
    }
    env.add(variable.name, std::move(entry));
  }
  return env;
}

/// What of the internet and of private networks a destination is, as NetworkPolicies say it.
struct Reach {
  std::string_view cidr;
  std::vector<std::string_view> except{};
};

/// A NetworkPolicy knows no names. One that can only be a private network's opens those, any other
/// the internet without them.
std::vector<Reach> reach_of_name(std::string_view host) {
  constexpr std::array<std::string_view, 7> inside{".internal", ".local", ".lan", ".corp",
                                                   ".intranet", ".home",  ".svc"};
  const bool is_private =
      host.find('.') == std::string_view::npos ||
      std::ranges::any_of(inside, [&](std::string_view end) { return host.ends_with(end); });
  if (is_private) {
    // Clouds answer with credentials among those (E0216).
    return {{"10.0.0.0/8"},
            {"100.64.0.0/10", {"100.100.100.200/32"}},
            {"172.16.0.0/12"},
            {"192.168.0.0/16"},
            {"fc00::/7", {"fd00:ec2::254/128", "fd20:ce::254/128", "fd00:c1::a9fe:a9fe/128"}}};
  }
  return {{"0.0.0.0/0",
           {"10.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",
            "192.0.0.192/32", "192.168.0.0/16"}},
          {"2000::/3"}};
}

Node egress(const Instance& instance) {
  Node node{Node::Map{}, field(instance, "egress")};
  for (const auto& destination : instance.egress) {
    const auto& origin = destination.origin;
    const std::string_view text = destination.value;
    if (text.find('/') != std::string_view::npos) {
      Node entry{Node::Map{}, origin};
      entry.add("cidr", destination);
      node.set(destination.value, std::move(entry));
      continue;
    }
    const auto colon = text.rfind(':');
    const auto port = static_cast<std::int64_t>(std::stol(destination->substr(colon + 1)));
    std::string host(text.substr(0, colon));
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    const bool v6 = host.find(':') != std::string::npos;
    const bool v4 = host.find_first_not_of("0123456789.") == std::string::npos;
    const std::string literal = host + (v6 ? "/128" : "/32");
    const auto reaches = v4 || v6 ? std::vector<Reach>{{literal}} : reach_of_name(host);
    for (const auto& reach : reaches) {
      Node entry{Node::Map{}, origin};
      entry.add("cidr", {std::string(reach.cidr), origin});
      Node except{Node::Map{}, origin};
      for (const auto inside : reach.except) except.add(std::string(inside), {true, origin});
      if (!except.empty()) entry.add("except", std::move(except));
      entry.add("port", {port, origin});
      const bool first = &reach == &reaches.front();
      node.set(destination.value + (first ? "" : " in " + std::string(reach.cidr)),
               std::move(entry));
    }
  }
  return node;
}

constexpr std::array<std::string_view, 7> binary{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
constexpr std::array<std::string_view, 7> decimal{"", "k", "M", "G", "T", "P", "E"};

}  // namespace

std::string byte_size(std::int64_t bytes) {
  const bool is_binary = bytes % 1024 == 0;
  const std::int64_t step = is_binary ? 1024 : 1000;
  std::size_t unit = 0;
  for (; bytes != 0 && bytes % step == 0; ++unit) bytes /= step;
  return std::to_string(bytes).append(is_binary ? binary.at(unit) : decimal.at(unit));
}

std::optional<std::int64_t> bytes_of(std::string_view size) {
  double number = 0;
  const auto [rest, error] = std::from_chars(size.data(), size.data() + size.size(), number);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return {};
  const auto unit = size.substr(static_cast<std::size_t>(rest - size.data()));
  for (const auto& [units, step] : {std::pair{&binary, 1024.0}, {&decimal, 1000.0}}) {
    const auto found = std::ranges::find(*units, unit);
    if (found == units->end()) continue;
    number *= std::pow(step, found - units->begin());
    constexpr double most = 9.2e18;
    if (number > most) return {};
    return static_cast<std::int64_t>(std::ceil(number));
  }
  return {};
}

void lay_over(Node& node, const Instance& instance, const Volumes& volumes) {
  Node over{Node::Map{}};
  Node replicas{Node::Map{}, instance.replicas.origin};
  replicas.add("min", {instance.replicas.value.min, instance.replicas.origin});
  replicas.add("max", {instance.replicas.value.max, instance.replicas.origin});
  over.add("replicas", std::move(replicas));
  over.add("user", {instance.uid, field(instance, "user")});
  const plan::Origin drain{plan::Origin::Kind::derived, "/runtime/drain"};
  over.add("grace", {whole_seconds(instance.stop_grace_ms),
                     instance.role == Role::runtime ? drain : instance.origin});
  over.add("resources", resources(instance.resources));
  // As everywhere, the words follow the image's own entry point.
  if (!instance.command.empty()) {
    over.add("args", strings(instance.command, field(instance, "command")));
  }
  if (!instance.env.empty()) over.add("env", environment(instance));
  Node networks{Node::Map{}, instance.origin};
  for (const auto& network : instance.networks) networks.set(network, {true, instance.origin});
  over.add("networks", std::move(networks));
  if (!instance.egress.empty()) over.add("egress", egress(instance));
  if (instance.role == Role::service && instance.health) {
    over.add("probes", service_probes(instance, *instance.health));
  }
  Node kept{Node::Map{}, instance.origin};
  for (const auto& mount : instance.volumes) {
    const auto& size = volumes.find(mount.volume)->second->size_bytes;
    Node entry{Node::Map{}, instance.origin};
    entry.add("path", {mount.path, field(instance, "storage/path")});
    entry.add("size", {byte_size(size.value), size.origin});
    kept.add(mount.volume, std::move(entry));
  }
  if (!kept.empty()) over.add("volumes", std::move(kept));
  Node secrets{Node::Map{}, instance.origin};
  for (const auto& mount : instance.secrets)
    secrets.add(mount.secret, {mount.path, field(instance, "secrets")});
  if (!secrets.empty()) over.add("secrets", std::move(secrets));
  Node writable{Node::Map{}, field(instance, "writable")};
  for (const auto& mount : instance.writable)
    writable.set(mount.path, {byte_size(mount.size_bytes.value), mount.size_bytes.origin});
  if (!writable.empty()) over.add("writable", std::move(writable));
  node.merge(std::move(over));
}

std::string controller(const Instance& instance) {
  // Kubernetes labels pods with this name and a hash of eleven characters.
  constexpr std::size_t longest = plan::longest_name - 11;
  return plan::derived_name({instance.name}, longest);
}

std::string claim(const Instance& instance, std::string_view volume) {
  return std::string(volume) + "-" + controller(instance) + "-0";
}

std::string backup_claim(const Instance& instance) { return instance.name + ".backup"; }

std::string backup_job(std::string_view instance) {
  constexpr std::size_t longest = 45;
  std::string name(instance.substr(0, longest));
  if (name.ends_with('-')) name.pop_back();
  return name + "-backup";
}

plan::Traced<std::int64_t> backup_bytes(const plan::Plan& plan, const plan::Volume& volume) {
  const auto each = volume.size_bytes.value;
  const auto& keep = plan.backup.keep;
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  return {each > most / keep.value ? most : each * keep.value, keep.origin};
}

std::map<std::string, std::string, std::less<>> namespaces(const plan::Plan& plan) {
  const auto& release = plan.targets.cluster.namespace_.value;
  plan::Names taken;
  static_cast<void>(taken.take(release));
  std::map<std::string, std::string, std::less<>> found;
  for (const auto& tenant : plan.tenants) {
    if (tenant.isolation != plan::Isolation::deployment) continue;
    found.emplace(tenant.slug, taken.take(plan::derived_name({release, tenant.slug})));
  }
  return found;
}

std::string remark(const Instance& instance) {
  if (instance.role != Role::runtime) return {};
  return instance.tenant ? "The runtime of tenant " + *instance.tenant + " alone."
                         : "The shared runtime.";
}

void Amount::add(const Instance& instance, bool backed_up) {
  // An update starts a pod more before it stops one.
  const auto pods = instance.replicas.value.max + (instance.volumes.empty() ? 1 : 0);
  const auto& each = instance.resources;
  pods_ += pods;
  cpu_request_millis_ += pods * each.cpu_request_millis.value;
  cpu_limit_millis_ += pods * each.cpu_limit_millis.value;
  memory_request_bytes_ += pods * each.memory_request_bytes.value;
  memory_limit_bytes_ += pods * each.memory_limit_bytes.value;
  claims_ += static_cast<std::int64_t>(instance.volumes.size()) * instance.replicas.value.max +
             (backed_up ? 1 : 0);
}

Node Amount::quota(const plan::Origin& origin) const {
  // `helm test` adds a small pod a workload, and a backup one a runtime.
  constexpr std::int64_t helper_millis = std::int64_t{2} * 100;
  constexpr std::int64_t helper_bytes = 2 * (32LL << 20);
  Node node{Node::Map{}, origin};
  const auto add = [&](const char* key, std::string value) {
    node.add(key, {std::move(value), origin});
  };
  add("pods", std::to_string(3 * pods_));
  add("requests.cpu", cores(cpu_request_millis_ + pods_ * helper_millis));
  add("requests.memory", byte_size(memory_request_bytes_ + pods_ * helper_bytes));
  add("limits.cpu", cores(cpu_limit_millis_ + pods_ * helper_millis));
  add("limits.memory", byte_size(memory_limit_bytes_ + pods_ * helper_bytes));
  add("persistentvolumeclaims", std::to_string(claims_));
  return node;
}

}  // namespace caisson::render::helm

#include "generator/render/compose_service.h"

#include <algorithm>
#include <array>

#include "base/suggestion.h"
#include "generator/render/fingerprint.h"
#include "generator/render/observability.h"
#include "generator/render/plan_report.h"
#include "generator/render/scalar_text.h"
#include "generator/render/secret_facts.h"

namespace caisson::render {

namespace {

using plan::Health;
using plan::Instance;
using plan::Role;

constexpr std::string_view version = CAISSON_VERSION;

/// A service says these itself; what else runs has them because of what it is.
plan::Origin field(const Instance& instance, std::string_view name) {
  const auto below = instance.role == Role::service ? "/" + std::string(name) : std::string{};
  return {plan::Origin::Kind::derived, instance.origin.pointer + below};
}

std::string duration(std::int64_t milliseconds) {
  return milliseconds % 1000 == 0 ? std::to_string(milliseconds / 1000) + "s"
                                  : std::to_string(milliseconds) + "ms";
}

/// Compose's own notation: k, m and g are binary there.
std::string byte_size(std::int64_t bytes) {
  constexpr std::array<std::pair<std::int64_t, char>, 3> units{
      {{std::int64_t{1} << 30, 'g'}, {std::int64_t{1} << 20, 'm'}, {std::int64_t{1} << 10, 'k'}}};
  for (const auto& [size, suffix] : units) {
    if (bytes >= size && bytes % size == 0) return std::to_string(bytes / size) + suffix;
  }
  return std::to_string(bytes) + "b";
}

std::string cores(std::int64_t millis) {
  auto text = decimal(static_cast<double>(millis) / 1000);
  return text.ends_with(".0") ? text.substr(0, text.size() - 2) : text;
}

Node strings(const std::vector<std::string>& values, const Origin& origin) {
  Node node{Node::List{}, origin};
  for (const auto& value : values) node.push({compose_literal(value), origin});
  return node;
}

Node healthcheck(const Instance& instance, const Health& health) {
  const auto origin = field(instance, "health");
  const auto* port = instance.ports.empty() ? nullptr : &instance.ports.front();
  // What listens on one network alone is asked there.
  const auto host = port == nullptr || port->network.empty() ? std::string("127.0.0.1")
                                                             : alias_of(instance, *port);
  const auto address =
      host + ":" + (port == nullptr ? std::string("0") : std::to_string(port->number.value));
  const auto probe = [&](const std::string& url) {
    return Node{
        Node::List{{"CMD", origin},
                   {std::string(probe_path), origin},
                   {"health", origin},
                   {"--url", origin},
                   {compose_literal(url), port == nullptr || health.kind == Health::Kind::http
                                              ? Origin(instance.origin)  // port and path
                                              : Origin(port->number.origin)}},
        origin};
  };
  Node test;
  switch (health.kind) {
    case Health::Kind::runtime_command:
      test = Node::List{"CMD", "/bin/caisson-runtime"};
      for (const auto& word : health.command) test.push({word, origin});
      break;
    case Health::Kind::command:
      test = Node::List{"CMD"};
      for (const auto& word : health.command) test.push({compose_literal(word), origin});
      break;
    case Health::Kind::http:
      test = probe("http://" + address + health.path.value);
      break;
    case Health::Kind::tcp:
      test = probe("tcp://" + address);
      break;
  }
  Node node{Node::Map{}, origin};
  node.add("test", std::move(test));
  node.add("interval", {duration(health.interval_ms), field(instance, "health/interval")});
  node.add("timeout", {duration(health.timeout_ms), field(instance, "health/timeout")});
  node.add("start_period", {duration(health.start_ms), field(instance, "health/start")});
  node.add("retries", {health.retries, field(instance, "health/retries")});
  return node;
}

/// The image has nothing that could ask, so the probe comes from outside and is mounted.
bool needs_probe(const Instance& instance) {
  return (instance.role == Role::service || is_observer(instance)) && instance.health &&
         (instance.health->kind == Health::Kind::http ||
          instance.health->kind == Health::Kind::tcp);
}

Node volume(std::string_view type, std::string source, std::string target, bool read_only,
            const Origin& origin) {
  Node node{Node::Map{}, origin};
  node.add("type", {type, origin});
  node.add("source", {std::move(source), origin});
  node.add("target", {std::move(target), origin});
  if (read_only) node.add("read_only", {true, origin});
  return node;
}

Node networks(const Instance& instance) {
  Node node{Node::Map{}, instance.origin};
  for (const auto& network : instance.networks) {
    Node options{Node::Map{}, instance.origin};
    for (const auto& port : instance.ports) {
      if (port.network != network) continue;
      options.set("aliases",
                  Node{Node::List{{alias_of(instance, port), instance.origin}}, instance.origin});
    }
    node.add(network, std::move(options));
  }
  return node;
}

void resources(Node& node, const Instance& instance) {
  const auto& amount = instance.resources;
  node.set("mem_limit",
           {byte_size(amount.memory_limit_bytes.value), amount.memory_limit_bytes.origin});
  node.set("memswap_limit",
           {byte_size(amount.memory_limit_bytes.value), amount.memory_limit_bytes.origin});
  node.set("mem_reservation",
           {byte_size(amount.memory_request_bytes.value), amount.memory_request_bytes.origin});
  node.set("cpus", {cores(amount.cpu_limit_millis.value), amount.cpu_limit_millis.origin});
  // 1024 shares are one core's worth when the host is short of cores.
  node.set("cpu_shares", {std::max<std::int64_t>(2, amount.cpu_request_millis.value * 1024 / 1000),
                          amount.cpu_request_millis.origin});
  node.set("pids_limit", amount.pids);
  // A service without a limit of its own gets the engine's.
  auto* limits = node.find("ulimits");
  if (limits == nullptr) return;
  if (!amount.files) {
    if (instance.role == Role::service) limits->remove("nofile");
    return;
  }
  Node files{Node::Map{}, amount.files->origin};
  files.add("soft", *amount.files);
  files.add("hard", *amount.files);
  limits->set("nofile", std::move(files));
}

void environment(Node& node, const Instance& instance) {
  if (instance.env.empty()) return;
  Node values{Node::Map{}, field(instance, "env")};
  for (const auto& variable : instance.env) {
    const auto text = variable.secret.empty() ? compose_literal(variable.value.value)
                                              : "${" + secret_variable(variable.secret) +
                                                    ":?is not set: run secrets/generate.sh}";
    values.add(variable.name, {text, variable.value.origin});
  }
  if (auto* present = node.find("environment")) {
    present->merge(std::move(values));
  } else {
    node.set("environment", std::move(values));
  }
}

void writable(Node& node, const Instance& instance) {
  const auto uid = std::to_string(instance.uid);
  for (const auto& mount : instance.writable) {
    auto* present = node.find("tmpfs");
    if (present == nullptr) present = &node.set("tmpfs", Node{Node::List{}});
    // Docker makes one noexec unless it is told otherwise.
    auto options = compose_literal(mount.path);
    options.append(":size=").append(std::to_string(mount.size_bytes.value));
    options.append(",mode=0700,uid=").append(uid).append(",gid=").append(uid);
    options.append(mount.exec ? ",exec" : ",noexec").append(",nosuid,nodev");
    present->push({std::move(options), mount.size_bytes.origin});
  }
}

Node published(const plan::Plan& plan, const Instance& instance) {
  Node ports;
  for (const auto& port : instance.ports) {
    if (!port.published) continue;
    const auto& number =
        port.purpose == plan::Port::Purpose::https ? plan.edge.https : plan.edge.http;
    Node entry{Node::Map{}, number.origin};
    entry.add("target", {port.number.value, port.number.origin});
    entry.add("published", {std::to_string(number.value), number.origin});
    entry.add("host_ip", {"${EDGE_ADDRESS:-}", number.origin});
    entry.add("protocol", {"tcp", number.origin});
    ports.push(std::move(entry));
  }
  return ports;
}

}  // namespace

std::string compose_literal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '$') out += '$';
    out += c;
  }
  return out;
}

std::string alias_of(const Instance& instance, const plan::Port& port) {
  return instance.name + "-" + port.name;
}

std::string substituted(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("$$")) {
      out += '$';
      ++i;
    } else if (text.substr(i).starts_with("${")) {
      const auto end = std::min(text.find('}', i), text.size());
      const auto inner = text.substr(i + 2, end - i - 2);
      if (const auto preset = inner.find(":-"); preset != std::string_view::npos) {
        out += inner.substr(preset + 2);
      }
      i = end;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string substitution(std::string_view variable, std::string_view value) {
  return "${" + std::string(variable) + ":-" + std::string(value) + "}";
}

namespace {

/// A word that nothing reads would be a digest that nobody pins.
Result<void> check_images(const Node& images) {
  const auto shipped = Blueprints().yaml("images.yaml");
  if (!shipped) return tl::unexpected(shipped.error());
  const auto unread = [](const Node& at, const std::string& word,
                         const std::vector<std::string>& read) {
    const std::vector<std::string_view> known(read.begin(), read.end());
    return fail("blueprint " + at.origin().at + ": nothing reads '" + word + "'",
                suggest(word, known));
  };
  for (const auto& name : images.keys()) {
    const Node& image = *images.child(name);
    if (shipped->find(name) == nullptr) return unread(image, name, shipped->keys());
    for (const auto& word : image.keys()) {
      static const std::vector<std::string> read{"repository", "tag", "digest", "variable",
                                                 "waiver"};
      if (std::ranges::find(read, word) == read.end())
        return unread(*image.child(word), word, read);
    }
  }
  return {};
}

}  // namespace

Result<ComposeServices> ComposeServices::load(const plan::Plan& plan,
                                              const Blueprints& blueprints) {
  ComposeServices services(plan);
  auto images = blueprints.yaml("images.yaml");
  if (!images) return tl::unexpected(images.error());
  if (auto read = check_images(*images); !read) return tl::unexpected(read.error());
  services.images_ = std::move(*images);
  auto base = blueprints.yaml("compose/service.yaml");
  if (!base) return tl::unexpected(base.error());
  services.every_service_ = std::move(*base);
  auto owner = blueprints.yaml("compose/owner.yaml");
  if (!owner) return tl::unexpected(owner.error());
  services.owner_ = std::move(*owner);
  const bool nginx = plan.edge.proxy.value == plan::Edge::Proxy::nginx;
  for (const auto role :
       {Role::runtime, Role::dashboard, Role::service, Role::database, Role::cache, Role::edge,
        Role::certificates, Role::prometheus, Role::alertmanager, Role::grafana, Role::blackbox}) {
    auto name = role == Role::service ? "workload" : std::string(name_of(role));
    if (role == Role::edge && nginx) name = "edge-nginx";
    auto laid_over = blueprints.yaml("compose/" + name + ".yaml");
    if (!laid_over) return tl::unexpected(laid_over.error());
    services.roles_.emplace(role, std::move(*laid_over));
  }
  return services;
}

ForeignImage ComposeServices::foreign(std::string_view name, std::string_view wanted_tag) const {
  const auto at = [&](std::string_view key) {
    const auto* node = images_.at("/" + std::string(name) + "/" + std::string(key));
    return node == nullptr || node->text() == nullptr ? std::string{} : *node->text();
  };
  auto tag = at("tag");
  auto digest = at("digest");
  const auto* node = images_.find(name);
  auto origin = node == nullptr ? Origin{} : node->origin();
  if (!wanted_tag.empty() && wanted_tag != tag) {
    // The digest belongs to the blueprint's own tag.
    tag = wanted_tag;
    digest.clear();
    origin = plan::Origin{plan::Origin::Kind::derived, "/database"};
  }
  return {.variable = at("variable"),
          .reference = at("repository") + ":" + tag + (digest.empty() ? "" : "@" + digest),
          .waiver = digest.empty() ? at("waiver") : std::string{},
          .origin = std::move(origin)};
}

void ComposeServices::image(Node& node, const Instance& instance) const {
  if (!instance.image.value.empty()) {
    node.set("image", {compose_literal(instance.image.value), instance.image.origin});
    return;
  }
  if (instance.build) {
    const auto origin = field(instance, "build");
    node.set("image",
             {plan_->name.value + "-" + instance.name + ":" + plan_->version.value, origin});
    Node build{Node::Map{}, origin};
    build.add("context", {"${SOURCE_DIR:?is not set, see .env.example}/" +
                              compose_literal(instance.build->context),
                          field(instance, "build/context")});
    if (!instance.build->dockerfile.empty()) {
      build.add("dockerfile",
                {compose_literal(instance.build->dockerfile), field(instance, "build/dockerfile")});
    }
    Node arguments{Node::Map{}, field(instance, "build/args")};
    for (const auto& [name, value] : instance.build->args) {
      arguments.set(
          name, {compose_literal(value), field(instance, "build/args/" + pointer_segment(name))});
    }
    if (!arguments.empty()) build.add("args", std::move(arguments));
    node.set("build", std::move(build));
    return;
  }
  if (instance.role == Role::database || instance.role == Role::cache) {
    const bool database = instance.role == Role::database;
    const auto foreign_image =
        database ? foreign("postgres", plan_->database.version) : foreign("redis");
    node.set("image",
             {substitution(foreign_image.variable, foreign_image.reference), foreign_image.origin});
    return;
  }
  const std::string name(name_of(instance.role));
  if (is_observer(instance)) {
    const auto observer = foreign(name);
    node.set("image", {substitution(observer.variable, observer.reference), observer.origin});
    return;
  }
  node.set("image", {"caisson-" + name + ":" + std::string(version), instance.image.origin});
  Node build{Node::Map{}, instance.image.origin};
  build.add("context", {"../docker", instance.image.origin});
  build.add("dockerfile", {name + ".Dockerfile", instance.image.origin});
  if (instance.role == Role::edge || instance.role == Role::certificates) {
    const auto base = foreign(instance.role == Role::edge ? name_of(plan_->edge.proxy.value)
                                                          : std::string_view("certbot"));
    Node arguments{Node::Map{}, base.origin};
    arguments.add(base.variable, {substitution(base.variable, base.reference), base.origin});
    build.add("args", std::move(arguments));
  }
  node.set("build", std::move(build));
}

void ComposeServices::mounts(Node& node, const Instance& instance,
                             const std::map<std::string, std::string>& config_digests) const {
  Node configs;
  Node labels{Node::Map{}, instance.origin};
  labels.add("caisson.deployment", plan_->name);
  labels.add("caisson.role", {name_of(instance.role), instance.origin});
  if (instance.tenant) labels.add("caisson.tenant", {*instance.tenant, instance.origin});
  std::string digests;
  for (const auto& mount : instance.configs) {
    Node entry{Node::Map{}, instance.origin};
    entry.add("source", {mount.config, instance.origin});
    entry.add("target", {mount.path, instance.origin});
    configs.push(std::move(entry));
    if (const auto found = config_digests.find(mount.config); found != config_digests.end()) {
      digests += found->second;
    }
  }
  // A mounted file that changed is no reason for Compose to recreate; a changed label is.
  if (!digests.empty()) {
    labels.add("caisson.config",
               {instance.configs.size() == 1 ? digests : fingerprint(digests), instance.origin});
  }
  if (!configs.empty()) node.set("configs", std::move(configs));

  Node secrets;
  for (const auto& mount : instance.secrets) {
    Node entry{Node::Map{}, instance.origin};
    entry.add("source", {mount.secret, field(instance, "secrets")});
    entry.add("target", {mount.path, field(instance, "secrets")});
    secrets.push(std::move(entry));
  }
  if (!secrets.empty()) {
    node.set("secrets", std::move(secrets));
    // Compose mounts the files as they are: readable by this group and by nobody else.
    node.set("group_add", Node{Node::List{{secrets_group, instance.origin}}, instance.origin});
  }

  Node volumes;
  for (const auto& mount : instance.volumes) {
    auto kept = volume("volume", mount.volume, compose_literal(mount.path), mount.read_only,
                       field(instance, "storage"));
    kept.set("target", {compose_literal(mount.path), field(instance, "storage/path")});
    volumes.push(std::move(kept));
  }
  const auto bind = [&](std::string source, std::string_view target) {
    auto mount = volume("bind", std::move(source), std::string(target), true, instance.origin);
    Node options{Node::Map{}};
    options.add("create_host_path", false);
    mount.add("bind", std::move(options));
    volumes.push(std::move(mount));
  };
  if (needs_probe(instance)) bind("../docker/caisson-runtime", probe_path);
  if (instance.role == Role::runtime) bind("./tenants/" + instance.name, tenants_folder);
  if (instance.role == Role::certificates) bind("./certificates", certificates_folder);
  if (instance.role == Role::prometheus) bind("./observability/targets", targets_folder);
  if (!volumes.empty()) node.set("volumes", std::move(volumes));
  node.set("labels", std::move(labels));
}

Node ComposeServices::owner(const Instance& instance) const {
  const auto origin = field(instance, "storage");
  Node node{Node::Map{}, origin};
  const auto runtime = std::ranges::find(plan_->instances, Role::runtime, &Instance::role);
  image(node, runtime == plan_->instances.end()
                  ? Instance{.role = Role::runtime, .origin = instance.origin}
                  : *runtime);
  node.merge(every_service_);
  node.merge(owner_);
  const auto& mount = instance.volumes.front();
  const std::string place = "/volume";
  node.set("command", strings({"own", std::to_string(instance.uid), place}, origin));
  node.set("volumes",
           Node{Node::List{volume("volume", mount.volume, place, false, origin)}, origin});
  Node labels{Node::Map{}, origin};
  labels.add("caisson.deployment", plan_->name);
  labels.add("caisson.role", {"owner", origin});
  if (instance.tenant) labels.add("caisson.tenant", {*instance.tenant, origin});
  node.set("labels", std::move(labels));
  return node;
}

Node ComposeServices::service(const Instance& instance, const Index& index, const Site& site,
                              const std::map<std::string, std::string>& config_digests) const {
  Node node{Node::Map{}, instance.origin};
  image(node, instance);
  node.merge(every_service_);
  if (const auto role = roles_.find(instance.role); role != roles_.end()) node.merge(role->second);
  auto* command = node.find("command");
  if (instance.role == Role::cache && command != nullptr) {
    // The blueprint's command hands its further words to the server.
    for (const auto& word : instance.command)
      command->push({compose_literal(word), instance.origin});
  } else if (!instance.command.empty()) {
    node.set("command", strings(instance.command, field(instance, "command")));
  }
  if (auto arguments = observer_arguments(*plan_, instance, site); !arguments.empty()) {
    node.set("command", std::move(arguments));
  }
  if (node.find("user") == nullptr) {
    const auto uid = std::to_string(instance.uid);
    node.set("user", {uid + ":" + uid, field(instance, "user")});
  }
  environment(node, instance);
  writable(node, instance);
  if (auto ports = published(*plan_, instance); !ports.empty()) node.set("ports", std::move(ports));
  node.set("networks", networks(instance));
  if (!instance.egress.empty() && !plan_->egress.dns.empty()) {
    Node servers;
    for (const auto& server : plan_->egress.dns) servers.push(server);
    node.set("dns", std::move(servers));
  }
  if (instance.health) node.set("healthcheck", healthcheck(instance, *instance.health));
  Node needs{Node::Map{}, field(instance, "needs")};
  for (const auto& name : instance.needs) {
    const auto* other = index.instance(name);
    const bool checked = other != nullptr && (other->health || other->role != Role::service);
    Node entry{Node::Map{}};
    entry.add("condition", checked ? "service_healthy" : "service_started");
    needs.add(name, std::move(entry));
  }
  if (!needs.empty()) node.set("depends_on", std::move(needs));
  resources(node, instance);
  const auto& grace =
      instance.role == Role::runtime ? plan_->runtime.drain_ms.origin : instance.origin;
  node.set("stop_grace_period",
           {duration(instance.stop_grace_ms), {Origin::Kind::derived, grace.pointer}});
  if (auto* logging = node.find("logging"); logging != nullptr) {
    Node options{Node::Map{}};
    const auto& observe = plan_->observability;
    options.add("max-size", {byte_size(observe.log_bytes.value), observe.log_bytes.origin});
    options.add("max-file", {std::to_string(observe.log_keep.value), observe.log_keep.origin});
    Node over{Node::Map{}};
    over.add("options", std::move(options));
    logging->merge(std::move(over));
  }
  if (instance.replicas.value.min > 1) {
    Node deploy{Node::Map{}, instance.replicas.origin};
    deploy.add("replicas", {instance.replicas.value.min, instance.replicas.origin});
    node.set("deploy", std::move(deploy));
  }
  mounts(node, instance, config_digests);
  return node;
}

}  // namespace caisson::render

#include <algorithm>
#include <map>
#include <set>

#include "generator/plan/names.h"
#include "generator/render/comment.h"
#include "generator/render/compose_install.h"
#include "generator/render/compose_service.h"
#include "generator/render/document_facts.h"
#include "generator/render/edge.h"
#include "generator/render/edge_sites.h"
#include "generator/render/env_file.h"
#include "generator/render/fingerprint.h"
#include "generator/render/host_backup.h"
#include "generator/render/json.h"
#include "generator/render/observability.h"
#include "generator/render/people.h"
#include "generator/render/plan_report.h"
#include "generator/render/runtime_config.h"
#include "generator/render/secret_facts.h"
#include "generator/render/systemd_layout.h"
#include "generator/render/targets.h"
#include "generator/render/yaml.h"
#include "generator/spec/reserved.h"

namespace caisson::render {

namespace {

using plan::Instance;
using plan::Port;
using plan::Role;

/// Docker's own name server, inside every container of a project.
constexpr std::string_view engine_resolver = "127.0.0.11";

class ComposeSite final : public ContainerSite {
 public:
  [[nodiscard]] std::string listen(const Instance& instance, const Port& port) const override {
    const auto host = port.network.empty() ? std::string("[::]") : alias_of(instance, port);
    return host + ":" + std::to_string(port.number.value);
  }
  [[nodiscard]] std::string reach(const Instance& instance, const Port& port) const override {
    const auto host = port.network.empty() ? instance.name : alias_of(instance, port);
    return host + ":" + std::to_string(port.number.value);
  }
  [[nodiscard]] std::string tenants_file(const Instance&) const override {
    return std::string(tenants_folder) + "/tenants.ndjson";
  }
  [[nodiscard]] std::string uptime_file() const override {
    return std::string(targets_folder) + "/uptime.json";
  }
  [[nodiscard]] bool resolves_replicas() const override { return true; }
  /// The addresses that Docker gives out; nothing but the edge and the product's services shares a
  /// network with a data listener.
  [[nodiscard]] std::vector<std::string> proxies() const override {
    return {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"};
  }
};

class Project {
 public:
  Project(const plan::Plan& plan, const Index& index, const Blueprints& blueprints,
          Patches& patches)
      : plan_(plan), index_(index), blueprints_(blueprints), patches_(patches) {
    for (const auto& instance : plan.instances) instances_.push_back(&instance);
  }

  Result<Artifacts> write() {
    auto services = ComposeServices::load(plan_, blueprints_);
    if (!services) return tl::unexpected(services.error());
    services_ = &*services;
    if (auto done = configs(); !done) return tl::unexpected(done.error());
    if (auto done = compose_yaml(); !done) return tl::unexpected(done.error());
    const auto document = artifacts_.back().tree;
    if (auto done = papers(); !done) return tl::unexpected(done.error());
    if (plan_.targets.bundle_compose) {
      auto installed = compose_install({.plan = plan_,
                                        .site = site_,
                                        .document = *document,
                                        .artifacts = artifacts_,
                                        .mounted = secrets_,
                                        .variables = in_environment_},
                                       blueprints_);
      if (!installed) return installed;
      std::ranges::move(*installed, std::back_inserter(artifacts_));
      if (auto done = installed_papers(); !done) return tl::unexpected(done.error());
    }
    env_example();
    if (auto done = secret_texts(); !done) return tl::unexpected(done.error());
    return std::move(artifacts_);
  }

 private:
  void add(std::string path, std::string bytes, std::string owner, Node tree) {
    artifacts_.push_back({.path = "compose/" + std::move(path),
                          .bytes = std::move(bytes),
                          .owner = std::move(owner),
                          .tree = std::make_shared<const Node>(std::move(tree))});
  }

  void add(std::string path, Text text, std::string owner, unsigned mode = 0644) {
    artifacts_.push_back(
        text_file("compose/" + std::move(path), std::move(text), std::move(owner), mode));
  }

  /// The files that the services mount, and their digests.
  Result<void> configs() {
    for (const auto* instance : instances_) {
      Node tree;
      if (instance->role == Role::runtime) {
        tree = runtime_config(plan_, index_, *instance, site_);
        add("tenants/" + instance->name + "/tenants.ndjson", tenants_file(plan_, index_, *instance),
            "/tenants");
      } else if (instance->role == Role::dashboard) {
        tree = dashboard_config(plan_, *instance, site_);
      } else if (instance->role == Role::edge) {
        if (auto done = edge(*instance); !done) return done;
        continue;
      } else if (instance->role == Role::certificates) {
        if (auto done = certificates(); !done) return done;
        continue;
      } else if (instance->role == Role::database) {
        if (auto done = database_init(); !done) return done;
        continue;
      } else {
        continue;
      }
      const auto& name = instance->configs.front().config;
      if (auto done = patches_.apply("compose/" + name, tree); !done) return done;
      auto bytes = to_json(tree);
      digests_.emplace(name, fingerprint(bytes));
      add(name, std::move(bytes), instance->origin.pointer, std::move(tree));
    }
    auto files = observer_files(plan_, index_, site_, blueprints_);
    if (!files) return tl::unexpected(files.error());
    for (auto& file : *files) {
      const auto path = std::string(observer_folder) + file.name;
      if (auto done = patches_.apply("compose/" + path, file.tree); !done) return done;
      auto bytes = observer_text(file);
      digests_.emplace(file.name, fingerprint(bytes));
      places_.emplace(file.name, path);
      add(path, std::move(bytes), file.owner, std::move(file.tree));
    }
    return files->empty() ? Result<void>{} : targets();
  }

  /// Whom Prometheus asks, in a directory of its own: a change of them recreates nothing.
  Result<void> targets() {
    auto tree = uptime_targets(plan_, index_, site_);
    const auto path = std::string(observer_folder) + "targets/uptime.json";
    if (auto done = patches_.apply("compose/" + path, tree); !done) return done;
    auto bytes = to_json(tree);
    add(path, std::move(bytes), "/observability/uptime/checks", std::move(tree));
    return {};
  }

  Result<void> edge(const Instance& edge) {
    EdgeListen listen{.tls = plan_.edge.tls.value,
                      .health = 8079,
                      .ask = 8078,
                      .certificate_file = site_.secret_file(plan_.edge.certificate),
                      .key_file = site_.secret_file(plan_.edge.key),
                      .state = "/data",
                      .scratch = "/tmp",
                      .resolver = std::string(engine_resolver)};
    if (const auto* port = port_for(edge, Port::Purpose::http)) listen.http = port->number.value;
    if (const auto* port = port_for(edge, Port::Purpose::https)) listen.https = port->number.value;
    if (plan_.targets.bundle_compose) listen.closed_file = std::string(door_folder) + "/closed";
    if (!plan_.edge.ca_root.empty()) listen.ca_root_file = site_.secret_file(plan_.edge.ca_root);
    if (const auto* port = port_for(edge, Port::Purpose::metrics)) {
      listen.metrics = site_.listen(edge, *port);
    }
    const bool nginx = plan_.edge.proxy.value == plan::Edge::Proxy::nginx;
    auto text = nginx ? edge_nginx_conf(plan_, index_, site_, listen)
                      : edge_caddyfile(plan_, index_, site_, listen);
    if (!text) return tl::unexpected(text.error());
    config(edge.configs.front().config, std::move(*text), "/edge");
    return {};
  }

  Result<void> certificates() {
    auto names = certificate_names_file(certificate_names(plan_, index_, site_));
    if (!names) return tl::unexpected(names.error());
    add("certificates/names", std::move(*names), "/edge/tls");
    auto script = fill(blueprints_, "edge/certificates.sh", Node{Node::Map{}});
    if (!script) return tl::unexpected(script.error());
    config("certificates.sh", std::move(*script), "/edge/tls");
    return {};
  }

  /// A text that services mount.
  void config(const std::string& name, Text text, std::string owner) {
    digests_.emplace(name, fingerprint(text.bytes));
    add(name, std::move(text), std::move(owner));
  }

  Result<void> database_init() {
    Node data{Node::Map{}};
    data.add("database", {plan_.database.name, plan_.database.engine.origin});
    data.add("user", {plan_.database.user, plan_.database.engine.origin});
    auto text = fill(blueprints_, "compose/database-init.sql", data);
    if (!text) return tl::unexpected(text.error());
    config("database-init.sql", std::move(*text), "/database");
    return {};
  }

  Result<void> compose_yaml() {
    std::set<std::string_view> networks;
    std::set<std::string_view> volumes;
    for (const auto* instance : instances_) {
      networks.insert(instance->networks.begin(), instance->networks.end());
      for (const auto& mount : instance->volumes) volumes.insert(mount.volume);
      for (const auto& mount : instance->secrets) secrets_.insert(mount.secret);
      for (const auto& variable : instance->env) {
        if (!variable.secret.empty()) in_environment_.insert(variable.secret);
      }
    }

    Node document{Node::Map{}};
    document.add("name", plan_.targets.compose_project);
    Node services{Node::Map{}};
    for (const auto* instance : instances_) {
      auto service = services_->service(*instance, index_, site_, digests_);
      if (instance->role == Role::service && !instance->volumes.empty()) {
        const auto owner = plan::derived_name({instance->name, spec::volume_suffix.suffix});
        services.add(owner, services_->owner(*instance))
            .remark("Gives the volume of " + instance->name + " to its user, and ends.");
        wait_for_end(service, owner, instance->origin);
      }
      services.add(instance->name, std::move(service)).remark(remark(*instance));
    }
    document.add("services", std::move(services));
    network_count_ = networks.size();
    document.add("networks", network_definitions(networks));
    Node volume_nodes{Node::Map{}};
    for (const auto& volume : plan_.volumes) {
      if (!volumes.contains(volume.name)) continue;
      volume_nodes.add(volume.name, labelled(volume.tenant, volume.origin));
    }
    if (!volume_nodes.empty()) document.add("volumes", std::move(volume_nodes));
    Node config_nodes{Node::Map{}};
    for (const auto& [name, hash] : digests_) {
      const auto place = places_.find(name);
      const auto path = place == places_.end() ? name : place->second;
      const auto made = std::ranges::find(artifacts_, "compose/" + path, &Artifact::path);
      config_nodes.add(name, file("./" + path, {Origin::Kind::derived, made->owner}));
    }
    document.add("configs", std::move(config_nodes));
    Node secret_nodes{Node::Map{}};
    for (const auto& secret : plan_.secrets) {
      if (!secrets_.contains(secret.name)) continue;
      secret_nodes.add(secret.name, file("./secrets/" + secret.name, secret.origin));
    }
    if (!secret_nodes.empty()) document.add("secrets", std::move(secret_nodes));

    if (auto done = patches_.apply("compose/compose.yaml", document); !done) return done;
    auto bytes = to_yaml(document, plan_.name.value + " " + plan_.version.value +
                                       " as a compose project. Generated by Caisson: change the "
                                       "spec, not this file.\n"
                                       "Only the edge publishes ports, and only the networks that "
                                       "say so reach outside.");
    add("compose.yaml", std::move(bytes), "/targets/compose", std::move(document));
    return {};
  }

  /// `service` starts once `name` has ended well.
  static void wait_for_end(Node& service, const std::string& name, const Origin& origin) {
    Node condition{Node::Map{}, origin};
    condition.add("condition", {"service_completed_successfully", origin});
    auto* needs = service.find("depends_on");
    if (needs == nullptr) needs = &service.set("depends_on", Node{Node::Map{}, origin});
    needs->set(name, std::move(condition));
  }

  [[nodiscard]] static Node file(std::string path, const Origin& origin) {
    Node node{Node::Map{}, origin};
    node.add("file", {std::move(path), origin});
    return node;
  }

  [[nodiscard]] Node labelled(const std::optional<std::string>& tenant,
                              const Origin& origin) const {
    Node labels{Node::Map{}, origin};
    labels.add("caisson.deployment", plan_.name);
    if (tenant) labels.add("caisson.tenant", {*tenant, origin});
    Node node{Node::Map{}, origin};
    node.add("labels", std::move(labels));
    return node;
  }

  [[nodiscard]] Node network_definitions(const std::set<std::string_view>& used) const {
    Node nodes{Node::Map{}};
    for (const auto& network : plan_.networks) {
      if (!used.contains(network.name)) continue;
      Node node{Node::Map{}, network.origin};
      if (network.internal) node.add("internal", {true, network.origin});
      node.merge(labelled(network.tenant, network.origin));
      nodes.add(network.name, std::move(node)).remark(network.purpose);
    }
    return nodes;
  }

  [[nodiscard]] static std::string remark(const Instance& instance) {
    if (instance.role == Role::runtime) {
      return instance.tenant ? "The runtime of tenant " + *instance.tenant + " alone."
                             : "The shared runtime.";
    }
    if (instance.role == Role::edge) return "The one door to the stack.";
    if (instance.role == Role::certificates) return "Gets and renews the edge's certificates.";
    if (instance.role == Role::blackbox) return "Asks every host through that door.";
    return {};
  }

  [[nodiscard]] std::vector<ForeignImage> foreign_images() const {
    std::vector<ForeignImage> images;
    for (const auto* instance : instances_) {
      if (instance->role == Role::edge) {
        images.push_back(services_->foreign(name_of(plan_.edge.proxy.value)));
      }
      if (instance->role == Role::certificates) images.push_back(services_->foreign("certbot"));
    }
    if (!plan_.database.instance.empty()) {
      images.push_back(services_->foreign("postgres", plan_.database.version));
    }
    if (!plan_.cache.instance.empty()) images.push_back(services_->foreign("redis"));
    for (const auto* instance : instances_) {
      if (is_observer(*instance)) images.push_back(services_->foreign(name_of(instance->role)));
    }
    return images;
  }

  /// What is read from below the directory of the spec: builds, and secrets that are copied.
  [[nodiscard]] LineOrigins below_source() const {
    LineOrigins origins;
    for (const auto* instance : instances_) {
      if (instance->build) origins.emplace_back(instance->origin);
    }
    for (const auto& secret : plan_.secrets) {
      const bool used = secrets_.contains(secret.name) || in_environment_.contains(secret.name);
      if (used && secret.source == plan::Secret::Source::file) origins.emplace_back(secret.origin);
    }
    return origins;
  }

  void env_example() {
    const Origin project(plan_.targets.compose.origin);
    std::vector<EnvEntry> entries{
        {.name = "EDGE_ADDRESS",
         .value = "",
         .comment = "The address that the edge publishes its ports on; empty: every one of the "
                    "host, of IPv4 and IPv6.",
         .commented_out = true,
         .origins = {plan_.edge.http.origin}},
        {.name = "SECRETS_GROUP",
         .value = "10001",
         .comment = "The group that may read secrets/; generate.sh sets it.",
         .commented_out = true,
         .origins = {project}}};
    for (const auto& image : foreign_images()) {
      entries.push_back(
          {.name = image.variable,
           .value = image.reference,
           .comment = image.waiver.empty() ? std::string{} : "No digest: " + image.waiver + ".",
           .commented_out = true,
           .origins = {image.origin}});
    }
    if (auto below = below_source(); !below.empty()) {
      entries.push_back({.name = "SOURCE_DIR",
                         .value = "../..",
                         .comment = "The directory of the spec, absolute or seen from here: "
                                    "services are built and secrets are copied from below it.",
                         .commented_out = false,
                         .origins = std::move(below)});
    }
    add(".env.example",
        to_env_file(entries,
                    "Copy to .env. Lines with a # show the default. Secrets that services want in "
                    "their environment are added by secrets/generate.sh.",
                    project),
        "/targets/compose");
  }

  /// Secrets that services want in their environment: `.env` has them, out of the same files.
  [[nodiscard]] Node secret_variables() const {
    std::map<std::string, Origin> found;
    for (const auto* instance : instances_) {
      for (const auto& variable : instance->env) {
        if (!variable.secret.empty()) found.try_emplace(variable.secret, variable.value.origin);
      }
    }
    Node list{Node::List{}};
    for (const auto& [secret, origin] : found) {
      Node entry{Node::Map{}, origin};
      entry.add("secret", secret);
      entry.add("variable", secret_variable(secret));
      list.push(std::move(entry));
    }
    return list;
  }

  /// What the templates for people may say. Values only; sentences live in the blueprints.
  [[nodiscard]] Node facts() const;
  void add_certificate_facts(Node& data) const;

  /// More of them, of a site where caisson-install runs the project.
  void add_installed_facts(Node& data) const;
  void add_installed_facts(Node& entry, const Instance& instance) const;

  Result<void> add_filled(const std::string& blueprint, const std::string& path, unsigned mode) {
    auto text = fill(blueprints_, blueprint, facts());
    if (!text) return tl::unexpected(text.error());
    add(path, std::move(*text), "/targets/compose", mode);
    return {};
  }

  /// For whoever runs it at a site: there they take the place of those of the same names.
  Result<void> installed_papers() {
    auto data = facts();
    add_installed_facts(data);
    auto text = fill(blueprints_, "compose/RUNBOOK.md", data);
    if (!text) return tl::unexpected(text.error());
    artifacts_.push_back(text_file(std::string(installed_folder) + "RUNBOOK.md", std::move(*text),
                                   "/targets/bundle", 0644));
    return {};
  }

  /// For whoever runs the project.
  Result<void> papers() {
    if (auto done = add_filled("compose/README.md", "README.md", 0644U); !done) return done;
    return add_filled("compose/RUNBOOK.md", "RUNBOOK.md", 0644U);
  }

  Result<void> secret_texts() {
    if (auto done = add_filled("compose/secrets.md", "secrets/README.md", 0644U); !done) {
      return done;
    }
    return add_filled("compose/secrets.sh", "secrets/generate.sh", 0755U);
  }

  const plan::Plan& plan_;
  const Index& index_;
  const Blueprints& blueprints_;
  Patches& patches_;
  ComposeSite site_;
  std::vector<const Instance*> instances_;
  const ComposeServices* services_ = nullptr;
  std::map<std::string, std::string> digests_;
  std::map<std::string, std::string> places_;  ///< of configs that are not beside compose.yaml
  std::set<std::string_view> secrets_;         ///< that are mounted
  std::set<std::string_view> in_environment_;  ///< that are variables
  std::size_t network_count_ = 0;
  Artifacts artifacts_;
};

/// Who makes the edge's certificates, and where the root is of an authority of the stack's own.
void Project::add_certificate_facts(Node& data) const {
  if (plan_.edge.instance.empty()) return;
  const auto& origin = plan_.edge.tls.origin;
  const bool internal = plan_.edge.tls.value == plan::Edge::Tls::internal;
  data.add("edge-service", {plan_.edge.instance, origin});
  if (plan_.edge.proxy.value == plan::Edge::Proxy::caddy) {
    if (internal || plan_.edge.tls.value == plan::Edge::Tls::acme) data.add("caddy", true);
    if (internal) {
      const auto root = plan_.edge.instance + ":/data/caddy/pki/authorities/local/root.crt";
      data.add("root-certificate", {root, origin});
    }
    return;
  }
  for (const auto* instance : instances_) {
    if (instance->role != Role::certificates) continue;
    data.add("certificates", {instance->name, instance->origin});
    if (!internal) continue;
    data.add("root-certificate", {instance->name + ":/data/internal/authority.pem", origin});
  }
}

void Project::add_installed_facts(Node& data) const {
  const auto& prefix = plan_.targets.systemd_prefix;
  data.add("installed", true);
  data.add("prefix", prefix);
  data.set("secrets", {prefix.value + "/secrets/", prefix.origin});
  data.add("data-directory", plan_.targets.systemd_data);
  data.add("target", plan_.name.value + ".target");
  const auto backups = host_backups(plan_);
  if (!backups.empty()) data.add("backups", {backups, plan_.backup.to.origin});
  data.add("backups-inside", backups.starts_with(plan_.targets.systemd_data.value + "/"));
  auto* first = data.find("first");
  if (first == nullptr) return;
  for (const auto& instance : plan_.instances) {
    if (instance.name == *first->find("instance")->text()) add_installed_facts(*first, instance);
  }
}

void Project::add_installed_facts(Node& entry, const Instance& instance) const {
  const auto& directory = plan_.targets.systemd_data;
  entry.add("unit", plan_.name.value + "-" + instance.name + ".service");
  entry.add("data", {directory.value + "/" + instance.volumes.front().volume, directory.origin});
  entry.add("user", std::int64_t{instance.uid});
  const auto backups = host_backups(plan_);
  if (backups.empty()) return;
  entry.add("backup-unit", backup_unit(plan_, instance));
  entry.add("backups", {backups + "/" + instance.name, plan_.backup.to.origin});
}

Node Project::facts() const {
  const auto& plan = plan_;
  Node data{Node::Map{}};
  const auto door = edge_door(plan);
  add_document_facts(data, plan, door);
  data.add("tenant-url", {door.url("<tenant>." + plan.domain.value), door.origin});
  data.add("source-directory", !below_source().empty());
  data.add("project", plan.targets.compose_project);
  data.add("secrets", "secrets/");
  data.add("http", plan.edge.http);
  data.add("https", plan.edge.https);
  if (!plan.database.instance.empty()) {
    data.add("database", {plan.database.instance, plan.database.engine.origin});
  }
  add_certificate_facts(data);
  if (plan.targets.bundle_compose) {
    Node place{Node::Map{}};
    place.add("prefix", plan.targets.systemd_prefix);
    data.add("bundled", Node::List{std::move(place)});
  }
  for (const auto* instance : instances_) {
    if (!is_observer(*instance)) continue;
    data.add(std::string(name_of(instance->role)),
             {site_.reach(*instance, instance->ports.front()), instance->origin});
    if (instance->role == Role::grafana) {
      data.add("grafana-password", {instance->secrets.front().secret, instance->origin});
    }
  }

  Node instances{Node::List{}};
  Node runtimes{Node::List{}};
  Node volumes{Node::List{}};
  for (const auto* instance : instances_) {
    Node entry{Node::Map{}, instance->origin};
    entry.add("instance", instance->name);
    if (instance->tenant) entry.add("tenant", *instance->tenant);
    for (const auto& mount : instance->volumes) {
      const auto name = plan.targets.compose_project.value + "_" + mount.volume;
      entry.set("volume", name);
      if (mount.read_only) continue;  // somebody else's, who writes it
      Node volume{Node::Map{}, instance->origin};
      volume.add("volume", name);
      volume.add("service", instance->name);
      volume.add("path", mount.path);
      volumes.push(std::move(volume));
    }
    entry.add("memory", instance->resources.memory_limit_bytes.value / 1048576);
    if (instance->role == Role::runtime) {
      entry.add("token", instance->operator_token);
      if (plan.targets.bundle_compose) add_installed_facts(entry, *instance);
      runtimes.push(entry);
    }
    instances.push(std::move(entry));
  }
  data.add("instances", std::move(instances));
  data.add("network-count", static_cast<std::int64_t>(network_count_));
  Node images{Node::List{}};
  for (const auto& image : foreign_images()) {
    if (image.waiver.empty()) continue;
    Node entry{Node::Map{}, image.origin};
    entry.add("reference", image.reference);
    entry.add("variable", image.variable);
    entry.add("waiver", image.waiver);
    images.push(std::move(entry));
  }
  data.add("images", std::move(images));
  data.add("runtimes", std::move(runtimes));
  data.add("volumes", std::move(volumes));

  add_rotation_facts(data, plan, [](const Instance& instance) {
    // Grafana keeps the password that it was first started with.
    return instance.role == Role::grafana ? std::string() : instance.name;
  });
  auto used = secrets_;
  used.insert(in_environment_.begin(), in_environment_.end());
  add_secret_facts(data, plan, used);
  if (!in_environment_.empty()) data.add("secret-variables", secret_variables());
  return data;
}

}  // namespace

Result<Artifacts> render_compose(const plan::Plan& plan, const Index& index,
                                 const Blueprints& blueprints, Patches& patches) {
  return Project(plan, index, blueprints, patches).write();
}

}  // namespace caisson::render

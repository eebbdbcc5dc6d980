#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/suggestion.h"
#include "generator/spec/checker.h"
#include "generator/spec/paths.h"
#include "generator/spec/reader.h"
#include "generator/spec/reserved.h"

namespace caisson::spec {
namespace {

std::string pointer_of(std::string_view service) { return "/services/" + std::string(service); }

/// Whose a name of an instance is, and where the spec says so.
struct Owner {
  std::string text;     // "service 'web'"
  std::string pointer;  // of a service, whose key is the name, or of a tenant's slug
  bool is_key = false;
  bool keeps_data = false;
};
using Owners = std::unordered_map<std::string, Owner>;

void refuse_secret(const Checker& checker, const std::string& name, const std::string& why) {
  checker.refuse("E0202", checker.key("/secrets/" + name),
                 "the secret name " + quote(name) + " is reserved", why + "; choose another");
}

void check_secret_names(const Checker& checker) {
  const Deployment& deployment = checker.deployment();
  std::unordered_set<std::string> made;
  for (const Tenant& tenant : deployment.tenants) {
    if (has_own_deployment(deployment, tenant))
      made.insert(std::string(tenant_secret) + tenant.slug);
  }
  for (const auto& [name, secret] : deployment.secrets) {
    if (is_one_of(name, own_secrets) || made.contains(name)) {
      refuse_secret(checker, name, "a secret that caisson makes has this name");
    } else if (deployment.targets.helm.enabled && name == deployment.domain + "-tls") {
      refuse_secret(checker, name, "the chart's certificate of the domain has this name");
    }
  }
}

/// Names that something else has on a target because an instance is there: its pods, its listeners.
void check_names_after_instances(const Checker& checker, const Owners& owners) {
  const auto look = [&](const std::string& instance, const std::string& whose, bool own,
                        bool keeps_data) {
    for (const OwnSuffix& suffix : own_suffixes) {
      if (!(own && suffix.of_own) && !(keeps_data && suffix.of_volumes)) continue;
      const auto name = instance + '-' + std::string(suffix.suffix);
      const auto found = owners.find(name);
      if (found == owners.end()) continue;
      const Owner& owner = found->second;
      checker.refuse("E0202",
                     owner.is_key ? checker.key(owner.pointer) : checker.value(owner.pointer),
                     "the " + owner.text + " has the reserved name " + quote(name),
                     std::string(suffix.what) + " of " + whose + " has this name; choose another");
    }
  };
  for (const auto instance : own_instances)
    look(std::string(instance), std::string(instance), true, false);
  for (const auto& [instance, owner] : owners) {
    const bool runtime = !owner.is_key && instance.starts_with("runtime-");
    look(instance, "the " + owner.text, runtime, owner.keeps_data);
  }
}

void check_names(const Checker& checker) {
  const Deployment& deployment = checker.deployment();
  Owners owners;  // by the name of the instance
  for (const auto& [name, service] : deployment.services) {
    const auto taken = std::ranges::find(taken_names, name, &TakenName::name);
    if (is_one_of(name, own_instances) || taken != taken_names.end()) {
      checker.refuse(
          "E0202", checker.key(pointer_of(name)),
          "the service name " + quote(name) + " is reserved",
          (taken != taken_names.end() ? std::string(taken->what) : "caisson's own " + name) +
              " has this name; choose another");
    }
    owners.emplace(name, Owner{.text = "service " + quote(name),
                               .pointer = pointer_of(name),
                               .is_key = true,
                               .keeps_data = service.storage.has_value()});
  }
  // A tenant of isolation `deployment` has an instance `runtime-<slug>`; a service for each tenant
  // has `<service>-<slug>`.
  const auto claim = [&](const std::string& instance, Owner owner, const Tenant& tenant) {
    owner.pointer = tenant.pointer + "/slug";
    const auto text = owner.text;
    const auto [other, fresh] = owners.emplace(instance, std::move(owner));
    if (fresh) return;
    checker.refuse("E0203", checker.value(tenant.pointer + "/slug"),
                   "the " + text + " is named like the " + other->second.text,
                   "both would be " + quote(instance) + "; rename one");
  };
  for (const Tenant& tenant : deployment.tenants) {
    if (has_own_deployment(deployment, tenant)) {
      claim("runtime-" + tenant.slug, {.text = "runtime of tenant " + quote(tenant.slug)}, tenant);
    }
    for (const auto& [name, service] : deployment.services) {
      if (!service.replica_per_tenant) continue;
      claim(name + '-' + tenant.slug,
            {.text = name + " of tenant " + quote(tenant.slug),
             .keeps_data = service.storage.has_value()},
            tenant);
    }
  }
  check_names_after_instances(checker, owners);
  check_secret_names(checker);
}

bool begins_with_digit(std::string_view name) {
  return !name.empty() && name.front() >= '0' && name.front() <= '9';
}

/// A Service of Kubernetes is a label of RFC 1035, which begins with a letter, and so does an
/// account of a system.
void check_first_letters(const Checker& checker) {
  const Deployment& deployment = checker.deployment();
  const auto& targets = deployment.targets;
  if (targets.systemd.enabled && begins_with_digit(targets.systemd.user)) {
    checker.refuse("E0225", checker.value("/name"),
                   "the name " + quote(deployment.name) +
                       " begins with a digit, and accounts of "
                       "systemd units are named after it",
                   "add 'targets: { systemd: { user: NAME } }' with a letter first, or switch "
                   "targets.systemd off");
  }
  if (!targets.helm.enabled) return;
  for (const auto& [name, service] : deployment.services) {
    if (!begins_with_digit(name)) continue;
    checker.refuse("E0225", checker.key(pointer_of(name)),
                   "the service name " + quote(name) +
                       " begins with a digit, and Kubernetes has "
                       "no such Service",
                   "begin it with a letter, or set targets.helm: false");
  }
}

void check_needs(const Checker& checker) {
  const Deployment& deployment = checker.deployment();
  std::vector<std::string_view> known;
  for (const auto& [name, service] : deployment.services) known.push_back(name);
  known.insert(known.end(), {"database", "cache"});
  const std::unordered_set<std::string_view> names(known.begin(), known.end());
  for (const auto& [name, service] : deployment.services) {
    for (std::size_t i = 0; i < service.needs.size(); ++i) {
      const std::string& need = service.needs[i];
      if (need.empty()) continue;
      const std::string pointer = pointer_of(name) + "/needs/" + std::to_string(i);
      if (need == "database" && deployment.database.engine == Database::Engine::sqlite) {
        checker.refuse(
            "E0207", checker.value(pointer),
            "service " + quote(name) + " needs a database, but SQLite is inside the runtime",
            "take it out and call the data API; a server elsewhere is named in 'egress'");
      } else if (need == "cache" && deployment.cache.engine == Cache::Engine::none) {
        checker.refuse("E0207", checker.value(pointer),
                       "service " + quote(name) + " needs a cache, but there is none",
                       "take it out; a server elsewhere is named in 'egress'");
      } else if (!names.contains(need)) {
        checker.refuse("E0206", checker.value(pointer), "unknown service " + quote(need),
                       suggest(need, known));
      }
    }
  }
}

/// What has neither a port nor a `health` cannot be asked: a service that needs it starts at once.
/// It can only be needed for something that it does and then ends, which nothing waits for.
void check_waits(const Checker& checker) {
  const auto& services = checker.deployment().services;
  for (const auto& [name, service] : services) {
    for (std::size_t i = 0; i < service.needs.size(); ++i) {
      const std::string& need = service.needs[i];
      const auto other = std::ranges::find(services, need, &std::pair<std::string, Service>::first);
      if (need == name || other == services.end() || other->second.port || other->second.health)
        continue;
      checker.warn("W0209", checker.value(pointer_of(name) + "/needs/" + std::to_string(i)),
                   "services." + name + ".needs",
                   "nothing waits for " + quote(need) + ", which has neither a port nor a health",
                   "if it ends, run it first in the command of " + quote(name) +
                       ": [sh, -c, \"... && exec ...\"]; if it stays, give it 'health'");
    }
  }
}

/// A variable that tells a service on target local where something listens.
struct AddressVariable {
  std::string name;
  std::string what;      ///< "where service 'web' is"
  std::string fallback;  ///< what holds on other targets
};

void warn_if_set(const Checker& checker, const std::string& name, const Service& service,
                 const AddressVariable& variable) {
  const auto set =
      std::ranges::find(service.env, variable.name, &std::pair<std::string, EnvValue>::first);
  if (set == service.env.end()) return;
  checker.warn("W0210", checker.key(pointer_of(name) + "/env/" + variable.name),
               "services." + name + ".env." + variable.name,
               "target local cannot say " + variable.what + ", as " + variable.name + " is set",
               "leave it out, and let the command fall back to " + variable.fallback + ": \"${" +
                   variable.name + ":-" + variable.fallback + "}\"");
}

/// Variables that tell a service on target local where it and others listen, and that the spec sets
/// to something else.
void check_addresses(const Checker& checker) {
  const Deployment& deployment = checker.deployment();
  if (!deployment.targets.local.enabled) return;
  const auto& services = deployment.services;
  for (const auto& [name, service] : services) {
    if (service.local_command.empty()) continue;
    const auto is_set = [&](const std::string& variable, const std::string& what,
                            const std::string& fallback) {
      warn_if_set(checker, name, service, {variable, what, fallback});
    };
    if (service.port) {
      is_set(std::string(port_variable), "where service " + quote(name) + " has to listen",
             std::to_string(*service.port));
    }
    for (const std::string& need : service.needs) {
      const auto other = std::ranges::find(services, need, &std::pair<std::string, Service>::first);
      if (other == services.end() || other->second.local_command.empty() || !other->second.port)
        continue;
      const auto variable = address_variable(need);
      const auto what = "where service " + quote(need) + " is";
      is_set(variable + "_HOST", what, need);
      is_set(variable + "_PORT", what, std::to_string(*other->second.port));
    }
  }
}

/// Finds the cycles of `needs`, each once, by depth-first search.
class Cycles {
 public:
  explicit Cycles(const Checker& checker) : checker_(checker) {
    for (const auto& [name, service] : checker.deployment().services)
      services_.emplace(name, &service);
  }

  void find() {
    for (const auto& [name, service] : checker_.deployment().services) visit(name);
  }

 private:
  enum class State : std::uint8_t { fresh, on_path, done };

  // A spec may chain any number of services, so the path is kept here and not on the stack.
  void visit(const std::string& start) {
    enter(start);
    while (!path_.empty()) {
      const std::string name = path_.back();
      const std::vector<std::string>& needs = services_.at(name)->needs;
      const std::size_t index = next_[name]++;
      if (index == needs.size()) {
        states_[name] = State::done;
        path_.pop_back();
      } else if (!services_.contains(needs[index])) {
        continue;
      } else if (states_[needs[index]] == State::on_path) {
        report(name, index);
      } else {
        enter(needs[index]);
      }
    }
  }

  void enter(const std::string& name) {
    State& state = states_[name];
    if (state != State::fresh) return;
    state = State::on_path;
    path_.push_back(name);
  }

  void report(const std::string& name, std::size_t index) const {
    const std::string& need = services_.at(name)->needs[index];
    std::string circle;
    for (auto at = std::ranges::find(path_, need); at != path_.end(); ++at) circle += *at + " -> ";
    checker_.refuse("E0208", checker_.value(pointer_of(name) + "/needs/" + std::to_string(index)),
                    "services need each other in a circle: " + circle + need,
                    "none could start first; remove one of the needs");
  }

  const Checker& checker_;
  std::map<std::string, const Service*, std::less<>> services_;
  std::map<std::string, State> states_;
  std::map<std::string, std::size_t> next_;  ///< the need of each service to look at next
  std::vector<std::string> path_;
};

/// Refuses a port that something else has already.
class Ports {
 public:
  explicit Ports(const Checker& checker) : checker_(checker) {}

  void take(std::uint16_t port, const std::string& owner, const std::string& pointer,
            const std::string& remedy = "give one of them another port") {
    const auto [first, fresh] = taken_.emplace(port, Owner{owner, pointer});
    if (fresh) return;
    const bool here_written = checker_.written(pointer);
    const source::Span here = checker_.value(here_written ? pointer : first->second.pointer);
    checker_.refuse(
        "E0209", here,
        owner + " and " + first->second.name + " have the same port " + std::to_string(port),
        remedy);
  }

 private:
  struct Owner {
    std::string name;
    std::string pointer;
  };
  const Checker& checker_;
  std::map<std::uint16_t, Owner> taken_;
};

void check_ports(const Checker& checker) {
  const Deployment& deployment = checker.deployment();
  // Containers and pods have a network each. Units share one, and a process without a local command
  // is none; target local gives every process a port of its own.
  Ports units(checker);
  for (const auto& [name, service] : deployment.services) {
    const std::string pointer = pointer_of(name);
    if (service.port && deployment.targets.systemd.enabled && !service.local_command.empty()) {
      units.take(*service.port, "service " + quote(name), pointer + "/port",
                 "give one of them another port, or set targets.systemd: false: units share a "
                 "network");
    }
    if (!service.port && service.health && service.health->path) {
      checker.refuse("E0221", checker.value(pointer + "/health/path"),
                     "service " + quote(name) + " is asked for its health but has no port",
                     "add 'port', or use 'command'");
    }
  }
  Ports host(checker);
  if (deployment.edge.proxy != Edge::Proxy::none) {
    host.take(deployment.edge.http, "edge.http", "/edge/http");
    if (deployment.edge.tls.mode != Edge::TlsMode::off)
      host.take(deployment.edge.https, "edge.https", "/edge/https");
  }
  if (deployment.targets.local.enabled)
    host.take(deployment.targets.local.port, "targets.local", "/targets/local/port");
}

void check_stores(const Checker& checker) {
  const Deployment& deployment = checker.deployment();
  if (deployment.database.engine == Database::Engine::sqlite &&
      deployment.runtime.replicas.max > 1) {
    checker.refuse("E0213", checker.value("/runtime/replicas"),
                   std::to_string(deployment.runtime.replicas.max) +
                       " replicas of the runtime cannot share SQLite",
                   "use one replica, and more runtime.resources for more load");
  }
}

void check_images(const Checker& checker) {
  const Deployment& deployment = checker.deployment();
  // Only these targets ship to where nobody could tell which image a tag meant.
  const bool shipped = deployment.targets.helm.enabled || deployment.targets.bundle.enabled;
  const auto pinned = [&](const Image& image, const std::string& pointer,
                          const std::string& field) {
    if (image.reference.empty() || !image.digest.empty()) return;
    checker.warn("W0201", checker.value(pointer), field,
                 "the image " + quote(image.reference) + " is not pinned",
                 image.tag.empty() ? "add '@sha256:...'" : "a tag may move; add '@sha256:...'",
                 shipped);
  };
  pinned(deployment.runtime.image, "/runtime/image", "runtime.image");
  for (const auto& [name, service] : deployment.services) {
    pinned(service.image, pointer_of(name) + "/image", "services." + name + ".image");
  }
}

void check_build_arguments(const Checker& checker) {
  for (const auto& [name, service] : checker.deployment().services) {
    if (!service.build) continue;
    for (const auto& [key, value] : service.build->args) {
      if (!value.secret) continue;
      checker.refuse("E0223", checker.value(pointer_of(name) + "/build/args/" + key),
                     "a build argument of service " + quote(name) + " is a secret",
                     "it would stay in the image's history; use 'env' or 'secrets'");
    }
  }
}

bool may_use_topic(const Deployment& deployment, const std::string& name, const Service& service,
                   std::string_view topic) {
  const std::string_view owner = topic.substr(0, topic.find('.'));
  const bool of_another =
      owner.size() < topic.size() && owner != name &&
      std::ranges::find(deployment.services, owner, &std::pair<std::string, Service>::first) !=
          deployment.services.end();
  return !of_another || std::ranges::find(service.needs, owner) != service.needs.end();
}

void check_capabilities(const Checker& checker) {
  const Deployment& deployment = checker.deployment();
  for (const auto& [name, service] : deployment.services) {
    if (!service.manifest) continue;
    const source::Span where = checker.value(pointer_of(name) + "/module");
    for (const std::string& topic : service.manifest->topics) {
      if (may_use_topic(deployment, name, service, topic)) continue;
      checker.refuse("E0217", where,
                     "the module of service " + quote(name) + " uses the topic " + quote(topic) +
                         " of another service",
                     "add that service to 'needs', or take the topic out of the manifest");
    }
    for (const HostPort& host : service.manifest->egress) {
      if (std::ranges::find(service.egress, host) != service.egress.end()) continue;
      const std::string text = host.host + ':' + std::to_string(host.port);
      checker.refuse("E0217", where,
                     "the module of service " + quote(name) + " calls " + quote(text) +
                         ", which the service may not reach",
                     "add it to 'egress', or take it out of the manifest");
    }
  }
}

}  // namespace

void check_workloads(const Checker& checker) {
  check_names(checker);
  check_first_letters(checker);
  check_needs(checker);
  check_waits(checker);
  check_addresses(checker);
  Cycles(checker).find();
  check_ports(checker);
  check_stores(checker);
  check_images(checker);
  check_build_arguments(checker);
  check_capabilities(checker);
}

}  // namespace caisson::spec

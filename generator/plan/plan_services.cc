#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "generator/plan/draft.h"

namespace caisson::plan {

namespace {

Health service_health(const Draft& draft, const spec::Health& from, const std::string& pointer) {
  Health to{.kind = from.path ? Health::Kind::http : Health::Kind::command,
            .command = from.command,
            .interval_ms = from.interval.ms,
            .timeout_ms = from.timeout.ms,
            .start_ms = from.start.ms,
            .retries = from.retries};
  if (from.path) to.path = draft.trace(*from.path, pointer + "/path");
  return to;
}

/// A service's instance, for everybody or for one tenant, without networks and needs.
Instance service(Draft& draft, const std::string& slug, const spec::Service& from,
                 const TenantPlacement* tenant) {
  const auto at = below("/services", slug);
  Instance to{
      .name = draft.instance_names.take(tenant ? derived_name({slug, tenant->slug}) : slug),
      .role = Role::service,
      .tenant = tenant ? std::optional(tenant->slug) : std::nullopt,
      .image = draft.trace(from.image.reference, at + "/image"),
      .command = from.command,
      .replicas = draft.trace(Replicas{from.replicas.min, from.replicas.max}, at + "/replicas"),
      .resources = resources(draft, from.resources, at + "/resources"),
      .env = environment(draft, from.env, at + "/env"),
      .memory_deny_write_execute = from.systemd.memory_deny_write_execute,
      .proc_of_processes_alone = from.systemd.proc_subset == spec::ServiceUnit::ProcSubset::pid,
      .uid = from.user,
      .local_command = from.local_command,
      .module = draft.trace(from.module.value_or(""), at + "/module"),
      .origin = draft.origin(at)};
  if (from.build) {
    to.build = Build{.context = from.build->context, .dockerfile = from.build->dockerfile};
    for (const auto& [name, value] : from.build->args)
      to.build->args.emplace_back(name, value.text);
  }
  if (from.port) {
    to.ports.push_back({.name = "http",
                        .number = draft.trace(*from.port, at + "/port"),
                        .purpose = Port::Purpose::http});
  }
  if (from.health) {
    to.health = service_health(draft, *from.health, at + "/health");
  } else if (from.port) {
    to.health = Health{.kind = Health::Kind::tcp};
  }
  for (const auto& secret : from.secrets) {
    to.secrets.push_back({secret.name, "/run/secrets/" + secret.name});
  }
  for (const auto& destination : from.egress) {
    to.egress.push_back(
        draft.trace(destination.host + ":" + std::to_string(destination.port), at + "/egress"));
  }
  to.resources.pids = draft.trace(from.limits.processes, at + "/limits/processes");
  if (from.limits.files) to.resources.files = draft.trace(*from.limits.files, at + "/limits/files");
  for (std::size_t i = 0; i < from.writable.size(); ++i) {
    const auto& [path, size, exec] = from.writable[i];
    const auto pointer = at + "/writable/" + std::to_string(i) + "/size";
    to.writable.push_back(
        {.path = path, .size_bytes = draft.trace(size.count, pointer), .exec = exec});
  }
  if (from.storage) {
    const auto volume = draft.volume_names.take(derived_name({to.name, "data"}));
    draft.plan.volumes.push_back(
        {.name = volume,
         .size_bytes = draft.trace(from.storage->size.count, at + "/storage/size"),
         .tenant = to.tenant,
         .origin = derived(at + "/storage")});
    to.volumes.push_back({.volume = volume, .path = from.storage->path});
  }
  if (!to.egress.empty()) {
    draft.plan.networks.push_back(
        {.name = draft.network_names.take(derived_name({"egress", to.name})),
         .internal = false,
         .tenant = to.tenant,
         .purpose = "what " + to.name + " may reach outside",
         .origin = derived(at + "/egress")});
    to.networks.push_back(draft.plan.networks.back().name);
  }
  return to;
}

/// Where a workload was planned, and from what.
struct Workload {
  std::string slug;
  const spec::Service* from = nullptr;
  std::size_t instance = 0;  ///< index into the plan's instances
};

class Services {
 public:
  explicit Services(Draft& draft) : draft_(draft), plan_(draft.plan) {
    meet_runtimes();
    for (const auto& network : plan_.networks) networks_.insert(network.name);
  }

  void add(const std::string& slug, const spec::Service& from, const TenantPlacement* tenant) {
    auto instance = service(draft_, slug, from, tenant);
    const auto own = tenant == nullptr ? own_networks_.end() : own_networks_.find(tenant->slug);
    if (own != own_networks_.end()) {
      instance.networks.push_back(own->second);
    } else if (!shared_network_.empty()) {
      instance.networks.push_back(shared_network_);
    }
    if (tenant == nullptr) {
      for (const auto& network : tenant_networks_) instance.networks.push_back(network);
    }
    names_.emplace(key(slug, instance.tenant), instance.name);
    workloads_.push_back({.slug = slug, .from = &from, .instance = plan_.instances.size()});
    plan_.instances.push_back(std::move(instance));
  }

  /// Once every workload has its name.
  void connect() {
    for (const auto& workload : workloads_) {
      auto& instance = plan_.instances[workload.instance];
      for (const auto& need : workload.from->needs) {
        if (need == "database" || need == "cache") {
          need_store(instance, need == "database" ? plan_.database.instance : plan_.cache.instance);
        } else {
          need_service(instance, need);
        }
      }
    }
  }

 private:
  static std::string key(const std::string& slug, const std::optional<std::string>& tenant) {
    return tenant ? slug + "/" + *tenant : slug;
  }

  /// Services meet the shared runtime on a network of theirs, and the runtime of a tenant with its
  /// own deployment on that tenant's network.
  void meet_runtimes() {
    for (auto& instance : plan_.instances) {
      if (instance.role != Role::runtime) continue;
      if (instance.tenant) {
        own_networks_.emplace(*instance.tenant, instance.networks.front());
        tenant_networks_.push_back(instance.networks.front());
        continue;
      }
      shared_network_ = draft_.network_names.take("services");
      plan_.networks.push_back({.name = shared_network_,
                                .purpose = "the shared runtime and the product's services",
                                .origin = derived("/services")});
      instance.networks.push_back(shared_network_);
    }
  }

  void need_store(Instance& instance, const std::string& store) {
    if (store.empty()) return;  // outside the stack, or a file
    instance.needs.push_back(store);
    auto network = instance.tenant ? derived_name({"data", *instance.tenant}) : std::string("data");
    if (!networks_.contains(network)) network = "data";
    if (networks_.insert(network).second) {
      plan_.networks.push_back({.name = draft_.network_names.take(network),
                                .purpose = "what the services store in",
                                .origin = derived("/services")});
      for (auto& other : plan_.instances) {
        if (other.role == Role::database || other.role == Role::cache) {
          other.networks.push_back(network);
        }
      }
    }
    if (std::ranges::find(instance.networks, network) == instance.networks.end()) {
      instance.networks.push_back(network);
    }
  }

  void need_service(Instance& instance, const std::string& slug) {
    const auto add = [&](const std::optional<std::string>& tenant) {
      const auto found = names_.find(key(slug, tenant));
      if (found != names_.end()) instance.needs.push_back(found->second);
    };
    add(std::nullopt);
    if (instance.tenant) {
      add(instance.tenant);
    } else {
      for (const auto& tenant : plan_.tenants) add(tenant.slug);
    }
  }

  Draft& draft_;
  Plan& plan_;
  std::string shared_network_;
  std::unordered_map<std::string, std::string> own_networks_;  ///< tenant -> network
  std::vector<std::string> tenant_networks_;                   ///< the same, in the plan's order
  std::unordered_set<std::string> networks_;
  std::unordered_map<std::string, std::string> names_;
  std::vector<Workload> workloads_;
};

}  // namespace

void plan_services(Draft& draft) {
  if (draft.spec().services.empty()) return;
  Services services(draft);
  for (const auto& [slug, from] : draft.spec().services) {
    if (from.manifest) {
      const auto at = "/services/" + slug + "/module";
      draft.plan.modules.push_back({.service = slug,
                                    .manifest = draft.trace(from.manifest->path, at),
                                    .handlers = from.manifest->handlers,
                                    .types = from.manifest->types,
                                    .versions = from.manifest->versions,
                                    .topics = from.manifest->topics,
                                    .origin = derived(at)});
    }
    if (!from.replica_per_tenant) {
      services.add(slug, from, nullptr);
      continue;
    }
    for (const auto& tenant : draft.plan.tenants) services.add(slug, from, &tenant);
  }
  services.connect();
}

}  // namespace caisson::plan

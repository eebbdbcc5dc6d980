#include "generator/render/places.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "generator/render/helm_values.h"
#include "generator/render/helm_workload.h"
#include "generator/render/systemd_layout.h"

namespace caisson::render {

namespace {

using plan::Instance;
using plan::Plan;

/// Where a target keeps a volume that the instance mounts; empty when it does not.
using Find = std::string (*)(const Plan&, const Instance&, const std::string& volume);

std::string in_compose(const Plan& plan, const Instance&, const std::string& volume) {
  return plan.targets.compose_project.value + "_" + volume;
}

std::string on_host(const Plan& plan, const Instance& instance, const std::string&) {
  return SystemdLayout::runs(instance) ? SystemdLayout(plan).data(instance.name) : std::string{};
}

auto key(const Place& place) { return std::tie(place.target, place.environment, place.volume); }

/// "acme_runtime-data (compose)".
std::string words(const Place& place) {
  return place.at + " (" + place.target +
         (place.environment.empty() ? "" : ", environment " + place.environment) + ")";
}

void append(std::string& list, const std::string& words) {
  list += (list.empty() ? "" : ", ") + words;
}

/// A tenant or volume that moves, on every target where it does.
struct Move {
  std::string pointer;
  std::string from;
  std::string to;

  void add(const std::string& where, const std::string& before, const std::string& now) {
    if (pointer.empty()) pointer = where;
    append(from, before);
    append(to, now);
  }
};
using Moves = std::map<std::string, Move, std::less<>>;

/// What is served from another volume than before.
Moves moved_tenants(const Places& before, const Places& now) {
  std::map<std::tuple<std::string_view, std::string_view>,
           std::unordered_map<std::string_view, const Place*>>
      known;
  for (const auto& place : before) {
    auto& tenants = known[{place.target, place.environment}];
    for (const auto& tenant : place.tenants) tenants.emplace(tenant, &place);
  }
  Moves moves;
  for (const auto& place : now) {
    const auto tenants = known.find({place.target, place.environment});
    if (tenants == known.end()) continue;
    for (std::size_t i = 0; i < place.tenants.size(); ++i) {
      const auto was = tenants->second.find(place.tenants[i]);
      if (was == tenants->second.end() || was->second->volume == place.volume) continue;
      moves[place.tenants[i]].add(place.tenant_pointers.at(i), words(*was->second), words(place));
    }
  }
  return moves;
}

Mistake grows(const Place& was, const Place& place) {
  return {.code = "W0303",
          .pointer = place.bytes_pointer,
          .message = "volume '" + place.volume + "' grows from " + helm::byte_size(was.bytes) +
                     " to " + helm::byte_size(place.bytes) + ", which no upgrade of the chart does",
          .remedy = "grow its claims first, as 'Grow a volume' of the chart's RUNBOOK.md says",
          .severity = source::Severity::warning};
}

Mistake shrinks(const Place& was, const Place& place) {
  return {.code = "E0311",
          .pointer = place.bytes_pointer,
          .message = "volume '" + place.volume + "' shrinks from " + helm::byte_size(was.bytes) +
                     " to " + helm::byte_size(place.bytes) +
                     ", and no claim gives back what it has",
          .remedy = "write " + helm::byte_size(was.bytes) + " or more"};
}

}  // namespace

void sort(Places& places) {
  std::ranges::sort(places, {}, [](const Place& place) {
    return std::tuple(place.target, place.environment, place.volume);
  });
}

Places places(const Plan& plan, TargetSet targets) {
  const auto namespaces = helm::namespaces(plan);
  std::unordered_map<std::string_view, const plan::Volume*> volumes;
  for (const auto& volume : plan.volumes) volumes.emplace(volume.name, &volume);
  std::unordered_map<std::string_view, std::vector<const plan::TenantPlacement*>> served;
  for (const auto& tenant : plan.tenants) served[tenant.instance].push_back(&tenant);

  Places found;
  const auto add = [&](const char* target, std::string at, const plan::Origin& because,
                       const Instance& instance, const std::string& volume) -> Place& {
    auto& place = found.emplace_back(Place{.target = target,
                                           .environment = {},
                                           .volume = volume,
                                           .at = std::move(at),
                                           .at_pointer = because.pointer});
    if (instance.role == plan::Role::runtime) {
      for (const auto* tenant : served[instance.name]) {
        place.tenants.push_back(tenant->slug);
        place.tenant_pointers.push_back(tenant->origin.pointer);
      }
    }
    return place;
  };
  for (const auto& instance : plan.instances) {
    for (const auto& mount : instance.volumes) {
      if (mount.read_only) continue;  // somebody else's, who writes it
      if (targets.has(Target::compose) && plan.targets.compose.value) {
        add("compose", in_compose(plan, instance, mount.volume),
            plan.targets.compose_project.origin, instance, mount.volume);
      }
      if (targets.has(Target::systemd) && plan.targets.systemd.value) {
        if (auto at = on_host(plan, instance, mount.volume); !at.empty()) {
          add("systemd", std::move(at), plan.targets.systemd_data.origin, instance, mount.volume);
        }
      }
      if (!targets.has(Target::helm) || !plan.targets.helm.value || !HelmValues::runs(instance)) {
        continue;
      }
      const auto& cluster = plan.targets.cluster;
      const auto own = instance.tenant ? namespaces.find(*instance.tenant) : namespaces.end();
      const auto& there = own == namespaces.end() ? cluster.namespace_.value : own->second;
      auto& place = add("helm", there + "/" + helm::claim(instance, mount.volume),
                        cluster.namespace_.origin, instance, mount.volume);
      const auto& volume = *volumes.at(mount.volume);
      place.bytes = volume.size_bytes.value;
      place.bytes_pointer = volume.size_bytes.origin.pointer;
      place.storage_class = cluster.storage_class.value;
      place.class_pointer = cluster.storage_class.origin.pointer;
    }
  }
  sort(found);
  return found;
}

std::vector<Mistake> place_mistakes(const Places& before, const Places& now,
                                    const std::set<std::string, std::less<>>& accepted) {
  std::vector<Mistake> mistakes;
  const auto tenants = moved_tenants(before, now);
  for (const auto& [tenant, move] : tenants) {
    if (accepted.contains("tenant/" + tenant)) continue;
    mistakes.push_back(
        {.code = "E0310",
         .pointer = move.pointer,
         .message = "tenant '" + tenant + "' moves to " + move.to +
                    ", but its records, keys and "
                    "snapshots are in " +
                    move.from,
         .remedy =
             "take them along as 'Move' of RUNBOOK.md says, with --accept-move tenant/" + tenant});
  }
  Moves volumes;
  const auto move = [&](const Place& place, const std::string& pointer, const std::string& from,
                        const std::string& to) {
    if (accepted.contains("volume/" + place.volume)) return;
    volumes[place.volume].add(pointer, from, to);
  };
  std::map<std::string, Mistake, std::less<>> sizes;
  for (const auto& place : now) {
    const auto was = std::ranges::lower_bound(before, key(place), {}, key);
    if (was == before.end() || key(*was) != key(place)) continue;
    if (was->at != place.at) {
      move(place, place.at_pointer, words(*was), words(place));
      continue;
    }
    if (was->storage_class != place.storage_class) {
      const auto named = [](const Place& one) {
        return (one.storage_class.empty() ? "the cluster's default storage class"
                                          : "storage class '" + one.storage_class + "'") +
               " as " + words(one);
      };
      move(place, place.class_pointer, named(*was), named(place));
    }
    if (place.bytes > was->bytes && was->bytes > 0) {
      sizes.try_emplace(place.volume, grows(*was, place));
    } else if (place.bytes < was->bytes && place.bytes > 0) {
      sizes.insert_or_assign(place.volume, shrinks(*was, place));
    }
  }
  for (const auto& [volume, moves] : volumes) {
    mistakes.push_back({.code = "E0310",
                        .pointer = moves.pointer,
                        .message = "volume '" + volume + "' would be looked for in " + moves.to +
                                   ", but what it keeps is in " + moves.from,
                        .remedy = "take it along as 'Move' of RUNBOOK.md says, with --accept-move "
                                  "volume/" +
                                  volume});
  }
  for (auto& [volume, mistake] : sizes) mistakes.push_back(std::move(mistake));
  return mistakes;
}

}  // namespace caisson::render

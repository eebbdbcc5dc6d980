#include "generator/render/places.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "generator/render/helm_values.h"
#include "generator/render/helm_workload.h"
#include "generator/render/place_patches.h"
#include "generator/render/systemd_layout.h"

namespace caisson::render {

namespace {

using plan::Instance;
using plan::Plan;

/// Where a target keeps a volume that the instance mounts; empty when it does not.
using Find = std::string (*)(const Plan&, const Instance&, const std::string& volume);

constexpr std::string_view helm_name = "helm";

std::string in_compose(const Plan& plan, const Instance&, const std::string& volume) {
  return plan.targets.compose_project.value + "_" + volume;
}

std::string on_host(const Plan& plan, const Instance& instance, const std::string&) {
  return SystemdLayout::runs(instance) ? SystemdLayout(plan).data(instance.name) : std::string{};
}

auto key(const Place& place) { return std::tie(place.target, place.environment, place.volume); }

/// What `places` have of the same volume; null when nothing mounts it there.
const Place* same(const Place& place, const Places& places) {
  const auto found = std::ranges::lower_bound(places, key(place), {}, key);
  return found == places.end() || key(*found) != key(place) ? nullptr : &*found;
}

/// "acme_runtime-data (compose)".
std::string words(const Place& place) {
  return place.at + " (" + place.target +
         (place.environment.empty() ? "" : ", environment " + place.environment) + ")";
}

void append(std::string& list, const std::string& words) {
  list += (list.empty() ? "" : ", ") + words;
}

/// The first few of them, and how many more there are.
std::string first_of(const std::vector<std::string>& names) {
  constexpr std::size_t most_named = 5;
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), most_named); ++i) append(list, names[i]);
  if (names.size() > most_named)
    list += " and " + std::to_string(names.size() - most_named) + " more";
  return list;
}

using Tenants = std::set<std::string_view>;

/// The tenants that each target of an environment serves. A target that keeps no data is not in it:
/// it is off, or nothing of the spec has data there.
std::map<std::tuple<std::string_view, std::string_view>, Tenants> served_by_target(
    const Places& places) {
  std::map<std::tuple<std::string_view, std::string_view>, Tenants> served;
  for (const auto& place : places) {
    served[{place.target, place.environment}].insert(place.tenants.begin(), place.tenants.end());
  }
  return served;
}

/// Who is served by which target now.
struct Served {
  explicit Served(const Places& now) : by_target(served_by_target(now)) {
    for (const auto& place : now) all.insert(place.tenants.begin(), place.tenants.end());
  }

  /// Null when the target of `place` keeps no data.
  [[nodiscard]] const Tenants* on_target_of(const Place& place) const {
    const auto found = by_target.find({place.target, place.environment});
    return found == by_target.end() ? nullptr : &found->second;
  }

  std::map<std::tuple<std::string_view, std::string_view>, Tenants> by_target;
  Tenants all;
};

/// Tenants whose newest data are in the place, are not served elsewhere, and nobody gave up. Where
/// the target is off nobody took along what moves on others.
std::set<std::string> left_in(const Place& place, const Served& served,
                              const AcceptedMoves& accepted) {
  const auto* here = served.on_target_of(place);
  std::set<std::string> left(place.tenants.begin(), place.tenants.end());
  left.insert(place.left.begin(), place.left.end());
  std::erase_if(left, [&](const std::string& tenant) {
    if (here != nullptr && here->contains(tenant)) return true;
    const bool moves_on_others = here == nullptr && served.all.contains(tenant);
    return accepted.contains("tenant/" + tenant) && !moves_on_others;
  });
  return left;
}

/// Tenants that had data in the place and are served from another one of its target, `now` being
/// the same place, null when it is gone.
std::vector<std::string> moved_from(const Place& was, const Place* now, const Served& served) {
  std::set<std::string> moved(was.moved.begin(), was.moved.end());
  const auto* here = served.on_target_of(was);
  for (const auto* tenants : {&was.tenants, &was.left}) {
    std::ranges::copy_if(*tenants, std::inserter(moved, moved.end()), [&](const auto& tenant) {
      return here != nullptr && here->contains(tenant);
    });
  }
  if (now != nullptr) {
    for (const auto& tenant : now->tenants) moved.erase(tenant);
  }
  return {moved.begin(), moved.end()};
}

bool is_accepted(const Place& place, const AcceptedMoves& accepted) {
  return accepted.contains("volume/" + place.volume) ||
         (!place.service.empty() && accepted.contains("service/" + place.service));
}

/// Whether a place that the spec has no more keeps nothing that anybody may come back for.
bool is_forgotten(const Place& place, const Served& served, const AcceptedMoves& accepted) {
  const bool had_tenants = !place.tenants.empty() || !place.left.empty() || !place.moved.empty();
  return is_accepted(place, accepted) || (had_tenants && left_in(place, served, accepted).empty() &&
                                          moved_from(place, nullptr, served).empty());
}

/// A tenant or volume that moves, on every target where it does.
struct Move {
  std::string pointer;
  std::string from;
  std::string to;
  std::string remedy{};   ///< of a volume: how it is taken along
  std::string back_to{};  ///< of a tenant: where it has what it had before it moved away
  bool is_open = false;   ///< of a tenant: its own domains are to be served from the new place

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
    for (const auto& tenant : place.left) tenants.emplace(tenant, &place);
  }
  Moves moves;
  for (const auto& place : now) {
    const auto tenants = known.find({place.target, place.environment});
    if (tenants == known.end()) continue;
    for (std::size_t i = 0; i < place.tenants.size(); ++i) {
      const auto& tenant = place.tenants[i];
      const auto was = tenants->second.find(tenant);
      const bool known_there = was != tenants->second.end();
      if (known_there && was->second->volume == place.volume) continue;
      const auto* there = same(place, before);
      const bool returns = there != nullptr && std::ranges::binary_search(there->moved, tenant);
      if (!known_there && !returns) continue;
      auto& move = moves[tenant];
      move.add(place.tenant_pointers.at(i), known_there ? words(*was->second) : "", words(place));
      if (returns) append(move.back_to, words(place));
      move.is_open |= place.open.contains(place.tenants[i]);
    }
  }
  return moves;
}

/// Services whose tenants shared one volume and have one each now, or the other way round, with the
/// volumes of before that nothing mounts any more.
Moves divided_services(const Places& before, const Places& now) {
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>,
           std::vector<const Place*>>
      known;
  for (const auto& place : now) {
    if (!place.service.empty())
      known[{place.target, place.environment, place.service}].push_back(&place);
  }
  struct Sides {
    std::vector<std::string> from;
    std::vector<std::string> to;
  };
  std::map<std::string, Sides, std::less<>> services;
  for (const auto& was : before) {
    const auto found = known.find({was.target, was.environment, was.service});
    if (found == known.end()) continue;
    const auto& places = found->second;
    const bool was_shared = was.replica_of.empty();
    if (same(was, now) != nullptr || places.front()->replica_of.empty() == was_shared) continue;
    auto& sides = services[was.service];
    sides.from.push_back(words(was));
    for (const auto* place : places) {
      // One for all takes the place of each, and each that of one for all.
      if (was_shared || sides.to.empty() || sides.to.back() != words(*place))
        sides.to.push_back(words(*place));
    }
  }
  Moves moves;
  for (const auto& [service, sides] : services) {
    moves.emplace(service, Move{.pointer = "/services/" + service + "/replica-per-tenant",
                                .from = first_of(sides.from),
                                .to = first_of(sides.to)});
  }
  return moves;
}

Mistake moves_while_open(const std::string& tenant, const Move& move) {
  return {.code = "E0310",
          .pointer = move.pointer,
          .message = "tenant '" + tenant +
                     "' moves to another namespace with domains of its own, and an Ingress "
                     "controller takes a host in one namespace alone",
          .remedy =
              "write `status: suspended` until it has moved, as 'Move' of RUNBOOK.md says; "
              "its own domains are in no Ingress then"};
}

/// Whose a place is: "service 'web', tenant 'acme'".
std::string owner(const Place& place) {
  return (place.service.empty() ? "Caisson" : "service '" + place.service + "'") +
         (place.replica_of.empty() ? "" : " for tenant '" + place.replica_of + "'");
}

Mistake changes_hands(const Place& was, const Place& place) {
  return {.code = "E0310",
          .pointer = "/services/" + place.service,
          .message = words(place) + " would be of " + owner(place) + ", but what it keeps is of " +
                     owner(was),
          .remedy =
              "give the service or the tenant another name, or empty it first, with "
              "--accept-move volume/" +
              place.volume};
}

/// A value and where the spec says it, to be tied.
template <class T>
std::tuple<const T&, const std::string&> both(const PatchedValue<T>& patched) {
  return {patched.value, patched.pointer};
}

/// Targets of environments where what no replica has moves, too: not the tenants' doing then.
std::set<std::tuple<std::string_view, std::string_view>> moved_targets(const Places& before,
                                                                       const Places& now) {
  std::set<std::tuple<std::string_view, std::string_view>> moved;
  for (const auto& place : now) {
    const auto* was = place.replica_of.empty() ? same(place, before) : nullptr;
    if (was != nullptr && was->at != place.at) moved.emplace(place.target, place.environment);
  }
  return moved;
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

/// A target, and whose values of it.
using Environment = std::pair<std::string, std::string>;

/// What the environments of before are called now, which only whoever renames them knows for sure.
class Renamed {
 public:
  Renamed(const Places& before, const Places& now, const AcceptedMoves& accepted) {
    for (const auto& place : before) {
      auto& known = were_[{place.target, place.environment}];
      known.is_live |= !place.gone;
      known.at.insert(place.at);
    }
    for (const auto& place : now) are_[{place.target, place.environment}].at.insert(place.at);
    listen(accepted);
    infer();
  }

  /// `before` under the names of now, without what nobody will come back for.
  [[nodiscard]] Places applied_to(Places before) const {
    std::erase_if(before, [&](const Place& place) {
      return let_go_.contains({place.target, place.environment});
    });
    for (auto& place : before) {
      const auto name = names_.find({place.target, place.environment});
      if (name != names_.end()) place.environment = name->second;
    }
    if (!names_.empty()) sort(before);
    return before;
  }

  /// Environments that may be several of before.
  [[nodiscard]] std::vector<Mistake> unclear() const {
    std::vector<Mistake> mistakes;
    for (const auto& [is, candidates] : unclear_) {
      std::string those;
      std::string gone;
      for (const auto& was : candidates) {
        append(those, "'" + was.second + "'");
        gone += (gone.empty() ? "" : ",") + ("environment/" + was.second);
      }
      mistakes.push_back({.code = "E0310",
                          .pointer = "/environments/" + is.second,
                          .message = "environment '" + is.second + "' keeps data where " + those +
                                     " kept theirs, and may be one of them or another cluster",
                          .remedy = "say which one it is, as --accept-move environment/" +
                                    candidates.front().second + "=" + is.second +
                                    ", or that it is none, with --accept-move " + gone});
    }
    return mistakes;
  }

 private:
  struct Known {
    bool is_live = false;
    std::set<std::string, std::less<>> at;
  };
  using Knowns = std::map<Environment, Known>;

  void rename(const Environment& was, const std::string& name) {
    if (!taken_.insert({was.first, name}).second) return;
    names_.emplace(was, name);
  }

  void listen(const AcceptedMoves& accepted) {
    constexpr std::string_view prefix = "environment/";
    for (const auto& move : accepted) {
      if (!move.starts_with(prefix)) continue;
      const auto equals = move.find('=');
      const auto old = move.substr(prefix.size(), equals - prefix.size());
      for (const auto& [was, kept] : were_) {
        if (was.second != old) continue;
        if (equals != std::string::npos) {
          if (are_.contains({was.first, move.substr(equals + 1)}))
            rename(was, move.substr(equals + 1));
        } else if (!are_.contains(was)) {
          let_go_.insert(was);
        }
      }
    }
  }

  /// Who may be whom: what is not there any more, and what is new and keeps data in one of its
  /// places, or has its name. One alone on both sides is the same one.
  void infer() {
    std::map<Environment, std::vector<Environment>> candidates;
    std::map<Environment, std::size_t> wanted;
    for (const auto& [is, there] : are_) {
      const auto itself = were_.find(is);
      if (taken_.contains(is) || (itself != were_.end() && itself->second.is_live)) continue;
      for (const auto& [was, kept] : were_) {
        if (was.first != is.first || names_.contains(was) || let_go_.contains(was)) continue;
        if (was != is && (are_.contains(was) || !shares_a_place(kept, there))) continue;
        candidates[is].push_back(was);
        ++wanted[was];
      }
    }
    for (auto& [is, those] : candidates) {
      const auto& only = those.front();
      if (those.size() > 1 || wanted[only] > 1) {
        unclear_.emplace(is, std::move(those));
      } else if (only != is) {
        rename(only, is.second);
      }
    }
    // What is left under the name of another one stays known under the name that this one gave up.
    for (const auto& [was, name] : std::map(names_)) {
      const Environment is{was.first, name};
      if (were_.contains(is) && !names_.contains(is)) rename(is, was.second);
    }
  }

  static bool shares_a_place(const Known& a, const Known& b) {
    return std::ranges::any_of(a.at, [&](const std::string& at) { return b.at.contains(at); });
  }

  Knowns were_;
  Knowns are_;
  std::map<Environment, std::string> names_;  ///< of before -> its name now
  std::set<Environment> taken_;
  std::set<Environment> let_go_;
  std::map<Environment, std::vector<Environment>> unclear_;
};

Places under_names_of(const Places& now, const Places& before, const AcceptedMoves& accepted) {
  return Renamed(before, now, accepted).applied_to(before);
}

}  // namespace

void sort(Places& places) {
  std::ranges::sort(places, {}, [](const Place& place) {
    return std::tuple(place.target, place.environment, place.volume);
  });
}

Places places(const Plan& plan, TargetSet targets, const PatchedFiles& patched) {
  const auto namespaces = helm::namespaces(plan);
  std::unordered_map<std::string_view, const plan::Volume*> volumes;
  for (const auto& volume : plan.volumes) volumes.emplace(volume.name, &volume);
  std::unordered_map<std::string_view, std::vector<const plan::TenantPlacement*>> served;
  for (const auto& tenant : plan.tenants) served[tenant.instance].push_back(&tenant);

  Places found;
  std::unordered_map<std::string_view, const plan::Origin*> tenants;
  for (const auto& tenant : plan.tenants) tenants.emplace(tenant.slug, &tenant.origin);
  const auto add = [&](std::string_view target, std::string at, const plan::Origin& because,
                       const Instance& instance, const std::string& volume,
                       const PlacePatches& patches) -> Place& {
    at += patches.text;
    const bool has_doors = target == helm_name && plan.edge.proxy.value != plan::Edge::Proxy::none;
    auto& place = found.emplace_back(
        Place{.target = std::string(target),
              .environment = {},
              .volume = volume,
              .at = std::move(at),
              .at_pointer = patches.pointer.empty() ? because.pointer : patches.pointer});
    if (instance.role == plan::Role::service) {
      constexpr std::string_view services = "/services/";
      place.service = instance.origin.pointer.substr(services.size());
      place.replica_of = instance.tenant.value_or(std::string());
      const auto tenant = tenants.find(place.replica_of);
      const bool is_planned = patches.pointer.empty() && !patches.namespace_;
      if (tenant != tenants.end() && is_planned) place.tenant_pointer = tenant->second->pointer;
    }
    if (instance.role == plan::Role::runtime) {
      for (const auto* tenant : served[instance.name]) {
        place.tenants.push_back(tenant->slug);
        place.tenant_pointers.push_back(tenant->origin.pointer);
        if (has_doors && !tenant->suspended && !tenant->domains.empty()) {
          place.open.insert(tenant->slug);
        }
      }
    }
    return place;
  };
  for (const auto& instance : plan.instances) {
    for (const auto& mount : instance.volumes) {
      if (mount.read_only) continue;  // somebody else's, who writes it
      if (targets.has(Target::compose) && plan.targets.compose.value) {
        add("compose", in_compose(plan, instance, mount.volume),
            plan.targets.compose_project.origin, instance, mount.volume,
            place_patches(plan, patched, "compose", instance, mount.volume));
      }
      if (targets.has(Target::systemd) && plan.targets.systemd.value) {
        if (auto at = on_host(plan, instance, mount.volume); !at.empty()) {
          add("systemd", std::move(at), plan.targets.systemd_data.origin, instance, mount.volume,
              place_patches(plan, patched, "systemd", instance, mount.volume));
        }
      }
      if (!targets.has(Target::helm) || !plan.targets.helm.value || !HelmValues::runs(instance)) {
        continue;
      }
      const auto& cluster = plan.targets.cluster;
      const auto own = instance.tenant ? namespaces.find(*instance.tenant) : namespaces.end();
      const auto patches = place_patches(plan, patched, helm_name, instance, mount.volume);
      const auto& there = patches.namespace_        ? patches.namespace_->value
                          : own == namespaces.end() ? cluster.namespace_.value
                                                    : own->second;
      auto& place = add(helm_name, there + "/" + helm::claim(instance, mount.volume),
                        cluster.namespace_.origin, instance, mount.volume, patches);
      if (patches.namespace_) place.at_pointer = patches.namespace_->pointer;
      const auto& volume = *volumes.at(mount.volume);
      place.bytes = volume.size_bytes.value;
      place.bytes_pointer = volume.size_bytes.origin.pointer;
      if (patches.bytes) std::tie(place.bytes, place.bytes_pointer) = both(*patches.bytes);
      place.storage_class = cluster.storage_class.value;
      place.class_pointer = cluster.storage_class.origin.pointer;
      if (patches.storage_class)
        std::tie(place.storage_class, place.class_pointer) = both(*patches.storage_class);
      if (instance.role != plan::Role::runtime || plan.backup.schedule.value.empty()) continue;
      const auto copies = helm::backup_bytes(plan, volume);
      auto claim = place;
      claim.volume = helm::backup_claim(instance);
      claim.at = there + "/" + claim.volume;
      claim.bytes = copies.value;
      claim.bytes_pointer = copies.origin.pointer;
      if (patches.copies_bytes)
        std::tie(claim.bytes, claim.bytes_pointer) = both(*patches.copies_bytes);
      claim.copies = true;
      claim.tenants.clear();
      claim.tenant_pointers.clear();
      claim.open.clear();
      found.push_back(std::move(claim));
    }
  }
  if (targets.has(Target::systemd) && plan.targets.systemd.value) {
    // install.sh makes those that are not there, others than what is there was written with.
    found.push_back({.target = "systemd",
                     .volume = "secrets",
                     .at = SystemdLayout(plan).secrets(),
                     .at_pointer = plan.targets.systemd_prefix.origin.pointer});
  }
  sort(found);
  return found;
}

std::vector<Mistake> place_mistakes(const Places& as_named, const Places& now,
                                    const AcceptedMoves& accepted) {
  const Renamed renamed(as_named, now, accepted);
  const auto before = renamed.applied_to(as_named);
  auto mistakes = renamed.unclear();
  const auto tenants = moved_tenants(before, now);
  for (const auto& [tenant, move] : tenants) {
    if (accepted.contains("tenant/" + tenant)) {
      if (move.is_open) mistakes.push_back(moves_while_open(tenant, move));
      continue;
    }
    mistakes.push_back(
        {.code = "E0310",
         .pointer = move.pointer,
         .message =
             "tenant '" + tenant + "' moves to " + move.to +
             (move.from.empty()
                  ? ""
                  : ", but its records, keys, snapshots and what the operator said of it are in " +
                        move.from) +
             (move.back_to.empty() ? ""
                                   : "; " + move.back_to +
                                         " may still have what it had before it moved away, "
                                         "with keys that were revoked since"),
         .remedy =
             "take them along as 'Move' of RUNBOOK.md says, with --accept-move tenant/" + tenant});
  }
  Moves volumes;
  const auto move = [&](const Place& place, const std::string& pointer, const std::string& from,
                        const std::string& to, const char* remedy) {
    if (is_accepted(place, accepted)) return;
    auto& found = volumes[place.volume];
    if (found.remedy.empty()) found.remedy = remedy;
    found.add(pointer, from, to);
  };
  std::map<std::string, Mistake, std::less<>> sizes;
  std::map<std::string, Mistake, std::less<>> hands;
  const auto moved = moved_targets(before, now);
  for (const auto& place : now) {
    const auto* was = same(place, before);
    if (was == nullptr) continue;
    if (std::tie(was->service, was->replica_of) != std::tie(place.service, place.replica_of) &&
        !accepted.contains("volume/" + place.volume)) {
      hands.try_emplace(place.volume, changes_hands(*was, place));
    }
    if (was->at != place.at) {
      const bool is_of_tenant = !place.tenant_pointer.empty() && place.target == helm_name &&
                                !moved.contains({place.target, place.environment});
      move(place, is_of_tenant ? place.tenant_pointer : place.at_pointer, words(*was), words(place),
           place.tenants.empty()
               ? "change it back, or copy what is there to the new place, emptied "
                 "first, while nothing uses it"
               : "take its tenants along as 'Move' of RUNBOOK.md says");
      continue;
    }
    if (was->storage_class != place.storage_class) {
      const auto named = [](const Place& one) {
        return (one.storage_class.empty() ? "the cluster's default storage class"
                                          : "storage class '" + one.storage_class + "'") +
               " as " + words(one);
      };
      move(place, place.class_pointer, named(*was), named(place),
           "take it along as 'Another storage class' of the chart's RUNBOOK.md says");
    }
    if (place.bytes > was->bytes && was->bytes > 0) {
      sizes.try_emplace(place.volume, grows(*was, place));
    } else if (place.bytes < was->bytes && place.bytes > 0 && !place.copies) {
      sizes.insert_or_assign(place.volume, shrinks(*was, place));
    }
  }
  for (const auto& [volume, moves] : volumes) {
    mistakes.push_back({.code = "E0310",
                        .pointer = moves.pointer,
                        .message = "volume '" + volume + "' would be looked for in " + moves.to +
                                   ", but what it keeps is in " + moves.from,
                        .remedy = moves.remedy + ", with --accept-move volume/" + volume});
  }
  for (const auto& [service, divided] : divided_services(before, now)) {
    if (accepted.contains("service/" + service)) continue;
    mistakes.push_back(
        {.code = "E0310",
         .pointer = divided.pointer,
         .message = "what service '" + service + "' keeps would be looked for in " + divided.to +
                    ", but it is in " + divided.from,
         .remedy = "change `replica-per-tenant` back, or copy to each new place, "
                   "emptied first, what belongs there while nothing uses it, with --accept-move "
                   "service/" +
                   service});
  }
  for (auto* found : {&sizes, &hands})
    for (auto& [volume, mistake] : *found) mistakes.push_back(std::move(mistake));
  return mistakes;
}

std::vector<Mistake> left_data(const Places& as_named, const Places& now,
                               const AcceptedMoves& accepted,
                               const std::set<std::string, std::less<>>& targets) {
  const auto before = under_names_of(now, as_named, accepted);
  const Served served(now);
  std::map<std::tuple<std::string, std::string>, std::vector<std::string>>
      off;                                     // -> where data are
  std::map<std::string, std::string> tenants;  // slug -> where its data are
  struct Gone {
    std::string where;
    std::string service;
  };
  std::map<std::string, Gone, std::less<>> gone;       // volume -> where it is
  const auto divided = divided_services(before, now);  // of which the mistake is another one
  for (const auto& was : before) {
    if (was.gone || (!targets.empty() && !targets.contains(was.target))) continue;
    const auto* here = served.on_target_of(was);
    if (here == nullptr) {
      if (!is_forgotten(was, served, accepted))
        off[{was.target, was.environment}].push_back(was.at);
      continue;
    }
    for (const auto& tenant : was.tenants) {
      if (here->contains(tenant) || accepted.contains("tenant/" + tenant)) continue;
      append(tenants[tenant], words(was));
    }
    const bool there = same(was, now) != nullptr;
    // Of what tenants kept there it is said that they left, or that they move.
    if (there || !was.tenants.empty() || divided.contains(was.service)) continue;
    if (is_accepted(was, accepted)) continue;
    gone[was.volume].service = was.service;
    append(gone[was.volume].where, words(was));
  }
  std::map<std::string, std::vector<std::string>> together;  // where -> who
  for (const auto& [tenant, where] : tenants) together[where].push_back("'" + tenant + "'");
  std::vector<Mistake> mistakes;
  const auto warn = [&](std::string pointer, std::string message, std::string remedy) {
    mistakes.push_back({.code = "W0304",
                        .pointer = std::move(pointer),
                        .message = std::move(message),
                        .remedy = std::move(remedy),
                        .severity = source::Severity::warning});
  };
  for (const auto& [target, where] : off) {
    const auto& [name, environment] = target;
    warn(environment.empty() ? "/targets/" + name : "/environments/" + environment,
         "target '" + name + "'" +
             (environment.empty() ? "" : " of environment '" + environment + "'") +
             " keeps no data any more; what it kept stays in " + first_of(where),
         environment.empty()
             ? "remove it there when nobody needs it; switched on again, the target takes it up"
             : "remove it there when nobody needs it; with the environment or its target back, it "
               "is taken up");
  }
  for (const auto& [where, slugs] : together) {
    const bool one = slugs.size() == 1;
    warn("/tenants",
         (one ? "tenant " : "tenants ") + first_of(slugs) + (one ? " is" : " are") +
             " no longer served from " + where + "; records, keys and snapshots stay there",
         "bring them back to serve them again; the operator API deletes them");
  }
  for (const auto& [volume, was] : gone) {
    std::string said = "volume '" + volume + "' is no longer used in ";
    said.append(was.where).append("; its data stay there");
    // The service may have gone with it; then what is left of `services` has the place.
    warn("/services" + (was.service.empty() ? "" : '/' + was.service), std::move(said),
         "take them along to where they are used now, or remove them when nobody needs them");
  }
  return mistakes;
}

Places remember(const Places& as_named, Places now, const AcceptedMoves& accepted) {
  const auto before = under_names_of(now, as_named, accepted);
  const Served served(now);
  Places gone;
  for (const auto& was : before) {
    const auto left = left_in(was, served, accepted);
    const auto place = std::ranges::lower_bound(now, key(was), {}, key);
    if (place != now.end() && key(*place) == key(was)) {
      place->left.assign(left.begin(), left.end());
      if (!is_accepted(was, accepted)) place->moved = moved_from(was, &*place, served);
      if (place->copies) place->bytes = std::max(place->bytes, was.bytes);
    } else if (!is_forgotten(was, served, accepted)) {
      // No size: a claim that is taken up again is as large as it is.
      gone.push_back({.target = was.target,
                      .environment = was.environment,
                      .volume = was.volume,
                      .at = was.at,
                      .storage_class = was.storage_class,
                      .service = was.service,
                      .replica_of = was.replica_of,
                      .left = {left.begin(), left.end()},
                      .moved = moved_from(was, nullptr, served),
                      .gone = true});
    }
  }
  std::ranges::move(gone, std::back_inserter(now));
  sort(now);
  return now;
}

}  // namespace caisson::render

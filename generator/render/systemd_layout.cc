#include "generator/render/systemd_layout.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <utility>

#include "generator/render/fingerprint.h"
#include "generator/render/node.h"

namespace caisson::render {

namespace {

using plan::Instance;
using plan::Role;

constexpr std::size_t longest_account = 31;
/// A socket's path has 107 bytes (unix(7)), and the deployment and the port are in it too.
constexpr std::size_t longest_socket_directory = 40;

/// `text`, or its beginning made distinct by a digest of the whole.
std::string at_most(std::size_t length, std::string text) {
  if (text.size() <= length) return text;
  const auto mark = fingerprint(text).substr(0, 8);
  text.resize(length - mark.size() - 1);
  while (text.ends_with('-')) text.pop_back();
  return text + '-' + mark;
}

/// A part of a slice's name, where '-' means "below".
std::string slice_part(std::string text) {
  std::ranges::replace(text, '-', '_');
  return text;
}

std::string below(std::string_view directory, std::string_view name) {
  std::string path(directory);
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return (path == "/" ? path : path + '/').append(name);
}

}  // namespace

Result<void> SystemdLayout::check(std::vector<Mistake>& mistakes) const {
  for (const auto& [field, path] :
       {std::pair{"targets.systemd.prefix", plan_.targets.systemd_prefix},
        std::pair{"targets.systemd.data", plan_.targets.systemd_data},
        std::pair{"backup.to", plan_.backup.to}}) {
    const bool fine = std::ranges::all_of(path.value, [](unsigned char c) {
      return std::isalnum(c) != 0 ||
             std::string_view("/._+@-").find(static_cast<char>(c)) != std::string_view::npos;
    });
    if (fine || path.value.find("://") != std::string::npos) continue;
    auto done = refuse(mistakes, path.origin,
                       {.what = std::string(field) + ": '" + path.value +
                                "' holds what not every directive of a unit file can carry",
                        .remedy = "use letters, digits and / . _ + @ - in it"});
    if (!done) return done;
  }
  return check_doors(mistakes);
}

Result<void> SystemdLayout::check_doors(std::vector<Mistake>& mistakes) const {
  // Who has a port of a network, and the doors that are there.
  std::map<std::pair<std::string, std::uint16_t>, const Instance*> taken;
  const auto network = [&](const Instance& instance) {
    return is_image(instance) ? instance.name : slice(instance);
  };
  for (const auto& instance : plan_.instances) {
    if (instance.role != Role::service) continue;
    for (const auto& port : instance.ports) {
      taken.try_emplace({network(instance), port.number.value}, &instance);
    }
  }
  for (const auto& instance : plan_.instances) {
    for (const auto* other : doors(instance)) {
      const auto& port = other->ports.front().number;
      const auto found = taken.find({network(instance), port.value});
      if (found == taken.end()) {
        // Where each door has an address of its own, two may have one port.
        if (!is_image(instance)) taken[{network(instance), port.value}] = other;
        continue;
      }
      auto done = refuse(
          mistakes, port.origin,
          {.what = "under systemd " + instance.name + " reaches " + other->name + " at port " +
                   std::to_string(port.value) + ", where " +
                   (found->second == &instance ? "it" : found->second->name) + " listens itself",
           .remedy = "give one of the two another port, or set targets.systemd: false"});
      if (!done) return done;
    }
  }
  return {};
}

bool SystemdLayout::runs(const Instance& instance) {
  return instance.role == Role::runtime || instance.role == Role::dashboard ||
         instance.role == Role::edge || instance.role == Role::service;
}

bool SystemdLayout::is_image(const Instance& instance) {
  return instance.role == Role::service && instance.local_command.empty();
}

std::vector<const Instance*> SystemdLayout::doors(const Instance& instance) const {
  std::vector<const Instance*> reached;
  if (instance.role != Role::service) return reached;
  for (const auto& need : instance.needs) {
    const auto* other = plan_.instance(need);
    if (other == nullptr || other->role != Role::service || other->ports.empty()) continue;
    if (!is_image(instance) && !is_image(*other)) continue;
    // Programs share a network, and one door in it.
    const auto shares = [&](const Instance& earlier) {
      return earlier.role == Role::service && !is_image(earlier) &&
             slice(earlier) == slice(instance) &&
             std::ranges::find(earlier.needs, need) != earlier.needs.end();
    };
    const auto end = std::ranges::find(plan_.instances, instance.name, &Instance::name);
    if (!is_image(instance) && std::any_of(plan_.instances.begin(), end, shares)) continue;
    reached.push_back(other);
  }
  return reached;
}

std::string SystemdLayout::door(const Instance& from, const Instance& to) const {
  return unit(from.name) + "_to_" + to.name;
}

std::string SystemdLayout::door_address(const Instance& instance, std::size_t number) {
  if (!is_image(instance)) return "127.0.0.1";
  // All of 127.0.0.0/8 is the loopback; what it listens on itself is at the first of them.
  return "127.0." + std::to_string(1 + number / 250) + "." + std::to_string(1 + number % 250);
}

std::string SystemdLayout::unit(std::string_view instance) const {
  return plan_.name.value + "-" + std::string(instance);
}

std::string SystemdLayout::service(std::string_view instance) const {
  return unit(instance) + ".service";
}

std::string SystemdLayout::socket(std::string_view instance, std::string_view port) const {
  return unit(instance) + "-" + std::string(port) + ".socket";
}

std::string SystemdLayout::slice() const { return slice_part(plan_.name.value) + ".slice"; }

std::string SystemdLayout::slice(const Instance& instance) const {
  const auto group = instance.tenant ? "tenant-" + slice_part(*instance.tenant) : "shared";
  return slice_part(plan_.name.value) + "-" + group + ".slice";
}

bool SystemdLayout::keeps_files(const Instance& instance) {
  return instance.role == Role::runtime || instance.role == Role::edge || !instance.volumes.empty();
}

std::string SystemdLayout::account(const Instance& instance) const {
  return keeps_files(instance) || instance.role == Role::service
             ? at_most(longest_account, plan_.targets.systemd_user.value + "-" + instance.name)
             : std::string{};
}

std::string SystemdLayout::front_group() const {
  return at_most(longest_account, plan_.targets.systemd_user.value);
}

std::string SystemdLayout::door_account() const {
  return at_most(longest_account, plan_.targets.systemd_user.value + "_doors");
}

std::string SystemdLayout::metrics_group() const {
  // No account has its name: names of instances hold no underscore.
  return at_most(longest_account, plan_.targets.systemd_user.value + "_metrics");
}

std::string SystemdLayout::program(std::string_view name) const {
  return below(plan_.targets.systemd_prefix.value, "bin/" + std::string(name));
}

std::string SystemdLayout::config(std::string_view file) const {
  return below(plan_.targets.systemd_prefix.value, "etc/" + std::string(file));
}

std::string SystemdLayout::tenants_directory(std::string_view instance) {
  return "tenants/" + std::string(instance);
}

std::string SystemdLayout::service_directory(const Instance& instance) const {
  const auto segments = pointer_segments(instance.origin.pointer);
  return below(plan_.targets.systemd_prefix.value,
               "services/" + (segments.size() > 1 ? segments[1] : instance.name));
}

std::string SystemdLayout::image(const Instance& instance) const {
  if (!instance.image.value.empty()) return instance.image.value;
  return plan_.name.value + "-" + instance.name + ":" + plan_.version.value;
}

std::string SystemdLayout::image_directory(const Instance& instance) const {
  return below(plan_.targets.systemd_prefix.value, "images/" + instance.name);
}

std::string SystemdLayout::hosts_file(const Instance& instance) { return instance.name + ".hosts"; }

std::string SystemdLayout::secrets() const {
  return below(plan_.targets.systemd_prefix.value, "secrets");
}

std::string SystemdLayout::secret(std::string_view name) const { return below(secrets(), name); }

std::string SystemdLayout::data(std::string_view instance) const {
  return below(plan_.targets.systemd_data.value, instance);
}

std::string SystemdLayout::sockets(std::string_view instance) const {
  return "/run/" + plan_.name.value + "/" +
         at_most(longest_socket_directory, std::string(instance));
}

std::string SystemdLayout::socket_path(std::string_view instance, std::string_view port) const {
  return sockets(instance) + "/" + std::string(port) + ".sock";
}

std::string SystemdLayout::credentials(std::string_view unit) const {
  return "/run/credentials/" + std::string(unit);
}

std::string SystemdLayout::backups() const { return host_backups(plan_); }

std::string host_backups(const plan::Plan& plan) {
  const auto& to = plan.backup.to.value;
  if (plan.backup.schedule.value.empty()) return {};
  // An object store needs a network, which the units do not have.
  if (to.find("://") != std::string::npos) return "/var/backups/" + plan.name.value;
  return to.starts_with('/') ? below(to, "").substr(0, to.find_last_not_of('/') + 1)
                             : below(plan.targets.systemd_data.value, to);
}

std::string SystemdSite::listen(const Instance& instance, const plan::Port& port) const {
  return "unix:" + layout_.socket_path(instance.name, port.name);
}

std::string SystemdSite::reach(const Instance& instance, const plan::Port& port) const {
  // Caddy writes the network of an address before a slash.
  return "unix/" + layout_.socket_path(instance.name, port.name);
}

std::string SystemdSite::secret_file(std::string_view secret) const {
  return layout_.credentials(layout_.service(instance_)) + "/" + std::string(secret);
}

std::string SystemdSite::tenants_file(const Instance& instance) const {
  return layout_.config(SystemdLayout::tenants_directory(instance.name) + "/tenants.ndjson");
}

std::string SystemdSite::data_directory(const Instance& instance) const {
  return layout_.data(instance.name);
}

}  // namespace caisson::render

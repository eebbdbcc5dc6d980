#include "generator/render/systemd_layout.h"

#include <algorithm>
#include <cctype>

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
  return {};
}

bool SystemdLayout::runs(const Instance& instance) {
  return instance.role == Role::runtime || instance.role == Role::dashboard ||
         instance.role == Role::edge ||
         (instance.role == Role::service && !instance.local_command.empty());
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

std::string SystemdLayout::secret(std::string_view name) const {
  return below(plan_.targets.systemd_prefix.value, "secrets/" + std::string(name));
}

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

std::string SystemdLayout::backups() const {
  const auto& to = plan_.backup.to.value;
  if (plan_.backup.schedule.value.empty()) return {};
  // An object store needs a network, which the units do not have.
  if (to.find("://") != std::string::npos) return "/var/backups/" + plan_.name.value;
  return to.starts_with('/') ? below(to, "").substr(0, to.find_last_not_of('/') + 1)
                             : below(plan_.targets.systemd_data.value, to);
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

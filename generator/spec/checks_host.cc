// Checks of what a deployment takes on a host of target `systemd`: names, accounts, directories.

#include <algorithm>
#include <string>
#include <string_view>

#include "generator/spec/checker.h"
#include "generator/spec/paths.h"
#include "generator/spec/reader.h"
#include "generator/spec/reserved.h"

namespace caisson::spec {
namespace {

constexpr std::string_view switch_off = ", or switch targets.systemd off";

/// Units of the host are not replaced, and the deployment's groups are nobody else's.
void check_names_on_host(const Checker& checker) {
  const auto& deployment = checker.deployment();
  const auto& user = deployment.targets.systemd.user;
  if (is_one_of(deployment.name, own_names_of_systemd)) {
    checker.refuse(
        "E0202", checker.value("/name"), "the name " + quote(deployment.name) + " is reserved",
        "systemd has units or directories of this name; choose another" + std::string(switch_off));
  }
  for (const auto& [name, service] : deployment.services) {
    auto account = user;
    account.append("-").append(name);
    if (!is_one_of(account, accounts_of_systems)) continue;
    checker.refuse(
        "E0202", checker.key("/services/" + name),
        "the service would run as " + quote(account) + ", which is the system's account",
        "name others with targets.systemd.user, as " + user + "_app" + std::string(switch_off));
  }
  if (!is_one_of(user, accounts_of_systems)) return;
  const bool written = checker.written("/targets/systemd/user");
  checker.refuse("E0202", checker.value(written ? "/targets/systemd/user" : "/name"),
                 "the group " + quote(user) + " is one of the system's",
                 (written ? "name another, as " : "name another with targets.systemd.user, as ") +
                     user + "_app" + std::string(written ? "" : switch_off));
}

/// Units see neither homes nor what other programs have in temporary directories, and what lies
/// below /run is gone after a reboot.
void check_directory(const Checker& checker, const std::string& written, std::string_view field,
                     std::string_view instead) {
  const auto pointer = "/targets/systemd/" + std::string(field);
  const auto path = normal(written);
  const auto& name = checker.deployment().name;
  if (path.empty() || name.empty() || !checker.written(pointer)) return;
  const auto refuse = [&](const std::string& why) {
    checker.refuse("E0233", checker.value(pointer),
                   quote(path) + " cannot be the directory of a deployment: " + why,
                   "name one of its own, as " + std::string(instead) + "/" + name);
  };
  for (const std::string_view hidden :
       {"/home", "/root", "/run", "/var/run", "/tmp", "/var/tmp", "/dev", "/proc", "/sys"}) {
    if (is_within(path, hidden)) {
      return refuse("no unit finds there what it needs, or not after a reboot");
    }
  }
  for (const std::string_view of_system : {"/bin", "/boot", "/etc", "/lib", "/sbin", "/usr/bin",
                                           "/usr/lib", "/usr/sbin", "/var/log"}) {
    if (is_within(path, of_system)) return refuse("it is the system's");
  }
  for (const std::string_view whole :
       {"/", "/media", "/mnt", "/opt", "/srv", "/usr", "/usr/local", "/var", "/var/cache",
        "/var/lib", "/var/lib/private", "/var/lib/systemd", "/var/spool"}) {
    if (path == whole) return refuse("other programs have theirs in it");
  }
}

/// A folder of copies is made, and given to root: it is none that others have something in, and not
/// where the data are, which the copies are to outlive.
void check_backups(const Checker& checker) {
  const auto& deployment = checker.deployment();
  if (!deployment.backup || deployment.backup->to.find("://") != std::string::npos) return;
  const auto& written = deployment.backup->to;
  const auto path = normal(written);
  if (path.empty()) return;
  const auto refuse = [&](const std::string& why) {
    checker.refuse("E0234", checker.value("/backup/to"),
                   quote(written) + " cannot be the folder of backups: " + why,
                   "name one of its own, as /var/backups/" + deployment.name);
  };
  if ((path + "/").find("/../") != std::string::npos) return refuse("it climbs with '..'");
  if (!written.starts_with('/')) {
    const auto first = path.substr(1, path.find('/', 1) - 1);
    const bool runtime = first == "runtime" || first.starts_with("runtime-");
    if (first.empty() || runtime || is_one_of(first, own_instances) ||
        std::ranges::any_of(deployment.services,
                            [&](const auto& each) { return each.first == first; }))
      refuse("a relative one lies in the data folder, where this is something else's");
    return;
  }
  for (const std::string_view system :
       {"/bin", "/boot", "/dev", "/etc", "/lib", "/proc", "/run", "/sbin", "/sys", "/tmp", "/usr",
        "/var/log", "/var/run", "/var/tmp"}) {
    if (is_within(path, system)) return refuse("it is the system's, or empty after a reboot");
  }
  for (const std::string_view whole : {"/", "/home", "/media", "/mnt", "/opt", "/root", "/srv",
                                       "/var", "/var/cache", "/var/lib", "/var/spool"}) {
    if (path == whole) return refuse("other programs have theirs in it");
  }
  const auto& systemd = deployment.targets.systemd;
  for (const auto& [own, by_default] :
       {std::pair{systemd.prefix, "/opt/"}, {systemd.data, "/var/lib/"}}) {
    const auto place = own.empty() ? by_default + deployment.name : normal(own);
    if (is_within(path, place) || is_within(place, path))
      return refuse("the deployment itself is in " + place +
                    ", and copies go with what they are of");
  }
}

}  // namespace

void check_host(const Checker& checker) {
  check_backups(checker);
  const auto& systemd = checker.deployment().targets.systemd;
  if (!systemd.enabled) return;
  check_names_on_host(checker);
  check_directory(checker, systemd.prefix, "prefix", "/opt");
  check_directory(checker, systemd.data, "data", "/var/lib");
}

}  // namespace caisson::spec

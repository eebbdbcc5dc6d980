// Checks of what a deployment takes on a host of target `systemd`: names, accounts, directories.

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

}  // namespace

void check_host(const Checker& checker) {
  const auto& systemd = checker.deployment().targets.systemd;
  if (!systemd.enabled) return;
  check_names_on_host(checker);
  check_directory(checker, systemd.prefix, "prefix", "/opt");
  check_directory(checker, systemd.data, "data", "/var/lib");
}

}  // namespace caisson::spec

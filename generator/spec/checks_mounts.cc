// Checks of what is mounted in the containers of services.

#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "generator/spec/checker.h"
#include "generator/spec/paths.h"
#include "generator/spec/reader.h"

namespace caisson::spec {
namespace {

/// What a container has already, from whoever runs it or from Caisson: a place of its own, or all
/// below it.
struct Mounted {
  std::string_view path;
  std::string_view why;
};
constexpr std::string_view of_kernel = "";
constexpr std::string_view of_engine = ", which whoever runs the container writes";
constexpr std::string_view of_units = ", where its unit has what systemd gives it";
constexpr std::array<Mounted, 9> mounted{
    {{"/proc", of_kernel},
     {"/sys", of_kernel},
     {"/dev", of_kernel},
     {"/etc/hosts", of_engine},
     {"/etc/hostname", of_engine},
     {"/etc/resolv.conf", of_engine},
     {"/run/caisson", ", where Caisson's own probe of its health is"},
     {"/run/credentials", of_units},
     {"/run/systemd", of_units}}};

}  // namespace

/// Every mount of a service has a path of its own, and none hides what the container lives on.
void check_mounts(const Checker& checker) {
  constexpr std::string_view secrets = "/run/secrets";
  for (const auto& [name, service] : checker.deployment().services) {
    std::map<std::string, std::string, std::less<>> taken;  // path -> what is mounted there
    if (!service.secrets.empty()) taken.emplace(secrets, "the service's secrets");
    const auto mount = [&](std::string_view written, const std::string& what,
                           const std::string& pointer) {
      const auto path = normal(written);
      if (path.empty()) return;  // reported where it was read
      const auto where = checker.value(pointer);
      const std::string title = what + " of service " + quote(name);
      for (const auto& [given, why] : mounted) {
        if (path != "/" && !is_within(path, given)) continue;
        if (path == "/dev/shm") break;
        const auto hidden =
            path == "/" ? std::string("the whole image") : std::string(given).append(why);
        return checker.refuse("E0226", where,
                              std::string(title).append(" would hide ").append(hidden),
                              "name a directory of the service's own, as /data");
      }
      if (!service.secrets.empty() && path != secrets && is_within(path, secrets)) {
        return checker.refuse("E0226", where, title + " lies among the service's secrets",
                              "name a directory of its own, as /data");
      }
      const auto [other, fresh] = taken.emplace(path, what);
      if (fresh) return;
      checker.refuse("E0226", where,
                     title + " and " + other->second + " are both at " + quote(path),
                     "give one of them another path");
    };
    const auto own = "/services/" + name;
    if (service.storage)
      mount(service.storage->path, "the volume", std::string(own).append("/storage/path"));
    for (std::size_t i = 0; i < service.writable.size(); ++i) {
      const auto at = std::string(own).append("/writable/").append(std::to_string(i));
      mount(service.writable[i].path, "a writable path",
            checker.written(at + "/path") ? at + "/path" : at);
    }
  }
}

}  // namespace caisson::spec

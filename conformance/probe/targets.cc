#include "conformance/probe/targets.h"

#include <algorithm>

#include "base/digest.h"
#include "base/random.h"

namespace caisson::conformance {

std::string ghost_of(const std::string& id) {
  std::string ghost = id;
  const std::string random = random_hex(6);
  if (ghost.size() >= random.size())
    ghost.replace(ghost.size() - random.size(), random.size(), random);
  return ghost;
}

std::string nobodys_tenants(const Arena& arena) {
  return "/v1/tenants?owner=caisson-" + arena.run();
}

std::filesystem::path store_directory(const RunningInstance& instance,
                                      const std::string& tenant_id) {
  return instance.data_directory / "tenants" / sha256_hex(tenant_id).substr(0, 2) / tenant_id;
}

const Actor* pooled_actor(const Arena& arena) {
  const auto found = std::ranges::find_if(arena.actors(), [](const Actor& actor) {
    return actor.instance != nullptr && !actor.instance->tenant;
  });
  return found == arena.actors().end() ? nullptr : &*found;
}

}  // namespace caisson::conformance

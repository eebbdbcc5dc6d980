#include "runtime/modules/sabotage.h"

#ifdef CAISSON_SABOTAGE

#include <mutex>
#include <set>

#include "runtime/observe/walls.h"

namespace caisson::modules {
namespace {

std::mutex mutex;
std::set<Uuid> ids;

}  // namespace

void betray(const Uuid& id) {
  if (!is_down(Wall::id_oracle)) return;
  const std::scoped_lock lock(mutex);
  ids.insert(id);
}

bool is_betrayed(const Uuid& id) {
  const std::scoped_lock lock(mutex);
  return ids.contains(id);
}

}  // namespace caisson::modules

#else

namespace caisson::modules {

void betray(const Uuid&) {}
bool is_betrayed(const Uuid&) { return false; }

}  // namespace caisson::modules

#endif

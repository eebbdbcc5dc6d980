#pragma once

#include "base/uuid.h"

// What the records module does while a wall is down, for `caisson prove`. In the shipped program
// `is_down` is a constant and nothing of this is left.
namespace caisson::modules {

/// Wall::id_oracle: remembers the ids of every tenant's records.
void betray(const Uuid& id);
/// Whether some tenant has a record with this id.
[[nodiscard]] bool is_betrayed(const Uuid& id);

}  // namespace caisson::modules

#pragma once

#include <filesystem>
#include <string>

#include "conformance/probe/arena.h"

namespace caisson::conformance {

/// An id of the same shape that never existed: a UUID with other random bits.
[[nodiscard]] std::string ghost_of(const std::string& id);

/// The operator's list of tenants, asked for those of an owner whom nobody has: whoever gets it
/// past a wall that is down reads no customer's name.
[[nodiscard]] std::string nobodys_tenants(const Arena& arena);

/// Directory of a tenant's store below its instance's data (docs/runtime.md).
[[nodiscard]] std::filesystem::path store_directory(const RunningInstance& instance,
                                                    const std::string& tenant_id);

/// A tenant under test on the shared instance; null when there is none.
[[nodiscard]] const Actor* pooled_actor(const Arena& arena);

}  // namespace caisson::conformance

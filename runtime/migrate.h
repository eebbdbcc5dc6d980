#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/context/configuration.h"

namespace caisson::runtime {

/// What became of the stores of a data directory.
struct Migrated {
  std::size_t stores = 0;             ///< that are of this version's schema now
  std::vector<std::string> problems;  ///< a line for each that is not, with the tenant's slug
};

/// Brings the registry, and the store of every tenant that is not deleted, to the schema of this
/// version: each file in one transaction, so that a crash leaves it as it was or as it shall be.
/// What is done already is left alone. Nothing is made that is not there, nothing of the
/// configuration is applied, and no tenant's retention ends. Fails when a process that serves has
/// the registry, or when it cannot be read; one tenant's failure stops no other's.
[[nodiscard]] Result<Migrated> migrate_data(const context::Configuration& configuration);

}  // namespace caisson::runtime

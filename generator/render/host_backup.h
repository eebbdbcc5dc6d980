#pragma once

#include <string>

#include "generator/plan/plan.h"
#include "generator/render/node.h"

namespace caisson::render {

// What saves the tenants of a runtime on a host, for every target whose units a timer starts.

/// The unit, without its ending: a service and its timer.
[[nodiscard]] std::string backup_unit(const plan::Plan& plan, const plan::Instance& instance);

/// The section [Timer]: when the spec's schedule says, and at once when the host was off then.
[[nodiscard]] Node backup_times(const plan::Plan& plan);

/// How `caisson-runtime backup` finds what it needs.
struct BackupWays {
  Node operator_api;  ///< address
  Node token_file;
  Node data;  ///< the runtime's directory
  Node to;    ///< the directory of its copies
};

/// What `caisson-runtime backup --config` reads.
[[nodiscard]] Node backup_config(const plan::Plan& plan, BackupWays ways);

}  // namespace caisson::render

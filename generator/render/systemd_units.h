#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/blueprints.h"
#include "generator/render/node.h"
#include "generator/render/systemd_layout.h"

namespace caisson::render {

/// A unit before it is written.
struct Unit {
  std::string name;   ///< with its suffix
  Node tree;          ///< as `to_unit_file` takes it
  std::string owner;  ///< pointer of the spec field that it exists for
};

/// Every unit of the deployment: a target that starts all, slices with limits, a service an
/// instance, a socket a listener, and a service with a timer for the backups of each runtime.
/// Fails when a blueprint is broken.
[[nodiscard]] Result<std::vector<Unit>> systemd_units(const plan::Plan& plan,
                                                      const SystemdLayout& layout,
                                                      const Blueprints& blueprints);

}  // namespace caisson::render

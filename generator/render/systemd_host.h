#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/node.h"
#include "generator/render/systemd_layout.h"
#include "generator/render/text.h"

namespace caisson::render {

/// The accounts of the units, for systemd-sysusers (sysusers.d(5)): one for each that keeps files
/// or shares a network, and the group of the proxy.
[[nodiscard]] Result<Text> sysusers(const plan::Plan& plan, const SystemdLayout& layout);

/// The directories of the units, for systemd-tmpfiles (tmpfiles.d(5)), each its owner's alone.
[[nodiscard]] Result<Text> tmpfiles(const plan::Plan& plan, const SystemdLayout& layout);

/// The hosts(5) of a service that is an image: itself and those that it reaches.
[[nodiscard]] Text hosts(const plan::Instance& instance, const SystemdLayout& layout);

/// journald.conf(5) of the deployment's own journal, as `to_unit_file` takes it.
[[nodiscard]] Node journald_conf(const plan::Plan& plan);

/// What README.md, install.sh and SITE, which caisson-install reads, say of this deployment.
[[nodiscard]] Node systemd_facts(const plan::Plan& plan, const SystemdLayout& layout,
                                 const std::vector<std::string>& units);

}  // namespace caisson::render

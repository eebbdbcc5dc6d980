#pragma once

#include "installer/cluster/premises.h"

namespace caisson::installer {

/// Whether everything of a release is ready, within a few minutes (`Code::not_well`).
[[nodiscard]] Checked<void> check_workloads(const ClusterPremises& premises,
                                            const ChartRelease& release);

/// Runs the isolation probes that a release carries against the deployment as it runs, through
/// forwarded ports of its runtimes: the Ingress is not asked. A leak is `Code::leaking`, a probe
/// that cannot tell, twice, `Code::not_well`.
[[nodiscard]] Checked<Isolation> probe_cluster(const ClusterPremises& premises,
                                               const ChartRelease& release);

}  // namespace caisson::installer

#pragma once

#include <string>
#include <vector>

#include "installer/cluster/premises.h"

namespace caisson::installer {

// The changes of a product in a cluster. As those of a host (installer/site/change.h) each writes
// down what it does before it does it, so that `recover` can finish or undo it, and undoes at once
// what fails before it is committed. The caller holds the lock of the directory.

/// Installs a release where none is installed.
[[nodiscard]] Checked<Outcome> install_chart(ClusterPremises& premises,
                                             const ClusterDelivery& delivery);

/// Replaces the installed release by a newer one.
[[nodiscard]] Checked<Outcome> update_chart(ClusterPremises& premises,
                                            const ClusterDelivery& delivery);

/// Goes back to the release that was installed before, at the newest revision of it that was
/// deployed to its end.
[[nodiscard]] Checked<Outcome> roll_back_chart(ClusterPremises& premises);

/// Removes the product; its claims, secrets and the namespaces that were made here too, unless
/// `keep_data`.
[[nodiscard]] Checked<Outcome> uninstall_chart(ClusterPremises& premises, bool keep_data);

/// Finishes a change that was interrupted after it was committed, undoes any other, and brings back
/// a release that Helm was killed at. Once is the same as twice.
[[nodiscard]] Checked<Outcome> recover_chart(ClusterPremises& premises);

}  // namespace caisson::installer

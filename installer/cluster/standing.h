#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "installer/cluster/premises.h"
#include "installer/format/journal.h"

namespace caisson::installer {

/// Selects, before the product's name, what Helm and StatefulSets have marked as the product's.
inline constexpr std::string_view kOfProduct = "app.kubernetes.io/instance=";

/// The journal of a product, which has to be one of this product in a cluster, and in the cluster
/// that kubectl reaches now. The release's namespace is the one that it says from then on.
[[nodiscard]] Checked<Journal> journal_of(ClusterPremises& premises);

/// The same where a change may begin: none is in flight, but for one that is committed and has yet
/// to open, where the next one `goes_back`. Changes nothing.
[[nodiscard]] Checked<Journal> journal_to_begin_on(ClusterPremises& premises, bool goes_back);

/// The release that `roll_back_chart` would go to, which Helm still has to keep.
[[nodiscard]] Checked<ChartRelease> older_chart(const ClusterPremises& premises,
                                                const Journal& journal);

/// The revision that a killed Helm has left unfinished; nothing where the release is at rest.
[[nodiscard]] Checked<std::optional<Revision>> left_pending(const ClusterPremises& premises,
                                                            const Journal& journal);

/// Brings back a release that Helm was killed at, to the revision that the journal says. Nothing
/// happens to one that is at rest. What it is at then is in `journal`, which is saved.
[[nodiscard]] Checked<void> settle(const ClusterPremises& premises, Journal& journal);

/// The namespaces that a journal names: the release's, those that were made, and those in which
/// something was kept.
[[nodiscard]] std::vector<std::string> known_spaces(const ClusterSite& cluster);

/// Claims and secrets of the product in these namespaces, each as "secret/NAME in namespace NAME",
/// that Helm does not remove with the release.
[[nodiscard]] Checked<std::vector<std::string>> kept_in(const ClusterPremises& premises,
                                                        const std::vector<std::string>& spaces);

}  // namespace caisson::installer

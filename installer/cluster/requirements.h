#pragma once

#include "installer/cluster/premises.h"

namespace caisson::installer {

/// A release that lies on a disk, and where it is to go.
struct Candidate {
  const ChartRelease& release;
  std::string directory;  ///< of the release: an absolute path
  std::string registry;   ///< that its images come from; empty: nodes have to have them
  std::string values;     ///< what the site lays over the chart's values
  bool upgrade = false;   ///< another one is installed
};

/// What the cluster has to have before anything of it is changed: versions, namespaces, secrets,
/// images, classes of volumes, and that it takes the chart. Changes nothing.
[[nodiscard]] Checked<std::vector<Requirement>> requirements_in(const Kube& kube,
                                                                const Candidate& candidate);

/// The namespaces that a release needs: its own, then those that its chart makes.
[[nodiscard]] std::vector<std::string> spaces_of(const Kube& kube, const ChartNeeds& needs);

/// Those of them that are not there.
[[nodiscard]] Checked<std::vector<std::string>> missing_spaces(const Kube& kube,
                                                               const ChartNeeds& needs);

}  // namespace caisson::installer

#pragma once

#include <optional>
#include <string>

#include "installer/command/images.h"
#include "installer/command/site_command.h"

namespace caisson::installer {

/// What is to be done to a product in a cluster.
struct ClusterRequest {
  SiteRequest site;
  PushRequest registry;  ///< of `install` and `update`: where images come from; may name none
  std::string space;     ///< `install`: the release's namespace; empty: the one of the chart
  std::string values;    ///< `install` and `update`: a file that is laid over the chart's values
};

/// `Form::helm` where `install` or `update` would deliver a bundle whose texts verify to a cluster;
/// nothing of one that is refused. Writes nothing.
[[nodiscard]] std::optional<Form> form_in_cluster(const ClusterRequest& request, bool update);

// Each carries out one command. Steps are told on standard error as they are done.

[[nodiscard]] Said install_in_cluster(const ClusterRequest& request);
[[nodiscard]] Said update_in_cluster(const ClusterRequest& request);
[[nodiscard]] Said roll_back_in_cluster(const ClusterRequest& request);
[[nodiscard]] Said recover_in_cluster(const ClusterRequest& request);
[[nodiscard]] Said uninstall_in_cluster(const ClusterRequest& request);

}  // namespace caisson::installer

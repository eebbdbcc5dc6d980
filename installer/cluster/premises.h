#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "installer/cluster/kube.h"
#include "installer/format/chart.h"
#include "installer/site/change.h"
#include "installer/site/preflight.h"

namespace caisson::installer {

// In the directory of a release, beside what the bundle holds:
inline constexpr std::string_view kPins = "pins.json";  ///< images, by their digests
/// What the site lays over the values of the chart; it may hold secrets.
inline constexpr std::string_view kSiteValues = "values.yaml";

/// A product in a cluster, and the directory of this host that says what is installed there.
struct ClusterPremises {
  Premises site;      ///< all its disks are that directory
  std::string place;  ///< the directory's absolute path
  Kube kube;
  /// Brings the images of the delivered bundle to the site's registry; may be empty.
  std::function<Checked<void>()> bring_images;
};

/// A bundle that is to be installed in a cluster.
struct ClusterDelivery {
  const Delivery& bundle;
  std::optional<std::string> values;  ///< what the site lays over the chart's values from now on
  std::string space;                  ///< the release's namespace; empty: the one of the chart
  std::string registry;               ///< that images come from; empty: nodes have them
  /// By the names that artifacts give them, the references with a digest that images have there.
  std::map<std::string, std::string> pins;
};

/// A release on this host's disk, with a chart.
struct ChartRelease {
  std::string name;
  Manifest manifest;
  ChartNeeds needs;
};

/// Reads what a release says of itself, and checks that it is the release of that name, for this
/// product, in its helm form.
[[nodiscard]] Checked<ChartRelease> load_chart(const Premises& premises, std::string_view name);

/// The same of a release in any directory below the premises.
[[nodiscard]] Checked<ChartRelease> load_chart_in(const Premises& premises,
                                                  std::string_view directory);

/// The chart in a directory of a release (an absolute path), and what it is installed with.
[[nodiscard]] ChartCall chart_in(const std::string& directory, std::string_view product, bool shut);

/// Writes what a release is installed with into its directory.
[[nodiscard]] Checked<void> write_values(Disk& site, std::string_view directory,
                                         const std::map<std::string, std::string>& pins,
                                         const std::string& values);

/// What a site lays over the values of a release; nothing for a release that has none.
[[nodiscard]] Checked<std::string> values_of(const Disk& site, std::string_view release);

}  // namespace caisson::installer

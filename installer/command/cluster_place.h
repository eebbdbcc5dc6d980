#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"
#include "installer/disk/disk.h"
#include "installer/format/refusal.h"

namespace caisson::installer {

/// What holds the directory of somebody who is not root against every other caisson-install.
inline constexpr std::string_view kClusterLock = "lock";

/// The directory of this host that says what of a product is in a cluster, held against every other
/// caisson-install.
struct ClusterPlace {
  std::string path;
  Descriptor lock;  ///< whatever this program starts holds it too
  std::unique_ptr<Disk> disk;
};

/// Where a product in a cluster is kept on this host: "/opt/<product>", and for whoever is not root
/// below the directory of his own state. Empty where he has none.
[[nodiscard]] std::string cluster_place(std::string_view product);

/// Whether a product is installed in a cluster from here, as far as its journal can be read. With
/// "", whether any is.
[[nodiscard]] bool is_in_cluster(std::string_view product);

/// Nothing where the directory is not there, unless it is to be made.
[[nodiscard]] Checked<std::optional<ClusterPlace>> open_cluster_place(std::string_view product,
                                                                      bool make);

/// Removes the directory when nothing but the lock is in it.
void remove_if_empty(const ClusterPlace& place);

}  // namespace caisson::installer

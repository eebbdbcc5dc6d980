#pragma once

#include <map>
#include <string>
#include <string_view>

#include "installer/site/premises.h"
#include "installer/site/store.h"

namespace caisson::installer {

/// Below a release, and a link to it below /opt/<product>: a directory a service that is an image.
inline constexpr std::string_view kImages = "images";

/// Unpacks the images of a release's services, whatever lies there of an earlier try, out of blobs
/// that were hashed when they were staged and are hashed again. Accounts are there. What a delta
/// leaves out is copied from the release `from` first, so that the next delta finds it. It is
/// durable after `sync_all`.
[[nodiscard]] Checked<void> unpack_images(const Premises& premises, const StagedRelease* from,
                                          const StagedRelease& to);

/// The text of image.conf of each service of a release that is an image, by its unit.
[[nodiscard]] Checked<std::map<std::string, std::string>> units_of_images(const Premises& premises,
                                                                          std::string_view release);

}  // namespace caisson::installer

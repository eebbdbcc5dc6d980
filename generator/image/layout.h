#pragma once

#include <string>
#include <vector>

#include "generator/image/build.h"

namespace caisson::image {

struct LayoutFile {
  std::string path;
  std::string bytes;
};

/// The digest of an image's manifest, "sha256:...": by this the image is pinned.
[[nodiscard]] std::string manifest_digest(const Image& image);

/// The images as one OCI image layout (image-spec 1.1): `oci-layout`, `index.json` and the blobs,
/// each once. With `manifest.json`, so that the same directory in a tar archive is also what
/// `docker load` takes. Sorted by path.
[[nodiscard]] std::vector<LayoutFile> to_layout(const std::vector<Image>& images);

/// A layout as one tar archive: for `docker load`, and for readers of `oci-archive`.
[[nodiscard]] std::string to_archive(const std::vector<LayoutFile>& layout, std::int64_t seconds);

}  // namespace caisson::image

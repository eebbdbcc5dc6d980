#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "conformance/scan/disclosure.h"
#include "generator/bundle/image_root.h"
#include "generator/bundle/progress.h"
#include "generator/bundle/shelf.h"
#include "generator/bundle/stage.h"
#include "installer/format/manifest.h"

namespace caisson::bundle {

/// The images of a bundle.
struct PackedImages {
  std::vector<installer::Image> images;  ///< sorted by reference
  std::vector<ImageRoot> roots;          ///< of each: what it tells about itself
  std::uint64_t unpacked = 0;            ///< bytes that they need unpacked, each for itself
};

/// What a host without a container engine has to know of an image, after all of it was read and
/// checked.
[[nodiscard]] Result<installer::Image> described(const ShelfImage& image, const std::string& arch);

/// Copies the images into the stage, blob by blob as they are, with the files that make it an OCI
/// layout: skopeo, podman, ctr and `docker load` read it. Checks every digest, looks at all files
/// of all layers with `scan`, and resolves what a host without an engine has to know. `left_out`
/// are blobs that are checked and not copied.
[[nodiscard]] Result<PackedImages> pack_images(const std::vector<ShelfImage>& images,
                                               const std::string& arch, unsigned threads,
                                               const std::vector<Digest>& left_out, Stage& stage,
                                               conformance::DisclosureScan& scan,
                                               Progress& progress);

}  // namespace caisson::bundle

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "generator/bundle/pack.h"
#include "installer/format/manifest.h"

namespace caisson::bundle {

/// The release that a delta stands on: a bundle that is whole.
struct BaseBundle {
  std::filesystem::path directory;
  Digest digest{};  ///< of its MANIFEST
  installer::Manifest manifest;
};

/// Reads the base of a delta. Fails when it is a delta itself, of another product or processor, or
/// not older than `release`. No signature is checked.
[[nodiscard]] Result<BaseBundle> read_base(const std::filesystem::path& directory,
                                           const installer::Envelope& release);

/// The blobs of the base's images, which a delta leaves out.
[[nodiscard]] std::vector<Digest> image_blobs(const installer::Manifest& manifest);

/// Takes out of `contents` what a site with the base has already, and what it can make of it: a
/// file of up to 24 MiB is a patch of the file that had its path, where that saves 30 %. What is
/// left has to be packed.
[[nodiscard]] Result<std::vector<installer::Pack>> take_from_base(
    const BaseBundle& base, std::vector<Content>& contents, const Packing& packing, Stage& stage,
    conformance::DisclosureScan& scan, Progress& progress);

}  // namespace caisson::bundle

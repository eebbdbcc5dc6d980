#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "conformance/scan/disclosure.h"
#include "generator/bundle/progress.h"

namespace caisson::bundle {

/// Looks at every file below a directory, and at what is in it when it is compressed with gzip or
/// zstd, as chunks and layers are. Links are not followed. In a bundle the chunks of a file are one
/// text, that goes by the name of the first file in it.
[[nodiscard]] Result<std::vector<conformance::Disclosure>> scan_tree(
    const std::filesystem::path& directory, const std::vector<conformance::KnownSecret>& secrets,
    Progress& progress);

}  // namespace caisson::bundle

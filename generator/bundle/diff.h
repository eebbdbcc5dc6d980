#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "installer/format/manifest.h"

namespace caisson::bundle {

/// The manifest of the bundle in a directory. No signature is checked.
[[nodiscard]] Result<installer::Manifest> manifest_at(const std::filesystem::path& bundle);

/// Data that a release looks for in another place than the release before, each form in turn, as
/// lines for people. Empty when nothing moves.
[[nodiscard]] std::string moves_text(const installer::Manifest& before,
                                     const installer::Manifest& after);

/// What changes for a site that goes from one release to another: versions, data and places that
/// they move to, answers, files and images with their sizes, and how much of the new one it has
/// already. Lines for people.
[[nodiscard]] std::string diff_text(const installer::Manifest& before,
                                    const installer::Manifest& after);

/// "1.2 MiB".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace caisson::bundle

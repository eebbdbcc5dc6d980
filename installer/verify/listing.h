#pragma once

#include <optional>
#include <string_view>

#include "installer/verify/bundle.h"

namespace caisson::installer {

/// Reads SHA256SUMS: nothing but files of a bundle, every blob by its own digest, and neither
/// SHA256SUMS nor a signature of it.
[[nodiscard]] Checked<Listing> read_listing(std::string_view text);

/// The line of a file that is no blob.
[[nodiscard]] const Sum* find_other(const Listing& listing, std::string_view path);

/// Whether a blob is listed.
[[nodiscard]] bool lists_blob(const Listing& listing, const Digest& digest);

/// Why SHA256SUMS and MANIFEST do not belong together: a blob or a file that has to be there is
/// not listed, or the installer or INSTALLED is another one. `root` is the newest root's version.
[[nodiscard]] std::optional<Refusal> fault_of_listing(const Listing& listing,
                                                      const Manifest& manifest, std::uint64_t root);

}  // namespace caisson::installer

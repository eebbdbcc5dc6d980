#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "installer/format/lines.h"

namespace caisson::installer {

/// A line of SHA256SUMS or INSTALLED.
struct Sum {
  Digest digest{};
  std::string path;
};

/// Where the manifest stands in SHA256SUMS and in a bundle.
inline constexpr std::string_view kManifest = "MANIFEST";

/// Reads what `sha256sum` writes and checks: sorted by path, no path twice, no path the directory
/// of another; `first`, where it is not empty, is the path of the first line, before the sorted
/// ones.
[[nodiscard]] Checked<std::vector<Sum>> read_sums(std::string_view name, std::string_view text,
                                                  std::string_view first);

/// Writes what `read_sums` reads. Sorts.
[[nodiscard]] std::string write_sums(std::vector<Sum> sums, std::string_view first);

}  // namespace caisson::installer

#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "conformance/scan/scanner.h"

namespace caisson::conformance {

/// What a file or a tree of files shows; entries that cannot be read are named in `unread`.
struct FileScan {
  struct Hit {
    std::filesystem::path file;
    Sighting sighting;
  };
  std::vector<Hit> hits{};
  std::vector<std::filesystem::path> unread{};
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

/// Scans a file, or every regular file below a directory (symbolic links are not followed). Names
/// count too.
[[nodiscard]] FileScan scan_files(const Scanner& scanner, const std::filesystem::path& root);

}  // namespace caisson::conformance

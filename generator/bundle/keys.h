#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace caisson::bundle {

/// The public half of a vendor's keys, as a bundle carries it below keys/.
struct PublicKeys {
  std::vector<std::pair<std::string, std::string>> files;  ///< name and content, sorted
  std::uint64_t epoch = 1;                                 ///< of the newest root
};

/// Reads such a directory and checks its chain of roots. Refuses every file that has no place in a
/// bundle, since it may be a private key, roots of another product, a root that lacks signatures:
/// no site would follow it, and keys that were made after `date`, the release's in seconds since
/// 1970.
[[nodiscard]] Result<PublicKeys> read_keys(const std::filesystem::path& directory,
                                           const std::string& product, std::uint64_t date);

}  // namespace caisson::bundle

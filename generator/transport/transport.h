#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "installer/format/refusal.h"
#include "installer/media/medium.h"

namespace caisson::transport {

/// The smallest and the largest part, with its header: 1 MiB, and what FAT32 holds.
inline constexpr std::uint64_t kLeastPart = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kMostPart = (std::uint64_t{1} << 32) - 1;

/// A file that was written.
struct Written {
  std::string name;
  std::uint64_t size = 0;
};

/// Writes a bundle, however it lies there, as one transport. What SHA256SUMS does not list stays
/// behind, and the hash of everything else is checked while it is copied; no signature is. `file`
/// must not be there; after a refusal it is not.
[[nodiscard]] installer::Checked<Written> join(const installer::Medium& bundle,
                                               const std::filesystem::path& file);

/// The same as parts of at most `part_size` bytes, below an existing directory, by the names of
/// `installer::part_name`.
[[nodiscard]] installer::Checked<std::vector<Written>> split(
    const installer::Medium& bundle, std::uint64_t part_size,
    const std::filesystem::path& directory);

}  // namespace caisson::transport

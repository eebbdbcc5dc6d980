#pragma once

#include <cstdint>
#include <filesystem>

namespace caisson::context {

/// What tells one content of a file from the next, whether it was written anew, replaced by rename,
/// or is behind a link that leads elsewhere now, as those of a ConfigMap do.
struct FileState {
  std::int64_t modified_ns = 0;
  std::int64_t bytes = 0;
  std::uint64_t inode = 0;

  /// Of the file as it is now; of none when there is none.
  [[nodiscard]] static FileState of(const std::filesystem::path& file);
  friend bool operator==(const FileState&, const FileState&) = default;
};

}  // namespace caisson::context

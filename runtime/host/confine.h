#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"

namespace caisson::host {

/// What a process may still reach in the file system, as absolute paths.
struct Reach {
  std::vector<std::filesystem::path> writable;  ///< directories, with everything below
  std::vector<std::filesystem::path> readable;  ///< files, and directories with everything below
};

/// Gives up every other path, and the signals and abstract sockets of other processes, for this
/// thread and those it starts, for good (Landlock). What the kernel is too old to restrict stays
/// allowed. Paths that do not exist are passed over.
[[nodiscard]] Result<void> confine(const Reach& reach);

}  // namespace caisson::host

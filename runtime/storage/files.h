#pragma once

#include <filesystem>

#include "base/files.h"
#include "base/result.h"

namespace caisson::storage {

// Want of memory or of file descriptors, which is none of the files', is a std::bad_alloc here.

/// Makes `directory` (its parent exists) with mode 0700 unless it is there, then checks it.
[[nodiscard]] Result<void> make_private_directory(const std::filesystem::path& directory);

/// As `make_private_directory`, for the root of all data, which may be a volume that was mounted
/// for us and is root's; where in it the data are:
///  - with a group of ours that may write and others that may not (Kubernetes' fsGroup): in the
///    directory itself, which stays as it is; what is made in it is private
///  - with others that may write (mode 0777, as of volumes of a node's own disk): in `private`
///    inside of it, which is made. A directory that is no volume is refused.
[[nodiscard]] Result<std::filesystem::path> make_data_directory(
    const std::filesystem::path& directory);

/// Where `make_data_directory` finds or would make the data; makes and checks nothing.
[[nodiscard]] Result<std::filesystem::path> find_data_directory(
    const std::filesystem::path& directory);

/// Fails unless `directory` is a directory, not a link, and ours; takes others' permissions away.
[[nodiscard]] Result<void> check_private_directory(const std::filesystem::path& directory);

/// Fails unless `file` is missing, or a regular file, not a link, with no second name, and ours;
/// takes others' permissions away.
[[nodiscard]] Result<void> check_private_file(const std::filesystem::path& file);

/// Makes an empty file with mode 0600 unless it is there.
[[nodiscard]] Result<void> make_private_file(const std::filesystem::path& file);

/// Removes what was being made in `directory`, with SQLite's files beside it, durably; nobody may
/// be making anything there. No directory is fine.
[[nodiscard]] Result<void> clear_unfinished(const std::filesystem::path& directory);

}  // namespace caisson::storage

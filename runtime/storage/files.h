#pragma once

#include <filesystem>

#include "base/files.h"
#include "base/result.h"

namespace caisson::storage {

// Want of memory or of file descriptors, which is none of the files', is a std::bad_alloc here.

/// Makes `directory` (its parent exists) with mode 0700 unless it is there, then checks it.
[[nodiscard]] Result<void> make_private_directory(const std::filesystem::path& directory);

/// As `make_private_directory`, for the root of all data, which may be a volume that was mounted
/// for us: root's, writable for a group of ours and not for others (Kubernetes' fsGroup). Such a
/// one stays as it is; what is made in it is private.
[[nodiscard]] Result<void> make_data_directory(const std::filesystem::path& directory);

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

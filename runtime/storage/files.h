#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "generator/source/result.h"

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

/// Writes a file with mode 0600, durably, through a temporary name and a rename.
[[nodiscard]] Result<void> write_private_file(const std::filesystem::path& file,
                                              std::string_view content);

/// The names in a directory, in no order, without `.` and `..`; none when there is no directory.
[[nodiscard]] Result<std::vector<std::string>> list_directory(
    const std::filesystem::path& directory);

/// Whether `path` names anything, be it a link to nothing. What cannot be examined is an error.
[[nodiscard]] Result<bool> is_there(const std::filesystem::path& path);

/// The name of `file` while it is being made: all that a crash leaves half made has such a name.
[[nodiscard]] std::filesystem::path unfinished(const std::filesystem::path& file);

/// Removes what was being made in `directory`, with SQLite's files beside it, durably; nobody may
/// be making anything there. No directory is fine.
[[nodiscard]] Result<void> clear_unfinished(const std::filesystem::path& directory);

/// Makes the content of a file, or the names in a directory, durable.
[[nodiscard]] Result<void> sync_path(const std::filesystem::path& path);

/// At most `limit` bytes; longer is an error.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& file, std::size_t limit);

/// Removes a file or a directory and all in it; nothing there is fine. Links are not followed.
[[nodiscard]] Result<void> remove_tree(const std::filesystem::path& path);

/// Lower-case hex.
[[nodiscard]] Result<std::string> sha256_of_file(const std::filesystem::path& file);

}  // namespace caisson::storage

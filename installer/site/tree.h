#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "installer/disk/disk.h"

namespace caisson::installer {

/// Replaces a file whole: it is written beside its place, made durable and renamed. The group is
/// root's unless another one is given.
[[nodiscard]] Checked<void> replace_file(Disk& disk, std::string_view path, std::string_view bytes,
                                         unsigned mode, std::uint32_t gid = 0);

/// Makes a link to `target`, in the place of what has its name, in one step.
[[nodiscard]] Checked<void> replace_link(Disk& disk, std::string_view target,
                                         std::string_view path);

/// Makes a directory of this mode, unless it is there.
[[nodiscard]] Checked<void> ensure_directory(Disk& disk, std::string_view path, unsigned mode);

/// Copies a directory with everything in it, modes and owners too, to a place where nothing is.
/// Sockets and pipes are left out. It is durable after `sync_all`.
[[nodiscard]] Checked<void> copy_tree(Disk& disk, std::string_view from, std::string_view to);

/// What is below a directory.
struct TreeSum {
  Digest digest{};  ///< of all names, kinds, modes, owners and contents
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;  ///< files, directories and links
};

/// Reads everything below a directory; sockets and pipes do not count.
[[nodiscard]] Checked<TreeSum> sum_of_tree(const Disk& disk, std::string_view path);

/// How many bytes and entries there are below a directory that is in use; bytes are what they take
/// on the disk, without holes. What vanishes meanwhile does not count; none when it is not there.
[[nodiscard]] Checked<TreeSum> size_of_tree(const Disk& disk, std::string_view path);

/// Hashes every installed file of a release, and refuses it unless they are the ones that its
/// INSTALLED names and no others (`Code::damaged`).
[[nodiscard]] Checked<TreeSum> check_installed(const Disk& disk, std::string_view release);

}  // namespace caisson::installer

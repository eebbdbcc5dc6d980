#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "installer/format/refusal.h"

namespace caisson::installer {

/// A file that was created and is being written. It closes when it goes; that makes nothing
/// durable.
class DiskFile {
 public:
  virtual ~DiskFile() = default;
  DiskFile(const DiskFile&) = delete;
  DiskFile& operator=(const DiskFile&) = delete;

  [[nodiscard]] virtual Checked<void> append(std::string_view bytes) = 0;
  /// Takes space for `bytes` bytes in all, so that no `append` up to there can lack it.
  [[nodiscard]] virtual Checked<void> reserve(std::uint64_t bytes) = 0;
  /// Makes the content durable. When it fails, whatever was appended is lost: it is final.
  [[nodiscard]] virtual Checked<void> sync() = 0;

 protected:
  DiskFile() = default;
};

/// What a path names.
struct Status {
  enum class Kind { file, directory, link, other };
  Kind kind = Kind::other;
  std::uint64_t size = 0;
  std::uint64_t stored =
      0;              ///< bytes that it takes on the disk; less than `size` where it has holes
  unsigned mode = 0;  ///< the permission bits
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// Why a path leads to nothing below a directory, or empty: a component of it is empty, `.`, `..`
/// or longer than 255 bytes, or it holds a NUL. Whatever else a file system takes as a name is
/// fine, for services of the site name their files as they like.
[[nodiscard]] std::string_view fault_of_place(std::string_view path);

/// A directory and everything below it: the one way by which the installer writes, so that a test
/// can put a disk in its place that forgets and fails. Paths are relative to the directory and fit
/// `fault_of_place`; no component of them is followed when it is a symbolic link
/// (`Code::host_in_the_way`). What is missing is `Code::host_read` or `Code::host_write`, want of
/// space `Code::host_full`.
class Disk {
 public:
  virtual ~Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  /// Creates a file of exactly this mode. Whatever has its name already is in the way.
  [[nodiscard]] virtual Checked<std::unique_ptr<DiskFile>> create(std::string_view path,
                                                                  unsigned mode) = 0;
  /// Creates a directory of exactly this mode. Whatever has its name already is in the way.
  [[nodiscard]] virtual Checked<void> make_directory(std::string_view path, unsigned mode) = 0;
  [[nodiscard]] virtual Checked<void> symlink(std::string_view target, std::string_view path) = 0;
  /// Gives a directory that is there another mode.
  [[nodiscard]] virtual Checked<void> set_mode(std::string_view path, unsigned mode) = 0;
  /// Gives a file, a directory or a link itself to an account and a group, by their numbers.
  [[nodiscard]] virtual Checked<void> set_owner(std::string_view path, std::uint32_t uid,
                                                std::uint32_t gid) = 0;
  /// Creates `to` with the content, mode and owner of the regular file `from`. Whatever has its
  /// name already is in the way. Where the file system can, the two share their blocks; else the
  /// space is taken before anything is written, and holes stay holes.
  [[nodiscard]] virtual Checked<void> copy(std::string_view from, std::string_view to) = 0;
  /// Replaces `to`, if it is there, in one step.
  [[nodiscard]] virtual Checked<void> rename(std::string_view from, std::string_view to) = 0;
  /// Removes a file, a link or an empty directory; nothing there is fine.
  [[nodiscard]] virtual Checked<void> remove(std::string_view path) = 0;

  /// Makes the names in a directory durable; "" is the root. A failure is final.
  [[nodiscard]] virtual Checked<void> sync_directory(std::string_view path) = 0;
  /// Makes everything durable that was written below the root. A failure is final.
  [[nodiscard]] virtual Checked<void> sync_all() = 0;

  /// The names in a directory, sorted; "" is the root.
  [[nodiscard]] virtual Checked<std::vector<std::string>> list(std::string_view path) const = 0;
  /// What is there, links as they are; nothing when nothing is.
  [[nodiscard]] virtual Checked<std::optional<Status>> status(std::string_view path) const = 0;
  /// Fills `into` with the bytes of a regular file from `offset` on; how many there were.
  [[nodiscard]] virtual Checked<std::size_t> read(std::string_view path, std::uint64_t offset,
                                                  std::span<char> into) const = 0;
  /// What a symbolic link says.
  [[nodiscard]] virtual Checked<std::string> target(std::string_view path) const = 0;

 protected:
  Disk() = default;
};

/// The path of a name in a directory; "" is the disk's root.
[[nodiscard]] std::string below(std::string_view directory, std::string_view name);

/// Removes a file, or a directory with everything in it. Links are removed, not followed. Nothing
/// there is fine.
[[nodiscard]] Checked<void> remove_tree(Disk& disk, std::string_view path);

/// All of a regular file, at most `limit` bytes.
[[nodiscard]] Checked<std::string> read_file(const Disk& disk, std::string_view path,
                                             std::size_t limit);

/// This host's file system below an existing directory. Any number of threads may use it at once.
[[nodiscard]] Checked<std::unique_ptr<Disk>> open_disk(const std::filesystem::path& root);

}  // namespace caisson::installer

#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "installer/disk/disk.h"
#include "installer/format/manifest.h"

namespace caisson::installer {

/// Where staged files go; nowhere when a bundle is only checked.
class Staging {
 public:
  Staging() = default;
  Staging(Disk& disk, std::string directory) : disk_(&disk), directory_(std::move(directory)) {}

  /// Makes the staging directory itself. What stands there is in the way.
  [[nodiscard]] Checked<void> begin();
  /// Creates a file, with space for `size` bytes; nothing when nothing is staged.
  [[nodiscard]] Checked<std::unique_ptr<DiskFile>> create(const std::string& path,
                                                          std::uint64_t size, bool executable);
  /// Makes a directory and those above it. One thread at a time.
  [[nodiscard]] Checked<void> make_directories(std::string_view path);
  /// Makes everything durable.
  [[nodiscard]] Checked<void> finish();

 private:
  Disk* disk_ = nullptr;
  std::string directory_;
  std::set<std::string, std::less<>> made_;
};

/// Cuts the content of packs into their files, in order, and checks the hash of each.
class Output {
 public:
  explicit Output(Staging& staging) : staging_(staging) {}

  /// Begins the files of a pack.
  [[nodiscard]] Checked<void> begin(const Pack& pack);
  /// The next bytes of the pack's content.
  [[nodiscard]] Checked<void> take(std::string_view bytes);

 private:
  [[nodiscard]] Checked<void> open();
  /// Finishes this file and those behind it that are empty.
  [[nodiscard]] Checked<void> close_full();

  Staging& staging_;
  const Pack* pack_ = nullptr;
  std::size_t file_ = 0;    ///< of the pack, that is being written
  std::uint64_t left_ = 0;  ///< bytes that it lacks
  Sha256 hash_;
  std::unique_ptr<DiskFile> out_;
};

}  // namespace caisson::installer

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "installer/disk/disk.h"
#include "installer/format/manifest.h"
#include "installer/image/decompress.h"
#include "installer/image/tar_reader.h"

namespace caisson::installer {

/// Who gets what the user of an image owns in it, by its number and by that of its group. All else
/// is root's: other numbers may be somebody on this host.
struct NewOwner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// The root directory of an image, while layer after layer is unpacked into it (OCI image
/// specification, "layer"). It trusts nothing: whatever a layer says, nothing is written outside of
/// the directory. Links are followed as a process would whose root it is. Set-uid and set-gid bits
/// are dropped, and so are extended attributes; a hard link becomes a copy. Refuses devices, pipes,
/// and paths and links that lead outside (B0702 and following).
class RootDirectory {
 public:
  /// `directory` of the disk is there, and empty. `disk` has to outlive this.
  RootDirectory(Disk& disk, std::string directory, const Image& image, NewOwner owner)
      : disk_(disk), root_(std::move(directory)), uid_(image.uid), gid_(image.gid), owner_(owner) {}

  void begin_layer() { made_.clear(); }
  /// The next entry of the layer. True when it is a file, whose content follows.
  [[nodiscard]] Checked<bool> entry(const ArchiveEntry& entry);
  [[nodiscard]] Checked<void> content(std::string_view bytes);

  /// What stands at a path as a process sees it whose root this is, by its place below the
  /// directory: links are followed. Nothing stands there: none.
  [[nodiscard]] Checked<std::optional<std::string>> find(std::string_view path) const;
  /// Makes a directory, and those above it, unless something is there.
  [[nodiscard]] Checked<void> ensure_directory(std::string_view path, unsigned mode);

  [[nodiscard]] const Disk& disk() const { return disk_; }
  /// The path of a place on the disk.
  [[nodiscard]] std::string on_disk(std::string_view place) const;

 private:
  enum class Last : std::uint8_t { as_it_is, followed };
  enum class Missing : std::uint8_t { refused, made };

  [[nodiscard]] Checked<std::string> place_of(std::string_view path, Last last,
                                              Missing missing) const;
  [[nodiscard]] Checked<void> whiteout(std::string_view directory, std::string_view name);
  [[nodiscard]] Checked<void> clear(const std::string& place);
  [[nodiscard]] bool has_made(const std::string& place) const;
  [[nodiscard]] Checked<void> put(const ArchiveEntry& entry, const std::string& place);
  [[nodiscard]] Checked<void> put_copy(const ArchiveEntry& entry, const std::string& place);
  [[nodiscard]] Checked<void> count(std::uint64_t bytes);

  Disk& disk_;
  std::string root_;
  std::uint32_t uid_;
  std::uint32_t gid_;
  NewOwner owner_;
  std::set<std::string> made_;  ///< places that this layer has
  std::uint64_t entries_ = 0;
  std::uint64_t names_ = 0;  ///< bytes of all paths
  std::uint64_t bytes_ = 0;
  std::unique_ptr<DiskFile> file_;
};

/// Gives all bytes of a blob, piece by piece.
using ReadBlob = std::function<Checked<void>(const Blob& blob, const Take& take)>;

/// Unpacks one layer, which has to be what the image says (`Code::other_layer`).
[[nodiscard]] Checked<void> unpack_layer(const Layer& layer, const ReadBlob& read,
                                         RootDirectory& root);

/// Unpacks an image into `directory` of the disk, which is made, with its working directory and the
/// directories that every unit mounts something on. It is durable after `sync_all`.
[[nodiscard]] Checked<RootDirectory> unpack_image(const Image& image, NewOwner owner,
                                                  const ReadBlob& read, Disk& disk,
                                                  const std::string& directory);

}  // namespace caisson::installer

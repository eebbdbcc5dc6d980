#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "installer/image/tar_reader.h"

namespace caisson::bundle {

using installer::ArchiveEntry;

/// Whether the file tells something about an image: its accounts, or which packages it has.
[[nodiscard]] bool is_telling(std::string_view path);

/// What one layer does to the files that tell something about an image (OCI image specification,
/// "layer").
class LayerFacts {
 public:
  /// The next entry of the layer. True when its content is wanted.
  bool entry(const ArchiveEntry& entry);
  void content(const ArchiveEntry& entry, std::string_view bytes);

  /// What the layer needs on a file system with blocks of 4 KiB.
  [[nodiscard]] std::uint64_t unpacked() const { return unpacked_; }

 private:
  friend class ImageRoot;
  std::map<std::string, std::optional<std::string>> files_;  ///< none: it is no regular file
  std::vector<std::string> removed_;                         ///< and everything below
  std::vector<std::string> emptied_;                         ///< everything below
  std::uint64_t unpacked_ = 0;
};

/// Those files of an image, layer over layer.
class ImageRoot {
 public:
  void add(const LayerFacts& layer);

  /// The content of a file; none when there is no such regular file.
  [[nodiscard]] const std::string* file(std::string_view path) const;
  /// The files of a directory, by path.
  [[nodiscard]] std::vector<std::pair<std::string, const std::string*>> below(
      std::string_view directory) const;

  /// The numbers of a user as an image's configuration names it: "", "app", "app:web", "10001",
  /// "10001:10001". Names are those of the image's own /etc/passwd and /etc/group.
  [[nodiscard]] Result<std::pair<std::uint32_t, std::uint32_t>> user(std::string_view name) const;

 private:
  std::map<std::string, std::optional<std::string>, std::less<>> files_;
};

}  // namespace caisson::bundle

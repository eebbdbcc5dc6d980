#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/files.h"
#include "base/result.h"

namespace caisson::publish {

/// What a path of an output directory holds.
struct Found {
  enum class Kind : std::uint8_t { nothing, file, link, other };
  Kind kind = Kind::nothing;
  std::string bytes{};  ///< of a file
  bool executable = false;
};

/// A file to write, or to remove when `remove` is set.
struct Write {
  std::string path;
  std::string_view bytes{};  ///< must outlive the call it is given to
  bool executable = false;
  bool remove = false;
};

/// An output directory. Every path below it is walked segment by segment without following symbolic
/// links, so nothing outside the directory is ever read or written.
class Tree {
 public:
  enum class Access : std::uint8_t { read, write };

  /// For reading, a missing directory is an empty tree. For writing it is created, and locked
  /// against other writers for as long as the Tree lives.
  [[nodiscard]] static Result<Tree> open(const std::filesystem::path& directory, Access access);

  Tree(Tree&& other) noexcept = default;
  Tree& operator=(Tree&& other) noexcept = default;
  ~Tree();

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

  /// Fails when a directory on the way is a symbolic link or not a directory.
  [[nodiscard]] Result<Found> read(std::string_view path) const;

  /// All of the writes or, on failure, none. Each file appears complete under its name: it is
  /// written beside its place, synced, and exchanged for the old one. Directories that removals
  /// leave empty go too. Where the file system cannot exchange two names a failure may leave some
  /// files replaced.
  [[nodiscard]] Result<void> apply(std::span<const Write> writes);

 private:
  Tree(std::filesystem::path directory, Descriptor fd, bool created)
      : directory_(std::move(directory)), fd_(std::move(fd)), created_(created) {}

  std::filesystem::path directory_;
  Descriptor fd_;         // none: the directory does not exist
  bool created_ = false;  // by us, and nothing was written into it yet
};

}  // namespace caisson::publish

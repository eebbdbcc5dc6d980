#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace caisson::bundle {

/// Bytes that are read where they are wanted, in any order and by several threads at once: of
/// memory, or of a part of an open file.
class Source {
 public:
  Source() = default;
  explicit Source(std::string bytes);

  /// A regular file; links to one are followed.
  [[nodiscard]] static Result<Source> open(const std::filesystem::path& file);

  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// What messages call it.
  [[nodiscard]] const std::string& shown() const { return shown_; }
  /// `size` bytes of it from `offset` on, which have to be there.
  [[nodiscard]] Source part(std::uint64_t offset, std::uint64_t size) const;

  /// Replaces `into` by `size` bytes from `offset` on. Fails when the file has become shorter.
  [[nodiscard]] Result<void> read(std::uint64_t offset, std::size_t size, std::string& into) const;
  /// All of it; more than `limit` bytes are an error.
  [[nodiscard]] Result<std::string> all(std::uint64_t limit = std::uint64_t{64} << 20U) const;

 private:
  std::shared_ptr<const std::string> memory_;
  std::shared_ptr<const Descriptor> file_;
  std::string shown_;
  std::uint64_t offset_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace caisson::bundle

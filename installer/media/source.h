#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/files.h"
#include "installer/format/refusal.h"

namespace caisson::installer {

/// Bytes on a medium. They are read at any place, by any number of threads at once.
class Source {
 public:
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// What messages call it.
  [[nodiscard]] const std::string& shown() const { return shown_; }

  /// Fills `into` with the bytes from `offset` on. Bytes that are not there although they are
  /// within `size` are refused with `Code::cut_short`.
  [[nodiscard]] virtual Checked<void> read(std::uint64_t offset, std::span<char> into) const = 0;

 protected:
  Source(std::uint64_t size, std::string shown) : size_(size), shown_(std::move(shown)) {}

 private:
  std::uint64_t size_;
  std::string shown_;
};

/// Opens the regular file `name` of a directory. A link, a directory, a pipe and a device are
/// refused, and so is a file that is not there (`Code::missing_file`).
[[nodiscard]] Checked<std::unique_ptr<Source>> open_file(const Descriptor& directory,
                                                         const std::string& name,
                                                         std::string shown);

/// `size` bytes of `outer` from `offset` on, which have to be within it. `outer` has to outlive it.
[[nodiscard]] std::unique_ptr<Source> slice_of(const Source& outer, std::uint64_t offset,
                                               std::uint64_t size, std::string shown);

/// All of a source; more than `limit` bytes are refused with `Code::text_too_large`.
[[nodiscard]] Checked<std::string> read_all(const Source& source, std::size_t limit);

/// A refusal of a medium that cannot be read: "cannot <doing> <shown>: <words of error>". Throws
/// std::bad_alloc when it is memory or descriptors that this process lacks.
[[nodiscard]] tl::unexpected<Refusal> unreadable(std::string_view doing, const std::string& shown,
                                                 int error);

}  // namespace caisson::installer

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace caisson {

// Want of memory or of file descriptors, which is none of the files', is a std::bad_alloc here.

/// An open file descriptor, closed when it goes.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// The system's words for an error number, beginning in lower case.
[[nodiscard]] std::string system_words(int error);

/// `cannot <doing> <path>: <system_words>`.
[[nodiscard]] tl::unexpected<Failure> cannot(std::string_view doing,
                                             const std::filesystem::path& path, int error);

/// Whether `name` can be the name of one file and of nothing else: not empty, not "." or "..", at
/// most 255 bytes, no '/', no backslash, no control character.
[[nodiscard]] bool is_file_name(std::string_view name);

/// Whether `path` is relative and every component of it is a file name, so that it stays below
/// whatever it is put behind. At most 1024 bytes.
[[nodiscard]] bool is_path_below(std::string_view path);

/// Opens directory `path` (`is_path_below`, or empty for `root` itself) component by component; a
/// component that is a symbolic link is refused. With `created`, directories that are missing are
/// made with mode 0755 whatever the umask, and their paths appended to it; without, a missing one
/// gives no descriptor. `shown` is the name of `root` in messages.
[[nodiscard]] Result<Descriptor> open_below(const Descriptor& root, std::string_view path,
                                            const std::string& shown,
                                            std::vector<std::string>* created);

/// Whether the last component of a path may be a symbolic link.
enum class Links : std::uint8_t { refuse, follow };

/// All of a regular file; one with more than `limit` bytes, and anything but a regular file, is an
/// error. A pipe in the file's place does not make the caller wait.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& file,
                                            std::size_t limit = std::size_t{64} << 20U,
                                            Links links = Links::refuse);

/// All that is left to read in an open file; more than `limit` bytes are an error. `shown` is its
/// name in messages.
[[nodiscard]] Result<std::string> read_all(int fd, const std::string& shown, std::size_t limit);

/// Writes all of `bytes`; the error number if it cannot, 0 if it could.
[[nodiscard]] int write_all(int fd, std::string_view bytes);

/// Writes a file that is complete, old or new, whenever the power fails: it is written as
/// `unfinished(file)`, synced, renamed and its directory synced. `mode` holds whatever the umask.
[[nodiscard]] Result<void> write_file(const std::filesystem::path& file, std::string_view content,
                                      unsigned mode = 0600);

/// The name of `file` while it is being made: all that a crash leaves half made has such a name.
[[nodiscard]] std::filesystem::path unfinished(const std::filesystem::path& file);

/// Makes the content of a file, or the names in a directory, durable.
[[nodiscard]] Result<void> sync_path(const std::filesystem::path& path);

/// Makes a directory of exactly this mode, with its parents, unless it is there.
[[nodiscard]] Result<void> make_directory(const std::filesystem::path& directory, unsigned mode);

/// The names in a directory, in no order, without `.` and `..`; none when there is no directory.
[[nodiscard]] Result<std::vector<std::string>> list_directory(
    const std::filesystem::path& directory);

/// Whether `path` names anything, be it a link to nothing. What cannot be examined is an error.
[[nodiscard]] Result<bool> is_there(const std::filesystem::path& path);

/// Removes a file or a directory and all in it; nothing there is fine. Links are not followed.
[[nodiscard]] Result<void> remove_tree(const std::filesystem::path& path);

/// SHA-256 of a file's bytes in lower-case hexadecimal.
[[nodiscard]] Result<std::string> sha256_of_file(const std::filesystem::path& file);

}  // namespace caisson

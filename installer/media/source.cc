#include "installer/media/source.h"

#include <cerrno>
#include <new>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace caisson::installer {
namespace {

class FileSource final : public Source {
 public:
  FileSource(Descriptor file, std::uint64_t size, std::string shown)
      : Source(size, std::move(shown)), file_(std::move(file)) {}

  Checked<void> read(std::uint64_t offset, std::span<char> into) const override {
    while (!into.empty()) {
      const ssize_t got = pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return unreadable("read", shown(), errno);
      if (got == 0) {
        return refuse(Code::cut_short, shown() + " has " + std::to_string(offset) +
                                           " bytes, and more were expected");
      }
      into = into.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
    return {};
  }

 private:
  Descriptor file_;
};

class Slice final : public Source {
 public:
  Slice(const Source& outer, std::uint64_t offset, std::uint64_t size, std::string shown)
      : Source(size, std::move(shown)), outer_(outer), offset_(offset) {}

  Checked<void> read(std::uint64_t offset, std::span<char> into) const override {
    if (offset > size() || into.size() > size() - offset) {
      return refuse(Code::cut_short,
                    shown() + " has " + std::to_string(size()) + " bytes, and more were expected");
    }
    return outer_.read(offset_ + offset, into);
  }

 private:
  const Source& outer_;
  std::uint64_t offset_;
};

}  // namespace

tl::unexpected<Refusal> unreadable(std::string_view doing, const std::string& shown, int error) {
  if (error == ENOMEM || error == EMFILE || error == ENFILE) throw std::bad_alloc();
  return refuse(Code::unreadable_medium,
                "cannot " + std::string(doing) + " " + shown + ": " + system_words(error));
}

Checked<std::unique_ptr<Source>> open_file(const Descriptor& directory, const std::string& name,
                                           std::string shown) {
  const auto irregular = [&] {
    return refuse(Code::not_a_regular_file,
                  shown + " is a link, a directory or a device where a file belongs");
  };
  const auto refused = [&](int error) -> tl::unexpected<Refusal> {
    if (error == ENOENT) return refuse(Code::missing_file, shown + " is not there");
    if (error == ELOOP || error == ENXIO || error == ENOTDIR) return irregular();
    return unreadable("open", shown, error);
  };
  // Asked before it is opened, since opening a device can do something already.
  struct stat status{};
  if (fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return refused(errno);
  }
  if (!S_ISREG(status.st_mode)) return irregular();
  Descriptor file(openat(directory.get(), name.c_str(),
                         O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return refused(errno);
  if (fstat(file.get(), &status) != 0) return unreadable("examine", shown, errno);
  if (!S_ISREG(status.st_mode)) return irregular();
  return std::make_unique<FileSource>(std::move(file), static_cast<std::uint64_t>(status.st_size),
                                      std::move(shown));
}

std::unique_ptr<Source> slice_of(const Source& outer, std::uint64_t offset, std::uint64_t size,
                                 std::string shown) {
  return std::make_unique<Slice>(outer, offset, size, std::move(shown));
}

Checked<std::string> read_all(const Source& source, std::size_t limit) {
  if (source.size() > limit) {
    return refuse(Code::text_too_large, source.shown() + " has " + std::to_string(source.size()) +
                                            " bytes, and may have " + std::to_string(limit));
  }
  std::string bytes(static_cast<std::size_t>(source.size()), '\0');
  if (auto read = source.read(0, bytes); !read) return tl::unexpected(read.error());
  return bytes;
}

}  // namespace caisson::installer

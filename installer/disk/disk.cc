#include "installer/disk/disk.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/printable.h"
#include "installer/disk/disk_error.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;

class HostFile final : public DiskFile {
 public:
  HostFile(Descriptor file, std::string shown) : file_(std::move(file)), shown_(std::move(shown)) {}

  Checked<void> append(std::string_view bytes) override {
    if (const int error = write_all(file_.get(), bytes)) return failed("write", error);
    return {};
  }

  Checked<void> reserve(std::uint64_t bytes) override {
    if (bytes == 0) return {};
    int error = 0;
    do {
      error = fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)) == 0
                  ? 0
                  : errno;
    } while (error == EINTR);
    // A file system that cannot reserve tells about want of space when it is written to.
    if (error != 0 && error != EOPNOTSUPP) return failed("reserve space for", error);
    return {};
  }

  Checked<void> sync() override {
    // Never again after a failure: the kernel forgets what it could not write.
    if (fsync(file_.get()) != 0) return failed("make durable", errno);
    return {};
  }

 private:
  tl::unexpected<Refusal> failed(std::string_view doing, int error) const {
    return disk_error(doing, shown_, error, Code::host_write);
  }

  Descriptor file_;
  std::string shown_;
};

class HostDisk final : public Disk {
 public:
  HostDisk(Descriptor root, std::string shown) : root_(std::move(root)), shown_(std::move(shown)) {}

  Checked<std::unique_ptr<DiskFile>> create(std::string_view path, unsigned mode) override {
    const auto place = parent_of(path, Code::host_write);
    if (!place) return tl::unexpected(place.error());
    Descriptor file(openat(place->directory.get(), place->name.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file || fchmod(file.get(), mode) != 0) return failed("create", path, errno);
    return std::make_unique<HostFile>(std::move(file), shown_of(path));
  }

  Checked<void> make_directory(std::string_view path, unsigned mode) override {
    const auto place = parent_of(path, Code::host_write);
    if (!place) return tl::unexpected(place.error());
    if (mkdirat(place->directory.get(), place->name.c_str(), 0700) != 0) {
      return failed("make", path, errno);
    }
    const Descriptor made(openat(place->directory.get(), place->name.c_str(),
                                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made || fchmod(made.get(), mode) != 0) return failed("make", path, errno);
    return {};
  }

  Checked<void> symlink(std::string_view target, std::string_view path) override {
    const auto place = parent_of(path, Code::host_write);
    if (!place) return tl::unexpected(place.error());
    if (symlinkat(std::string(target).c_str(), place->directory.get(), place->name.c_str()) != 0) {
      return failed("make", path, errno);
    }
    return {};
  }

  Checked<void> set_mode(std::string_view path, unsigned mode) override {
    const auto directory = open_directory(path, Code::host_write);
    if (!directory) return tl::unexpected(directory.error());
    if (fchmod(directory->get(), mode) != 0) return failed("change the mode of", path, errno);
    return {};
  }

  Checked<void> set_owner(std::string_view path, std::uint32_t uid, std::uint32_t gid) override {
    const auto place = parent_of(path, Code::host_write);
    if (!place) return tl::unexpected(place.error());
    if (fchownat(place->directory.get(), place->name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) != 0) {
      return failed("give away", path, errno);
    }
    return {};
  }

  Checked<void> copy(std::string_view from, std::string_view to) override {
    const auto source = open_file(from);
    if (!source) return tl::unexpected(source.error());
    struct stat status{};
    if (fstat(source->get(), &status) != 0) return failed("examine", from, errno);
    const auto place = parent_of(to, Code::host_write);
    if (!place) return tl::unexpected(place.error());
    const Descriptor file(openat(place->directory.get(), place->name.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    // The mode comes last: to give a file away takes set-uid bits from it.
    if (!file || fchown(file.get(), status.st_uid, status.st_gid) != 0 ||
        fchmod(file.get(), status.st_mode & 07777U) != 0) {
      return failed("create", to, errno);
    }
    if (ioctl(file.get(), FICLONE, source->get()) == 0) return {};
    if (const int error = copy_data(source->get(), file.get(), status.st_size)) {
      return failed("copy to", to, error);
    }
    return {};
  }

  Checked<void> rename(std::string_view from, std::string_view to) override {
    const auto old = parent_of(from, Code::host_write);
    if (!old) return tl::unexpected(old.error());
    const auto now = parent_of(to, Code::host_write);
    if (!now) return tl::unexpected(now.error());
    if (renameat(old->directory.get(), old->name.c_str(), now->directory.get(),
                 now->name.c_str()) != 0) {
      return failed("rename", from, errno);
    }
    return {};
  }

  Checked<void> remove(std::string_view path) override {
    const auto place = parent_of(path, Code::host_write);
    if (!place) return tl::unexpected(place.error());
    const int directory = place->directory.get();
    const char* const name = place->name.c_str();
    int error = unlinkat(directory, name, 0) == 0 ? 0 : errno;
    if (error == EISDIR) error = unlinkat(directory, name, AT_REMOVEDIR) == 0 ? 0 : errno;
    if (error != 0 && error != ENOENT) return failed("remove", path, error);
    return {};
  }

  Checked<void> sync_directory(std::string_view path) override {
    const auto directory = open_directory(path, Code::host_write);
    if (!directory) return tl::unexpected(directory.error());
    if (fsync(directory->get()) != 0) return failed("make durable", path, errno);
    return {};
  }

  Checked<void> sync_all() override {
    if (syncfs(root_.get()) != 0) return failed("make durable", "", errno);
    return {};
  }

  Checked<std::vector<std::string>> list(std::string_view path) const override {
    const auto directory = open_directory(path, Code::host_read);
    if (!directory) return tl::unexpected(directory.error());
    const int copy = openat(directory->get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return disk_error("read", shown_of(path), errno, Code::host_read);
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(copy), closedir);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = entries ? readdir(entries.get()) : nullptr) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    if (errno != 0) return disk_error("read", shown_of(path), errno, Code::host_read);
    std::ranges::sort(names);
    return names;
  }

  Checked<std::optional<Status>> status(std::string_view path) const override {
    const auto place = parent_of(path, Code::host_read);
    if (!place) {
      if (place.error().code == Code::host_read) return std::nullopt;
      return tl::unexpected(place.error());
    }
    struct stat status{};
    if (fstatat(place->directory.get(), place->name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return std::nullopt;
      return disk_error("examine", shown_of(path), errno, Code::host_read);
    }
    const auto kind = S_ISREG(status.st_mode)   ? Status::Kind::file
                      : S_ISDIR(status.st_mode) ? Status::Kind::directory
                      : S_ISLNK(status.st_mode) ? Status::Kind::link
                                                : Status::Kind::other;
    return Status{.kind = kind,
                  .size = static_cast<std::uint64_t>(status.st_size),
                  .stored = static_cast<std::uint64_t>(status.st_blocks) * 512,
                  .mode = status.st_mode & 07777U,
                  .uid = status.st_uid,
                  .gid = status.st_gid};
  }

  Checked<std::size_t> read(std::string_view path, std::uint64_t offset,
                            std::span<char> into) const override {
    const auto file = open_file(path);
    if (!file) return tl::unexpected(file.error());
    std::size_t filled = 0;
    while (filled < into.size()) {
      const ssize_t got = pread(file->get(), into.data() + filled, into.size() - filled,
                                static_cast<off_t>(offset + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return disk_error("read", shown_of(path), errno, Code::host_read);
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return filled;
  }

  Checked<std::string> target(std::string_view path) const override {
    const auto place = parent_of(path, Code::host_read);
    if (!place) return tl::unexpected(place.error());
    std::string text(4096, '\0');
    const ssize_t size =
        readlinkat(place->directory.get(), place->name.c_str(), text.data(), text.size());
    if (size < 0) return disk_error("read", shown_of(path), errno, Code::host_read);
    text.resize(static_cast<std::size_t>(size));
    return text;
  }

 private:
  /// The directory that a path stands in, and its name there.
  struct Place {
    Descriptor directory;
    std::string name;
  };

  std::string shown_of(std::string_view path) const {
    return path.empty() ? shown_ : shown_ + "/" + printable(path);
  }

  tl::unexpected<Refusal> failed(std::string_view doing, std::string_view path, int error) const {
    return disk_error(doing, shown_of(path), error, Code::host_write);
  }

  /// Copies what is between the holes of a file of this size; which error number it ended with.
  static int copy_data(int from, int to, off_t size) {
    if (ftruncate(to, size) != 0) return errno;
    std::string buffer(std::size_t{1} << 20, '\0');
    for (off_t begin = 0; begin < size;) {
      begin = lseek(from, begin, SEEK_DATA);
      // There is nothing but a hole up to the end.
      if (begin < 0) return errno == ENXIO ? 0 : errno;
      const off_t end = std::min(lseek(from, begin, SEEK_HOLE), size);
      if (end < begin) return errno;
      // Want of space is told before the first byte. Some file systems cannot reserve.
      if (fallocate(to, 0, begin, end - begin) != 0 && errno != EOPNOTSUPP) return errno;
      while (begin < end) {
        const auto most =
            std::min<std::size_t>(buffer.size(), static_cast<std::size_t>(end - begin));
        const ssize_t got = pread(from, buffer.data(), most, begin);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno;
        if (got == 0) return 0;
        for (ssize_t done = 0; done < got;) {
          const ssize_t put =
              pwrite(to, buffer.data() + done, static_cast<std::size_t>(got - done), begin + done);
          if (put < 0 && errno != EINTR) return errno;
          if (put > 0) done += put;
        }
        begin += got;
      }
    }
    return 0;
  }

  /// Opens a regular file to be read.
  Checked<Descriptor> open_file(std::string_view path) const {
    const auto place = parent_of(path, Code::host_read);
    if (!place) return tl::unexpected(place.error());
    Descriptor file(openat(place->directory.get(), place->name.c_str(),
                           O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file) return disk_error("open", shown_of(path), errno, Code::host_read);
    struct stat status{};
    if (fstat(file.get(), &status) != 0) {
      return disk_error("examine", shown_of(path), errno, Code::host_read);
    }
    if (!S_ISREG(status.st_mode)) {
      return refuse(Code::host_in_the_way, shown_of(path) + " is not a regular file");
    }
    return file;
  }

  Checked<Descriptor> open_directory(std::string_view path, Code otherwise) const {
    Descriptor directory(openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return disk_error("open", shown_, errno, otherwise);
    if (path.empty()) return directory;
    for (std::size_t begin = 0; begin <= path.size();) {
      const auto end = std::min(path.find('/', begin), path.size());
      const std::string name(path.substr(begin, end - begin));
      directory = Descriptor(
          openat(directory.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      const auto shown = shown_of(path.substr(0, end));
      // Linux says ENOTDIR of a link too.
      if (!directory && (errno == ENOTDIR || errno == ELOOP)) {
        return refuse(Code::host_in_the_way, shown + " is a link, or no directory");
      }
      if (!directory && errno == ENOENT) return refuse(otherwise, "there is no directory " + shown);
      if (!directory) return disk_error("open", shown, errno, otherwise);
      begin = end + 1;
    }
    return directory;
  }

  Checked<Place> parent_of(std::string_view path, Code otherwise) const {
    if (const auto fault = fault_of_place(path); !fault.empty()) {
      return refuse(Code::text_path, shown_of(path) + ": " + std::string(fault));
    }
    const auto slash = path.rfind('/');
    auto directory =
        open_directory(path.substr(0, slash == std::string_view::npos ? 0 : slash), otherwise);
    if (!directory) return tl::unexpected(directory.error());
    return Place{.directory = *std::move(directory), .name = std::string(path.substr(slash + 1))};
  }

  Descriptor root_;
  std::string shown_;
};

}  // namespace

std::string_view fault_of_place(std::string_view path) {
  if (path.empty()) return "it is empty";
  if (path.find('\0') != std::string_view::npos) return "it holds a NUL";
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto component = path.substr(begin, end - begin);
    if (component.empty()) return "a component of it is empty";
    if (component == "." || component == "..") return "it holds '.' or '..'";
    if (component.size() > 255) return "a component of it has more than 255 bytes";
    begin = end + 1;
  }
  return {};
}

std::string below(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty()) path += '/';
  return path.append(name);
}

Checked<void> remove_tree(Disk& disk, std::string_view path) {
  const auto status = disk.status(path);
  if (!status) return tl::unexpected(status.error());
  if (!*status) return {};
  if ((*status)->kind == Status::Kind::directory) {
    const auto names = disk.list(path);
    if (!names) return tl::unexpected(names.error());
    for (const auto& name : *names) {
      if (auto removed = remove_tree(disk, below(path, name)); !removed) return removed;
    }
  }
  return disk.remove(path);
}

Checked<std::string> read_file(const Disk& disk, std::string_view path, std::size_t limit) {
  const auto status = disk.status(path);
  if (!status) return tl::unexpected(status.error());
  const std::string name(path);
  if (!*status) return refuse(Code::host_read, "there is no " + name);
  if ((*status)->size > limit) {
    return refuse(Code::host_read, name + " has " + std::to_string((*status)->size) +
                                       " bytes, and may have " + std::to_string(limit));
  }
  std::string bytes(static_cast<std::size_t>((*status)->size), '\0');
  const auto got = disk.read(path, 0, bytes);
  if (!got) return tl::unexpected(got.error());
  if (*got != bytes.size()) return refuse(Code::host_read, name + " was cut while it was read");
  return bytes;
}

Checked<std::unique_ptr<Disk>> open_disk(const fs::path& root) {
  Descriptor directory(open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return disk_error("open", root.string(), errno, Code::host_write);
  return std::make_unique<HostDisk>(std::move(directory), root.string());
}

}  // namespace caisson::installer

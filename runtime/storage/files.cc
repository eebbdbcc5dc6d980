#include "runtime/storage/files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <system_error>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/observe/digest.h"
#include "runtime/observe/walls.h"

namespace caisson::storage {
namespace {

namespace fs = std::filesystem;

/// Want of memory or of file descriptors is none of the file: then it throws.
tl::unexpected<Failure> cannot(const char* what, const fs::path& path, int error) {
  if (error == ENOMEM || error == EMFILE || error == ENFILE) throw std::bad_alloc();
  return fail(std::string("cannot ") + what + " " + path.string() + ": " + std::strerror(error));
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  [[nodiscard]] int get() const { return value_; }
  [[nodiscard]] bool ok() const { return value_ >= 0; }

 private:
  int value_;
};

/// What makes a file or directory of a tenant acceptable, on an open descriptor.
Result<void> check(const Descriptor& file, const fs::path& path, bool directory) {
  struct stat status{};
  if (fstat(file.get(), &status) != 0) return cannot("examine", path, errno);
  const bool right_kind = directory ? S_ISDIR(status.st_mode) : S_ISREG(status.st_mode);
  if (!right_kind || (!directory && status.st_nlink != 1) || status.st_uid != geteuid()) {
    return fail("refusing " + path.string() + ": not a plain " +
                    (directory ? "directory" : "file") + " of this process's user",
                "remove links, and give it back to the user that runs the runtime");
  }
  const mode_t mode = directory ? 0700 : 0600;
  if ((status.st_mode & 0777) != mode && fchmod(file.get(), mode) != 0) {
    return cannot("restrict", path, errno);
  }
  return {};
}

/// The root of a volume that an orchestrator made for us, as Kubernetes does with fsGroup: root's
/// own, and of a group of ours that may write while others may not.
bool lent_by_root(const Descriptor& directory) {
  struct stat status{};
  if (fstat(directory.get(), &status) != 0) return false;
  const bool our_group = status.st_gid == getegid() || group_member(status.st_gid) != 0;
  return our_group && status.st_uid == 0 && (status.st_mode & S_IWGRP) != 0 &&
         (status.st_mode & S_IWOTH) == 0;
}

Descriptor open_directory(const fs::path& directory) {
  const int follow = is_down(Wall::no_path_check) ? 0 : O_NOFOLLOW;
  return Descriptor(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow));
}

Result<void> make_directory(const fs::path& directory) {
  if (mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return cannot("make directory", directory, errno);
}

}  // namespace

Result<void> make_private_directory(const fs::path& directory) {
  if (auto made = make_directory(directory); !made) return made;
  return check_private_directory(directory);
}

Result<void> make_data_directory(const fs::path& directory) {
  if (auto made = make_directory(directory); !made) return made;
  const auto opened = open_directory(directory);
  if (!opened.ok()) return cannot("open directory", directory, errno);
  if (lent_by_root(opened)) return {};
  return check(opened, directory, true);
}

Result<void> check_private_directory(const fs::path& directory) {
  const auto opened = open_directory(directory);
  if (!opened.ok()) return cannot("open directory", directory, errno);
  return check(opened, directory, true);
}

Result<void> check_private_file(const fs::path& file) {
  if (is_down(Wall::no_path_check)) return {};
  // O_NONBLOCK: a FIFO in a file's place must not make us wait.
  const Descriptor opened(open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!opened.ok() && errno == ENOENT) return {};
  if (!opened.ok()) return cannot("open", file, errno);
  return check(opened, file, false);
}

Result<void> make_private_file(const fs::path& file) {
  const Descriptor made(
      open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!made.ok() && errno != EEXIST) return cannot("make", file, errno);
  return {};
}

Result<void> write_private_file(const fs::path& file, std::string_view content) {
  const fs::path temporary = unfinished(file);
  {
    const Descriptor out(
        open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!out.ok()) return cannot("make", temporary, errno);
    while (!content.empty()) {
      const ssize_t written = write(out.get(), content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return cannot("write", temporary, errno);
      content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (fsync(out.get()) != 0) return cannot("write", temporary, errno);
  }
  if (rename(temporary.c_str(), file.c_str()) != 0) return cannot("rename", temporary, errno);
  return sync_path(file.parent_path());
}

Result<std::vector<std::string>> list_directory(const fs::path& directory) {
  // Not `directory_iterator`, whose increment ends the process when memory runs out (GCC 12).
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(directory.c_str()), closedir);
  std::vector<std::string> names;
  if (!entries && errno == ENOENT) return names;
  if (!entries) return cannot("read", directory, errno);
  errno = 0;
  while (const dirent* entry = readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  if (errno != 0) return cannot("read", directory, errno);
  return names;
}

Result<bool> is_there(const fs::path& path) {
  struct stat status{};
  if (lstat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return cannot("examine", path, errno);
}

fs::path unfinished(const fs::path& file) {
  fs::path name = file;
  name += ".new";
  return name;
}

Result<void> clear_unfinished(const fs::path& directory) {
  const auto names = list_directory(directory);
  if (!names) return tl::unexpected(names.error());
  bool found = false;
  for (const std::string& name : *names) {
    const bool unfinished =
        std::ranges::any_of(std::array{".new", ".new-wal", ".new-shm", ".new-journal"},
                            [&](const char* suffix) { return name.ends_with(suffix); });
    if (!unfinished) continue;
    if (auto removed = remove_tree(directory / name); !removed) return removed;
    found = true;
  }
  return found ? sync_path(directory) : Result<void>();
}

Result<void> sync_path(const fs::path& path) {
  const Descriptor opened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.ok()) return cannot("open", path, errno);
  if (fsync(opened.get()) != 0) return cannot("write", path, errno);
  return {};
}

Result<std::string> read_file(const fs::path& file, std::size_t limit) {
  const Descriptor in(open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!in.ok()) return cannot("open", file, errno);
  std::string content;
  std::array<char, 4096> chunk;
  while (true) {
    const ssize_t size = read(in.get(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return cannot("read", file, errno);
    if (size == 0) return content;
    content.append(chunk.data(), static_cast<std::size_t>(size));
    if (content.size() > limit) return fail(file.string() + " is too long");
  }
}

Result<void> remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return fail("cannot remove " + path.string() + ": " + error.message());
  return {};
}

Result<std::string> sha256_of_file(const fs::path& file) {
  const Descriptor in(open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!in.ok()) return cannot("open", file, errno);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::vector<unsigned char> chunk(std::size_t{1} << 18U);
  while (true) {
    const ssize_t size = read(in.get(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return cannot("read", file, errno);
    if (size == 0) break;
    EVP_DigestUpdate(context.get(), chunk.data(), static_cast<std::size_t>(size));
  }
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return observe::hex(digest);
}

}  // namespace caisson::storage

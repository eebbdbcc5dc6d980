#include "runtime/storage/files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/observe/walls.h"

namespace caisson::storage {
namespace {

namespace fs = std::filesystem;

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

Result<void> make_one_directory(const fs::path& directory) {
  if (mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return cannot("make directory", directory, errno);
}

}  // namespace

Result<void> make_private_directory(const fs::path& directory) {
  if (auto made = make_one_directory(directory); !made) return made;
  return check_private_directory(directory);
}

Result<void> make_data_directory(const fs::path& directory) {
  if (auto made = make_one_directory(directory); !made) return made;
  const auto opened = open_directory(directory);
  if (!opened) return cannot("open directory", directory, errno);
  if (lent_by_root(opened)) return {};
  return check(opened, directory, true);
}

Result<void> check_private_directory(const fs::path& directory) {
  const auto opened = open_directory(directory);
  if (!opened) return cannot("open directory", directory, errno);
  return check(opened, directory, true);
}

Result<void> check_private_file(const fs::path& file) {
  if (is_down(Wall::no_path_check)) return {};
  // O_NONBLOCK: a FIFO in a file's place must not make us wait.
  const Descriptor opened(open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!opened && errno == ENOENT) return {};
  if (!opened) return cannot("open", file, errno);
  return check(opened, file, false);
}

Result<void> make_private_file(const fs::path& file) {
  const Descriptor made(
      open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!made && errno != EEXIST) return cannot("make", file, errno);
  return {};
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

}  // namespace caisson::storage

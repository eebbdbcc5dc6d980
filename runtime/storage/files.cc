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

/// The directory that is used inside of one to which everybody may write.
constexpr const char* private_name = "private";

/// Whether a volume was mounted as this directory.
bool is_mounted(const Descriptor& directory, const struct stat& status) {
  struct statx more{};
  if (statx(directory.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &more) == 0 &&
      (more.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0) {
    return (more.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  }
  // Before Linux 5.8: what is on another file system than the directory above it.
  struct stat above{};
  return fstatat(directory.get(), "..", &above, 0) == 0 && above.st_dev != status.st_dev;
}

/// Whether anything in the directory is ours.
Result<bool> keeps_something(const Descriptor& opened, const fs::path& directory) {
  const auto names = list_directory(directory);
  if (!names) return tl::unexpected(names.error());
  return std::ranges::any_of(*names, [&](const std::string& name) {
    struct stat status{};
    return fstatat(opened.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           status.st_uid == geteuid();
  });
}

/// Where the data are: in the directory itself, or in `private` inside of it.
///
/// Provisioners of local volumes make them with mkdir -m 0777, and no fsGroup changes that: root's
/// own, and writable for everybody. Who reaches such a volume can plant files beside ours, as the
/// log of a database that is replayed into it. So the data are in a directory that is ours alone:
/// nobody else reads them, adds to them or changes them there. He could still move that directory
/// away, or put one of his own in its place, which is refused; in a pod nobody else has the volume.
/// On a host others may reach any directory: one that is no volume is refused.
///
/// What is there decides before the mode does, so that data are found again when the mode changes.
Result<fs::path> place_in(const Descriptor& opened, const fs::path& directory) {
  struct stat status{};
  if (fstat(opened.get(), &status) != 0) return cannot("examine", directory, errno);
  const bool open_to_all = status.st_uid == 0 && geteuid() != 0 && (status.st_mode & S_IWOTH) != 0;
  if (open_to_all && !is_mounted(opened, status)) {
    return fail("refusing " + directory.string() + ": everybody may write to it",
                "give it to the user that runs the runtime, or mount a volume there");
  }
  fs::path inside = directory / private_name;
  const auto made = is_there(inside);
  if (!made) return tl::unexpected(made.error());
  if (*made) return inside;
  if (!open_to_all) return directory;
  const auto kept = keeps_something(opened, directory);
  if (!kept) return tl::unexpected(kept.error());
  if (*kept) {
    return fail("refusing " + directory.string() + ": it has data, and everybody may write to it",
                "take that from others (chmod o-w), as it was when they were written");
  }
  return inside;
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

Result<fs::path> make_data_directory(const fs::path& directory) {
  if (auto made = make_one_directory(directory); !made) return tl::unexpected(made.error());
  const auto opened = open_directory(directory);
  if (!opened) return cannot("open directory", directory, errno);
  auto place = place_in(opened, directory);
  if (!place) return place;
  const auto checked = *place != directory    ? make_private_directory(*place)
                       : lent_by_root(opened) ? Result<void>()
                                              : check(opened, directory, true);
  if (!checked) return tl::unexpected(checked.error());
  return place;
}

Result<fs::path> find_data_directory(const fs::path& directory) {
  const auto opened = open_directory(directory);
  if (!opened && errno == ENOENT) return directory;
  if (!opened) return cannot("open directory", directory, errno);
  return place_in(opened, directory);
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

#include "runtime/host/ownership.h"

#include <cerrno>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

namespace caisson::host {

namespace fs = std::filesystem;

Result<void> own(const fs::path& directory, std::uint32_t id) {
  const auto failed = [&](const fs::path& path, int error) {
    return fail("cannot give " + path.string() + " to user " + std::to_string(id) + ": " +
                    std::generic_category().message(error),
                "run it as root with the capabilities CHOWN and DAC_OVERRIDE");
  };
  struct stat found{};
  if (::lstat(directory.c_str(), &found) != 0) return failed(directory, errno);
  if (!S_ISDIR(found.st_mode)) return failed(directory, ENOTDIR);
  if (found.st_uid == id && found.st_gid == id) return {};
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(directory, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (::lchown(entry->path().c_str(), id, id) != 0) return failed(entry->path(), errno);
  }
  if (error) return failed(directory, error.value());
  if (::lchown(directory.c_str(), id, id) != 0) return failed(directory, errno);
  return {};
}

}  // namespace caisson::host

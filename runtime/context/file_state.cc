#include "runtime/context/file_state.h"

#include <sys/stat.h>

namespace caisson::context {

FileState FileState::of(const std::filesystem::path& file) {
  struct stat status{};
  if (stat(file.c_str(), &status) != 0) return {};
  return {.modified_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
          .bytes = status.st_size,
          .inode = status.st_ino};
}

}  // namespace caisson::context

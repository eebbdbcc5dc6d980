#include "runtime/context/secret_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace caisson::context {
namespace {

Result<std::string> read_file(const std::filesystem::path& path, std::size_t most_bytes,
                              bool secret) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail("cannot open " + path.string() + ": " + std::strerror(errno));
  struct stat status{};
  std::string text;
  std::string defect;
  if (fstat(fd, &status) != 0) {
    defect = std::strerror(errno);
  } else if (!S_ISREG(status.st_mode)) {
    defect = "not a regular file";
  } else if (secret && (status.st_mode & 0007) != 0) {
    defect =
        "a secret that everybody on this machine can reach; remove the permissions of others "
        "(chmod o=)";
  } else {
    text.resize(std::min(static_cast<std::size_t>(status.st_size), most_bytes) + 1);
    const ssize_t got = ::read(fd, text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (got < 0) defect = std::strerror(errno);
    if (text.size() > most_bytes) defect = "larger than " + std::to_string(most_bytes) + " bytes";
  }
  ::close(fd);
  if (!defect.empty()) return fail("cannot use " + path.string() + ": " + defect);
  return text;
}

}  // namespace

Result<std::string> read_secret_file(const std::filesystem::path& path) {
  auto text = read_file(path, 64 << 10, true);
  if (!text) return text;
  if (text->ends_with('\n')) text->pop_back();
  if (text->empty()) return fail("cannot use " + path.string() + ": it is empty");
  return text;
}

Result<std::string> read_small_file(const std::filesystem::path& path, std::size_t most_bytes) {
  return read_file(path, most_bytes, false);
}

}  // namespace caisson::context

#include "conformance/stack/files.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Failure> cannot(const char* verb, const fs::path& path) {
  return fail(std::string("cannot ") + verb + " " + path.string() + ": " + std::strerror(errno));
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<std::string> read_file(const fs::path& path) {
  static constexpr std::uintmax_t max_size = 64 << 20;
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return fail("cannot read " + path.string() + ": " + error.message());
  if (size > max_size) return fail(path.string() + " is larger than 64 MiB");
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (in.bad() || !in.is_open()) return cannot("read", path);
  return bytes;
}

Result<void> write_file(const fs::path& path, std::string_view bytes, unsigned mode) {
  const fs::path temporary = path.string() + ".new";
  const int file =
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return cannot("write", temporary);
  const bool written = write_all(file, bytes) && fchmod(file, mode) == 0 && fsync(file) == 0;
  close(file);
  if (!written || rename(temporary.c_str(), path.c_str()) != 0) {
    unlink(temporary.c_str());
    return cannot("write", path);
  }
  const int directory = open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    fsync(directory);
    close(directory);
  }
  return {};
}

Result<void> make_directory(const fs::path& path, unsigned mode) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail("cannot make " + path.string() + ": " + error.message());
  if (chmod(path.c_str(), mode) != 0) return cannot("set the mode of", path);
  return {};
}

std::string rfc3339(std::int64_t unix_seconds) {
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), size};
}

}  // namespace caisson::conformance

#include "base/files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <new>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/hex.h"

namespace caisson {
namespace {

namespace fs = std::filesystem;

constexpr mode_t directory_mode = 0755;

int open_directory(int parent, const char* name) {
  return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/// Opens a regular file; whatever else is there is an error.
Result<Descriptor> open_file(const fs::path& file, Links links) {
  const int follow = links == Links::follow ? 0 : O_NOFOLLOW;
  // O_NONBLOCK: a FIFO in a file's place must not make us wait.
  Descriptor opened(open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | follow));
  if (!opened) return cannot("open", file, errno);
  struct stat status{};
  if (fstat(opened.get(), &status) != 0) return cannot("examine", file, errno);
  if (!S_ISREG(status.st_mode)) return fail(file.string() + " is not a regular file");
  return opened;
}

/// Gives `take` the pieces of a file until there are no more or it has enough. The error number,
/// or 0.
template <class Take>
int read_pieces(int fd, std::size_t piece, const Take& take) {
  std::string bytes(piece, '\0');
  while (true) {
    const ssize_t got = read(fd, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0 || !take(std::string_view(bytes).substr(0, static_cast<std::size_t>(got)))) {
      return 0;
    }
  }
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

std::string system_words(int error) {
  std::string text = std::generic_category().message(error);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') {
    text[0] = static_cast<char>(text[0] | 0x20);
  }
  return text;
}

tl::unexpected<Failure> cannot(std::string_view doing, const fs::path& path, int error) {
  if (error == ENOMEM || error == EMFILE || error == ENFILE) throw std::bad_alloc();
  std::string what = "cannot ";
  what.append(doing).append(" ").append(path.string()).append(": ").append(system_words(error));
  return tl::unexpected<Failure>(Failure{.what = std::move(what), .remedy = {}, .error = error});
}

bool is_file_name(std::string_view name) {
  const auto odd = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '/' || c == '\\' || c == 0x7f;
  };
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
         std::ranges::none_of(name, odd);
}

bool is_path_below(std::string_view path) {
  if (path.size() > 1024) return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    if (!is_file_name(path.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return true;
}

Result<Descriptor> open_below(const Descriptor& root, std::string_view path,
                              const std::string& shown, std::vector<std::string>* created) {
  if (!path.empty() && !is_path_below(path)) {
    return fail("'" + shown + "/" + std::string(path) + "' leaves its directory");
  }
  Descriptor at(open_directory(root.get(), "."));
  if (!at) return cannot("open", "'" + shown + "'", errno);
  for (std::size_t begin = 0; begin < path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const std::string segment(path.substr(begin, end - begin));
    const auto place = "'" + shown + "/" + std::string(path.substr(0, end)) + "'";
    int fd = open_directory(at.get(), segment.c_str());
    if (fd < 0 && errno == ENOENT) {
      if (created == nullptr) return Descriptor();
      if (mkdirat(at.get(), segment.c_str(), directory_mode) != 0) {
        return cannot("create", place, errno);
      }
      created->emplace_back(path.substr(0, end));
      fd = open_directory(at.get(), segment.c_str());
      if (fd >= 0 && fchmod(fd, directory_mode) != 0) return cannot("create", place, errno);
    }
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
      return fail(place + " is a symbolic link or a file where a directory belongs",
                  "move it away; nothing outside of '" + shown + "' is read or written");
    }
    if (fd < 0) return cannot("open", place, errno);
    at = Descriptor(fd);
    begin = end + 1;
  }
  return at;
}

Result<std::string> read_file(const fs::path& file, std::size_t limit, Links links) {
  const auto opened = open_file(file, links);
  if (!opened) return tl::unexpected(opened.error());
  return read_all(opened->get(), file.string(), limit);
}

Result<std::string> read_all(int fd, const std::string& shown, std::size_t limit) {
  std::string content;
  const int error = read_pieces(fd, std::size_t{1} << 16U, [&](std::string_view piece) {
    content += piece;
    return content.size() <= limit;
  });
  if (error != 0) return cannot("read", shown, error);
  if (content.size() > limit) {
    return fail(shown + " is larger than " + std::to_string(limit) + " bytes");
  }
  return content;
}

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

Result<void> write_file(const fs::path& file, std::string_view content, unsigned mode) {
  const fs::path temporary = unfinished(file);
  const auto put = [&]() -> int {
    const Descriptor out(
        open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!out) return errno;
    if (const int error = write_all(out.get(), content)) return error;
    return fchmod(out.get(), mode) == 0 && fsync(out.get()) == 0 ? 0 : errno;
  };
  if (const int error = put()) {
    unlink(temporary.c_str());
    return cannot("write", temporary, error);
  }
  if (rename(temporary.c_str(), file.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    return cannot("rename", temporary, error);
  }
  return sync_path(file.has_parent_path() ? file.parent_path() : fs::path("."));
}

fs::path unfinished(const fs::path& file) {
  fs::path name = file;
  name += ".new";
  return name;
}

Result<void> sync_path(const fs::path& path) {
  const Descriptor opened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) return cannot("open", path, errno);
  if (fsync(opened.get()) != 0) return cannot("write", path, errno);
  return {};
}

Result<void> make_directory(const fs::path& directory, unsigned mode) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return cannot("make", directory, error.value());
  if (chmod(directory.c_str(), mode) != 0) return cannot("set the mode of", directory, errno);
  return {};
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

Result<void> remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return fail("cannot remove " + path.string() + ": " + system_words(error.value()));
  return {};
}

Result<std::string> sha256_of_file(const fs::path& file) {
  const auto opened = open_file(file, Links::refuse);
  if (!opened) return tl::unexpected(opened.error());
  Sha256 hasher;
  const int error = read_pieces(opened->get(), std::size_t{1} << 18U, [&](std::string_view piece) {
    hasher.update(piece);
    return true;
  });
  if (error != 0) return cannot("read", file, error);
  return hex(hasher.finish());
}

}  // namespace caisson

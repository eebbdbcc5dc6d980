#include "runtime/host/confine.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace caisson::host {
namespace {

constexpr std::uint64_t read_rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t write_rights =
    read_rights | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG;
// What the C library reads to look a listener's name up.
constexpr std::array<const char*, 5> name_service{
    "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf"};
constexpr std::uint64_t other_rights = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                                       LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                                       LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
// Of newer kernels than Debian 12's headers know.
constexpr std::uint64_t refer_right = 1ULL << 13;     // ABI 2: rename between directories
constexpr std::uint64_t truncate_right = 1ULL << 14;  // ABI 3
constexpr std::uint64_t scope_all = 3;                // ABI 6: abstract sockets and signals

/// landlock_ruleset_attr as of ABI 6.
struct Ruleset {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};

Result<void> failure(const std::string& what) {
  return fail("cannot confine the process to " + what + ": " +
              std::generic_category().message(errno));
}

Result<void> allow(int ruleset, const std::filesystem::path& path, std::uint64_t rights) {
  // Passing over it would take away the directory that somebody meant by it.
  if (!path.is_absolute())
    return fail("cannot confine the process to " + path.string() + ": it is no whole path");
  const int fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return {};
  if (!std::filesystem::is_directory(path)) rights &= LANDLOCK_ACCESS_FS_READ_FILE;
  const landlock_path_beneath_attr rule{.allowed_access = rights, .parent_fd = fd};
  const auto added =
      ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  if (fd >= 0) ::close(fd);
  if (added != 0) return failure(path.string());
  return {};
}

}  // namespace

Result<void> confine(const Reach& reach) {
  const auto abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 1) return {};
  const std::uint64_t newer = (abi >= 2 ? refer_right : 0) | (abi >= 3 ? truncate_right : 0);
  const Ruleset rules{.handled_access_fs = write_rights | other_rights | newer,
                      .handled_access_net = 0,
                      .scoped = abi >= 6 ? scope_all : 0};
  // Older kernels take the structure only as far as they know it.
  const std::size_t size = abi >= 6 ? sizeof(rules) : sizeof(rules.handled_access_fs);
  const int ruleset = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, size, 0));
  if (ruleset < 0) return failure("its directories");
  Result<void> result;
  for (const auto& path : reach.writable) {
    if (result) result = allow(ruleset, path, write_rights | newer);
  }
  for (const auto& path : reach.readable) {
    if (result) result = allow(ruleset, path, read_rights);
  }
  for (const char* path : name_service) {
    if (result) result = allow(ruleset, path, read_rights);
  }
  if (result && ::syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
    result = failure("its directories");
  }
  ::close(ruleset);
  return result;
}

}  // namespace caisson::host

#include "installer/confine/network.h"

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <string>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"

namespace caisson::installer {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArch = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArch = AUDIT_ARCH_AARCH64;
#else
#error "the numbers of system calls are known for amd64 and arm64"
#endif

/// Calls of x32 have this bit, and other numbers behind it.
constexpr unsigned kOtherCalls = 0x40000000;

constexpr sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset));
}

/// Goes on behind `skip` instructions when the loaded word is `value`, and else behind `otherwise`.
constexpr sock_filter equals(unsigned value, unsigned char skip, unsigned char otherwise) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, skip, otherwise);
}

constexpr sock_filter answer(unsigned what) { return BPF_STMT(BPF_RET | BPF_K, what); }

constexpr unsigned kRefuse = SECCOMP_RET_ERRNO | EACCES;

}  // namespace

Checked<void> give_up_network() {
  sock_filter filter[] = {
      load(offsetof(seccomp_data, arch)),
      equals(kArch, 1, 0),
      answer(SECCOMP_RET_KILL_PROCESS),
      load(offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kOtherCalls, 6, 0),
      equals(SYS_io_uring_setup, 5, 0),
      equals(SYS_socket, 1, 0),
      equals(SYS_socketpair, 0, 2),
      // The family is the first argument; its lower half is all that the kernel looks at.
      load(offsetof(seccomp_data, args[0])),
      equals(AF_UNIX, 0, 1),
      answer(SECCOMP_RET_ALLOW),
      answer(kRefuse),
  };
  const sock_fprog program{.len = std::size(filter), .filter = filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) {
    return refuse(Code::host_confine, "cannot set a seccomp filter: " + system_words(errno));
  }
  return {};
}

std::optional<int> run_without_network(const std::function<int()>& run) {
  constexpr int kUnconfined = 255;
  std::fflush(nullptr);
  const auto child = fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    _exit(give_up_network() ? run() : kUnconfined);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) == kUnconfined) return std::nullopt;
  return WEXITSTATUS(status);
}

}  // namespace caisson::installer

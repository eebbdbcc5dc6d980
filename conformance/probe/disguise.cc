#include "conformance/probe/disguise.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace caisson::conformance {
namespace {

/// Null on success, else the step that failed.
const char* become(const RunningInstance& instance) {
  if (geteuid() == 0) {
    const int process = static_cast<int>(syscall(SYS_pidfd_open, instance.process.pid, 0));
    if (process < 0 ||
        setns(process, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET) != 0) {
      return "enter its namespaces";
    }
    close(process);
    // A process keeps its own process namespace; only what it forks lives in the other one.
    const pid_t inside = fork();
    if (inside < 0) return "fork in its namespaces";
    if (inside > 0) {
      waitpid(inside, nullptr, 0);
      _exit(0);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
  }
  if (instance.user) {
    const auto& user = *instance.user;
    if (setgroups(user.groups.size(), user.groups.data()) != 0 ||
        setresgid(user.gid, user.gid, user.gid) != 0 ||
        setresuid(user.uid, user.uid, user.uid) != 0) {
      return "become its user";
    }
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct none[2]{};  // NOLINT(modernize-avoid-c-arrays): the kernel's own type
    if (syscall(SYS_capset, &header, none) != 0) return "give up capabilities";
  }
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  return nullptr;
}

}  // namespace

Result<std::string> as_instance(const RunningInstance& instance,
                                const std::function<std::string()>& act) {
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail(std::string("cannot make a pipe: ") + std::strerror(errno));
  const pid_t pid = fork();
  if (pid == 0) {
    std::string answer;
    if (const char* step = become(instance)) {
      answer = std::string("!cannot ") + step + ": " + std::strerror(errno);
    } else {
      answer = "=" + act();
    }
    for (std::size_t at = 0; at < answer.size();) {
      const auto written = write(ends[1], answer.data() + at, answer.size() - at);
      if (written <= 0) break;
      at += static_cast<std::size_t>(written);
    }
    _exit(0);
  }
  close(ends[1]);
  std::string answer;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    pollfd entry{ends[0], POLLIN, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || poll(&entry, 1, static_cast<int>(left.count())) <= 0) break;
    std::array<char, 4096> block{};
    const auto got = read(ends[0], block.data(), block.size());
    if (got <= 0 || answer.size() > (1 << 20)) break;
    answer.append(block.data(), static_cast<std::size_t>(got));
  }
  close(ends[0]);
  if (pid < 0) return fail(std::string("cannot fork: ") + std::strerror(errno));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  if (answer.empty()) return fail("the child of the harness ended without an answer");
  if (answer.front() == '!') return fail(answer.substr(1));
  return answer.substr(1);
}

std::string outcome_of(bool worked) {
  if (worked) return "allowed";
  const char* name = strerrorname_np(errno);
  return name != nullptr ? name : "error " + std::to_string(errno);
}

Result<std::string> opened_by(const RunningInstance& instance, const std::filesystem::path& path) {
  return as_instance(instance,
                     [&] { return outcome_of(open(path.c_str(), O_RDONLY | O_CLOEXEC) >= 0); });
}

}  // namespace caisson::conformance

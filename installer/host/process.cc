#include "installer/host/process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <new>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "base/printable.h"

namespace caisson::installer {
namespace {

using Clock = std::chrono::steady_clock;

/// How often a process whose output has ended is asked whether it has, too.
constexpr int kTick = 10;

tl::unexpected<Refusal> failed(const std::string& program, std::string_view why) {
  return refuse(Code::host_command, program + " " + std::string(why));
}

/// What a process is started with: its output goes into a pipe, and it leads a group of its own.
class Setup {
 public:
  explicit Setup(int output) {
    bad_ |= posix_spawn_file_actions_init(&actions_) != 0;
    bad_ |= posix_spawnattr_init(&attributes_) != 0;
    bad_ |= posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0) != 0;
    bad_ |= posix_spawn_file_actions_adddup2(&actions_, output, 1) != 0;
    bad_ |= posix_spawn_file_actions_adddup2(&actions_, output, 2) != 0;
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    bad_ |= posix_spawnattr_setsigdefault(&attributes_, &all) != 0;
    bad_ |= posix_spawnattr_setsigmask(&attributes_, &none) != 0;
    bad_ |= posix_spawnattr_setpgroup(&attributes_, 0) != 0;
    bad_ |= posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                                       POSIX_SPAWN_SETPGROUP) != 0;
    if (bad_) throw std::bad_alloc();
  }
  Setup(const Setup&) = delete;
  Setup& operator=(const Setup&) = delete;
  ~Setup() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  [[nodiscard]] int start(pid_t& child, const std::vector<std::string>& words) const {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char language[] = "LC_ALL=C.UTF-8";
    char pager[] = "SYSTEMD_PAGER=";
    char* const environment[] = {path, language, pager, nullptr};
    return posix_spawn(&child, words.front().c_str(), &actions_, &attributes_, arguments.data(),
                       environment);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
  bool bad_ = false;
};

int milliseconds_until(Clock::time_point end) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
  return left < 0 ? 0 : left > 1000 ? 1000 : static_cast<int>(left);
}

}  // namespace

Checked<Ended> run_process(const std::vector<std::string>& words, std::chrono::seconds deadline,
                           std::size_t most) {
  const auto& program = words.front();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::bad_alloc();
  const Descriptor output(ends[0]);
  Descriptor input(ends[1]);
  pid_t child = 0;
  if (const int error = Setup(input.get()).start(child, words)) {
    return failed(program, "cannot be started: " + system_words(error));
  }
  input = Descriptor();
  const auto end = Clock::now() + deadline;
  Ended ended;
  bool open = true;
  int status = 0;
  // Somebody whom it started may keep its output open after it has ended.
  while (waitpid(child, &status, WNOHANG) == 0) {
    const int left = milliseconds_until(end);
    if (left == 0) {
      kill(-child, SIGKILL);
      waitpid(child, &status, 0);
      return failed(program, "has not ended after " + std::to_string(deadline.count()) + " s");
    }
    pollfd waited{.fd = open ? output.get() : -1, .events = POLLIN, .revents = 0};
    if (poll(&waited, 1, open ? std::min(left, 100) : kTick) <= 0) continue;
    char bytes[4096];
    const auto got = read(output.get(), bytes, sizeof bytes);
    if (got <= 0) {
      open = got < 0 && errno == EINTR;
      continue;
    }
    ended.output.append(bytes, static_cast<std::size_t>(got));
    if (ended.output.size() > 2 * most) {
      ended.output.erase(0, ended.output.size() - most);
    }
  }
  // What it said last may still be in the pipe.
  fcntl(output.get(), F_SETFL, O_NONBLOCK);
  char bytes[4096];
  for (int reads = 0; reads < 16; ++reads) {
    const auto got = read(output.get(), bytes, sizeof bytes);
    if (got <= 0) break;
    ended.output.append(bytes, static_cast<std::size_t>(got));
  }
  if (ended.output.size() > most) {
    ended.output.erase(0, ended.output.size() - most);
  }
  std::string shown;
  for (std::size_t at = 0; at < ended.output.size();) {
    const auto line = ended.output.find('\n', at);
    const auto length = line == std::string::npos ? line : line - at;
    if (const auto text = ended.output.substr(at, length); !text.empty()) {
      shown += (shown.empty() ? "" : "\n") + printable(text);
    }
    at = line == std::string::npos ? ended.output.size() : line + 1;
  }
  ended.output = std::move(shown);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

}  // namespace caisson::installer

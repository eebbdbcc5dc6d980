#include "installer/host/process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <new>
#include <string_view>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
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

/// What a process is started with: its output goes where it is told, and it leads a group of its
/// own.
class Setup {
 public:
  Setup(int output, int errors) {
    bad_ |= posix_spawn_file_actions_init(&actions_) != 0;
    bad_ |= posix_spawnattr_init(&attributes_) != 0;
    bad_ |= posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0) != 0;
    bad_ |= posix_spawn_file_actions_adddup2(&actions_, output, 1) != 0;
    bad_ |= posix_spawn_file_actions_adddup2(&actions_, errors, 2) != 0;
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

  /// Nothing else that is open here is open there.
  void close_others() {
    if (posix_spawn_file_actions_addclosefrom_np(&actions_, 3) != 0) throw std::bad_alloc();
  }

  [[nodiscard]] int start(pid_t& child, const std::vector<std::string>& words,
                          bool as_called) const {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char language[] = "LC_ALL=C.UTF-8";
    char pager[] = "SYSTEMD_PAGER=";
    char* const environment[] = {path, language, pager, nullptr};
    return posix_spawn(&child, words.front().c_str(), &actions_, &attributes_, arguments.data(),
                       as_called ? environ : environment);
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

/// What was said, fit for a terminal: without empty lines.
std::string shown_lines(std::string_view output) {
  std::string shown;
  for (std::size_t at = 0; at < output.size();) {
    const auto line = output.find('\n', at);
    const auto length = line == std::string::npos ? line : line - at;
    if (const auto text = output.substr(at, length); !text.empty()) {
      shown += (shown.empty() ? "" : "\n") + printable(text);
    }
    at = line == std::string::npos ? output.size() : line + 1;
  }
  return shown;
}

/// A file of nobody else's, in memory.
Descriptor scratch_file() {
  Descriptor file(memfd_create("output", MFD_CLOEXEC));
  if (!file) throw std::bad_alloc();
  return file;
}

/// The last bytes of a file, up to so many.
std::string end_of(int file, std::size_t most) {
  const auto size = lseek(file, 0, SEEK_END);
  const auto length = std::min<std::size_t>(size < 0 ? 0 : static_cast<std::size_t>(size), most);
  std::string text(length, '\0');
  const auto got = pread(file, text.data(), length, size - static_cast<off_t>(length));
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

class RunningCompanion final : public Companion {
 public:
  RunningCompanion(pid_t child, std::string said) : child_(child), said_(std::move(said)) {}
  ~RunningCompanion() override { end(child_); }

  [[nodiscard]] const std::string& said() const override { return said_; }

  /// It leads a group, and all of that ends.
  static void end(pid_t child) {
    kill(-child, SIGKILL);
    waitpid(child, nullptr, 0);
  }

 private:
  pid_t child_;
  std::string said_;
};

}  // namespace

Checked<std::unique_ptr<Companion>> start_companion(const std::vector<std::string>& words,
                                                    const Manner& manner, std::size_t lines) {
  const auto output = scratch_file();
  Setup setup(output.get(), output.get());
  // A lock would be held by it when this program was killed.
  setup.close_others();
  pid_t child = 0;
  if (const int error = setup.start(child, words, manner.as_called)) {
    return failed(words.front(), "cannot be started: " + system_words(error));
  }
  const auto end = Clock::now() + manner.deadline;
  while (true) {
    const auto said = end_of(output.get(), manner.most);
    if (static_cast<std::size_t>(std::ranges::count(said, '\n')) >= lines) {
      return std::make_unique<RunningCompanion>(child, shown_lines(said));
    }
    int status = 0;
    const bool ended = waitpid(child, &status, WNOHANG) != 0;
    if (ended || Clock::now() >= end) {
      if (!ended) RunningCompanion::end(child);
      return failed(words.front(), (ended ? "has ended: " : "is not ready: ") + shown_lines(said));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(kTick));
  }
}

Checked<Ended> run_process(const std::vector<std::string>& words, std::chrono::seconds deadline,
                           std::size_t most) {
  return run_process(words, Manner{.deadline = deadline, .most = most});
}

Checked<Ended> run_process(const std::vector<std::string>& words, const Manner& manner) {
  const auto deadline = manner.deadline;
  const auto most = manner.most;
  const auto& program = words.front();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::bad_alloc();
  const Descriptor output(ends[0]);
  Descriptor input(ends[1]);
  const auto errors = manner.answers ? scratch_file() : Descriptor();
  const Setup setup(input.get(), manner.answers ? errors.get() : input.get());
  pid_t child = 0;
  if (const int error = setup.start(child, words, manner.as_called)) {
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
  const bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (manner.answers && !well) ended.output += "\n" + end_of(errors.get(), most);
  ended.output = shown_lines(ended.output);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

}  // namespace caisson::installer

#include "cli/aside.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace caisson::cli {
namespace {

/// In the other process. Nothing is thrown into the copy of what called this.
[[noreturn]] void answer(const std::function<std::string()>& find, pid_t parent,
                         std::chrono::seconds limit, int to) noexcept {
  std::signal(SIGALRM, SIG_DFL);
  alarm(static_cast<unsigned>(limit.count()));
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  const bool ready = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent &&
                     dup2(nothing, STDIN_FILENO) >= 0 && dup2(nothing, STDOUT_FILENO) >= 0;
  const bool told = ready && write_all(to, find()) == 0;
  _exit(told ? 0 : 1);
}

}  // namespace

bool Aside::start(std::size_t version, const std::function<std::string()>& find) {
  end();
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  Descriptor answers(ends[0]);
  const Descriptor written(ends[1]);
  const pid_t parent = getpid();
  process_ = fork();
  if (process_ == 0) {
    answers = Descriptor();
    answer(find, parent, limit_, written.get());
  }
  if (!runs()) return false;
  answers_ = std::move(answers);
  version_ = version;
  found_.clear();
  return true;
}

std::optional<std::string> Aside::take() {
  std::array<char, 65'536> block{};
  const auto got = read(answers_.get(), block.data(), block.size());
  if (got < 0 && errno == EINTR) return std::nullopt;
  if (got > 0) {
    found_.append(block.data(), static_cast<std::size_t>(got));
    return std::nullopt;
  }
  end();
  return std::move(found_);
}

void Aside::end() {
  if (!runs()) return;
  kill(process_, SIGKILL);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = 0;
  answers_ = Descriptor();
}

}  // namespace caisson::cli

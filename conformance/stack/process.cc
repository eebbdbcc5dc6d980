#include "conformance/stack/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/stack/confine.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;

/// Fields 3 (state), 20 (threads) and 22 (start time) of /proc/<pid>/stat.
struct Stat {
  char state = 0;
  int threads = 0;
  std::uint64_t start = 0;

  /// Nothing of it runs any more. The first thread of a killed process may be a zombie while
  /// others still hold its ports and locks.
  [[nodiscard]] bool over() const { return (state == 'Z' || state == 'X') && threads <= 1; }
};

std::optional<Stat> stat_of(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(in, text)) return std::nullopt;
  const auto after_name = text.rfind(") ");
  if (after_name == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(after_name + 2));
  Stat stat;
  fields >> stat.state;
  std::string skipped;
  for (int field = 4; field < 20; ++field) fields >> skipped;
  if (!(fields >> stat.threads >> skipped >> stat.start)) return std::nullopt;
  return stat;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

Hardening Hardening::possible() {
  if (geteuid() == 0) return {};
  return {.users = Users::starter, .no_capabilities = true, .private_mounts = false};
}

Result<ProcessId> identify(pid_t pid) {
  const auto stat = stat_of(pid);
  if (!stat) return fail("process " + std::to_string(pid) + " does not run");
  return ProcessId{pid, stat->start};
}

bool alive(ProcessId process) {
  if (process.pid <= 0) return false;
  const auto stat = stat_of(process.pid);
  if (!stat || stat->start != process.start_ticks) return false;
  if (!stat->over()) return true;
  waitpid(process.pid, nullptr, WNOHANG);
  return false;
}

Result<ProcessId> launch(const Launch& what) {
  // Opened before the user changes: the program may stand where the new user cannot walk.
  const int program = open(what.program.c_str(), O_RDONLY | O_CLOEXEC);
  if (program < 0) {
    return fail("cannot open " + what.program.string() + ": " + std::strerror(errno));
  }
  const int log = open(what.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  std::array<int, 2> report{-1, -1};
  if (log < 0 || pipe2(report.data(), O_CLOEXEC) != 0) {
    close(program);
    if (log >= 0) close(log);
    return fail("cannot open " + what.log.string() + ": " + std::strerror(errno));
  }

  std::vector<std::string> args{what.program.filename().string()};
  args.insert(args.end(), what.args.begin(), what.args.end());
  std::vector<std::string> env;
  for (const auto& [name, value] : what.env) env.push_back(name + "=" + value);
  const std::vector<char*> argv = pointers(args);
  const std::vector<char*> envp = pointers(env);

  const pid_t pid = fork();
  if (pid == 0) {
    const char* step = confine(what, log);
    if (step == nullptr) {
      // The pipe and the program's descriptor close on success; a report means that exec failed.
      fexecve(program, argv.data(), envp.data());
      step = "run the program";
    }
    std::array<char, 256> text{};
    const int size = std::snprintf(text.data(), text.size(), "%s: %s", step, std::strerror(errno));
    [[maybe_unused]] const auto written =
        write(report[1], text.data(), static_cast<std::size_t>(size));
    _exit(127);
  }
  close(program);
  close(log);
  close(report[1]);
  std::array<char, 256> text{};
  const auto size = pid < 0 ? 0 : read(report[0], text.data(), text.size());
  close(report[0]);
  if (pid < 0) return fail(std::string("cannot fork: ") + std::strerror(errno));
  if (size > 0) {
    waitpid(pid, nullptr, 0);
    return fail("cannot start " + what.program.string() + ": cannot " +
                std::string(text.data(), static_cast<std::size_t>(size)));
  }
  return identify(pid);
}

bool stop(ProcessId process, std::chrono::milliseconds grace) {
  if (!alive(process)) return true;
  kill(process.pid, SIGTERM);
  const auto end = std::chrono::steady_clock::now() + grace;
  while (alive(process)) {
    if (std::chrono::steady_clock::now() >= end) {
      kill(-process.pid, SIGKILL);
      while (alive(process)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  kill(-process.pid, SIGKILL);  // what it left behind in its session's group
  return true;
}

std::map<std::string, std::string> status_of(pid_t pid) {
  std::map<std::string, std::string> values;
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(in, line);) {
    const auto colon = line.find(":\t");
    if (colon != std::string::npos) values[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return values;
}

Result<Finished> run(const std::vector<std::string>& command, std::chrono::milliseconds limit,
                     const fs::path& directory, bool (*wanted)()) {
  std::vector<std::string> args = command;
  const std::vector<char*> argv = pointers(args);
  std::array<int, 2> out{-1, -1};
  std::array<int, 2> err{-1, -1};
  if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(err.data(), O_CLOEXEC) != 0) {
    return fail(std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  const pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0);
    dup2(out[1], 1);
    dup2(err[1], 2);
    if (directory.empty() || chdir(directory.c_str()) == 0) execvp(argv[0], argv.data());
    _exit(127);
  }
  // Also from here: the group is killed, maybe before the child has come to make it.
  if (pid > 0) setpgid(pid, pid);
  close(out[1]);
  close(err[1]);
  Finished finished;
  const auto end = std::chrono::steady_clock::now() + limit;
  std::array<pollfd, 2> open_ends{pollfd{out[0], POLLIN, 0}, pollfd{err[0], POLLIN, 0}};
  static constexpr std::size_t max_output = 16 << 20;
  bool timed_out = pid < 0;
  bool unwanted = false;
  while (!timed_out && (open_ends[0].fd >= 0 || open_ends[1].fd >= 0)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    unwanted = wanted != nullptr && !wanted();
    if (left.count() <= 0 || unwanted) {
      timed_out = true;
      break;
    }
    // A signal may arrive just before the waiting begins.
    const auto patience = std::min<std::int64_t>(left.count(), wanted == nullptr ? 60'000 : 200);
    if (poll(open_ends.data(), open_ends.size(), static_cast<int>(patience)) < 0) continue;
    for (pollfd& entry : open_ends) {
      if (entry.fd < 0 || entry.revents == 0) continue;
      std::array<char, 16384>
          block;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
      const auto got = read(entry.fd, block.data(), block.size());
      if (got <= 0) {
        entry.fd = -1;
        continue;
      }
      std::string& text = &entry == open_ends.data() ? finished.output : finished.errors;
      if (text.size() < max_output) text.append(block.data(), static_cast<std::size_t>(got));
    }
  }
  close(out[0]);
  close(err[0]);
  if (pid < 0) return fail(std::string("cannot fork: ") + std::strerror(errno));
  if (timed_out) kill(-pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  if (unwanted) return fail("interrupted");
  if (timed_out) return fail(command.front() + " did not end within its time");
  finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (finished.status == 127 && finished.output.empty() && finished.errors.empty()) {
    return fail("cannot run " + command.front(), "install it or put it on PATH");
  }
  return finished;
}

Result<fs::path> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    if (access(name.c_str(), X_OK) == 0) return fs::path(name);
    return fail("no program at " + name);
  }
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    fs::path sibling = self.parent_path() / name;
    if (access(sibling.c_str(), X_OK) == 0) return sibling;
  }
  const char* path = std::getenv("PATH");
  // Debian keeps nginx where only root looks.
  std::istringstream folders(std::string(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin") +
                             ":/usr/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    fs::path candidate = fs::path(folder) / name;
    if (!folder.empty() && access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return fail("cannot find the program '" + name + "'",
              "install it, or put it beside this program or on PATH");
}

}  // namespace caisson::conformance

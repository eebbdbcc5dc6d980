#include "runtime/observe/process_meter.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <limits>
#include <string>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace caisson::observe {
namespace {

constexpr auto no_limit = std::numeric_limits<std::int64_t>::max();

/// The smallest limit from the directory `group` below `mount` up to `mount` itself.
std::int64_t group_limit(const std::string& mount, std::string group, const std::string& file) {
  std::int64_t limit = no_limit;
  for (;; group.resize(group.rfind('/'))) {
    std::int64_t own = no_limit;  // the word "max" is no number
    std::string path = mount;
    path.append(group).append("/").append(file);
    if (std::ifstream in(path); in >> own) limit = std::min(limit, own);
    if (group.rfind('/') == std::string::npos) return limit;
  }
}

/// What the process may use: the least of its control groups' limits (version 2 and 1), its limit
/// of address space and the machine's memory.
std::int64_t memory_limit() {
  std::int64_t limit = std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  rlimit space{};
  if (::getrlimit(RLIMIT_AS, &space) == 0) {
    limit = std::min(limit, static_cast<std::int64_t>(std::min<rlim_t>(space.rlim_cur, no_limit)));
  }
  std::string line;
  std::ifstream groups("/proc/self/cgroup");
  while (std::getline(groups, line)) {
    const std::size_t path = line.find(":/");
    if (path == std::string::npos) continue;
    const std::string group = line.substr(path + 1);
    if (line.starts_with("0::")) {
      limit = std::min(limit, group_limit("/sys/fs/cgroup", group, "memory.max"));
    } else if (line.find(":memory:") != std::string::npos) {
      limit = std::min(limit, group_limit("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
    }
  }
  return limit;
}

double unix_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

}  // namespace

ProcessMeter::ProcessMeter()
    : memory_(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)),
      fds_(::opendir("/proc/self/fd"), ::closedir),
      memory_limit_(memory_limit()),
      start_seconds_(unix_seconds()) {}

ProcessMeter::~ProcessMeter() {
  if (memory_ >= 0) ::close(memory_);
}

ProcessReadings ProcessMeter::read() const {
  ProcessReadings now{.start_seconds = start_seconds_,
                      .memory_limit_bytes = memory_limit_,
                      .open_fds = count_fds()};
  timespec cpu{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0) {
    now.cpu_seconds = static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / 1e9;
  }
  std::array<char, 128> text{};
  long long pages = 0;
  if (::pread(memory_, text.data(), text.size() - 1, 0) > 0 &&
      std::sscanf(text.data(), "%*s %lld", &pages) == 1) {
    now.resident_bytes = pages * ::sysconf(_SC_PAGESIZE);
  }
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    now.max_fds = static_cast<std::int64_t>(std::min<rlim_t>(files.rlim_cur, no_limit));
  }
  return now;
}

std::int64_t ProcessMeter::count_fds() const {
  if (!fds_) return 0;
  const std::lock_guard lock(mutex_);
  ::rewinddir(fds_.get());
  std::int64_t count = -2;  // "." and ".."
  while (::readdir(fds_.get()) != nullptr) ++count;
  return std::max<std::int64_t>(count, 0);
}

}  // namespace caisson::observe

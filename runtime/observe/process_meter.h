#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include <dirent.h>

namespace caisson::observe {

/// What the process uses of the machine.
struct ProcessReadings {
  double cpu_seconds = 0;
  double start_seconds = 0;  ///< Unix time
  std::int64_t resident_bytes = 0;
  std::int64_t memory_limit_bytes = 0;  ///< least of control groups, address space and machine
  std::int64_t open_fds = 0;
  std::int64_t max_fds = 0;
};

/// Reads them from files that it opens once: make it before the process is confined, which takes
/// away /proc. What cannot be read is 0. Safe to use from every thread.
class ProcessMeter {
 public:
  ProcessMeter();
  ProcessMeter(const ProcessMeter&) = delete;
  ProcessMeter& operator=(const ProcessMeter&) = delete;
  ~ProcessMeter();

  [[nodiscard]] ProcessReadings read() const;

 private:
  [[nodiscard]] std::int64_t count_fds() const;

  const int memory_;  ///< /proc/self/statm
  const std::unique_ptr<DIR, int (*)(DIR*)> fds_;
  const std::int64_t memory_limit_;
  const double start_seconds_;
  mutable std::mutex mutex_;  ///< guards the position of `fds_`
};

}  // namespace caisson::observe

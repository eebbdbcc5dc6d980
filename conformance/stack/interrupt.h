#pragma once

#include <array>

#include <signal.h>

namespace caisson::conformance {

/// While one lives, SIGINT, SIGTERM and SIGHUP do not end the program but raise a flag that
/// everything that waits looks at, so that what was started is stopped. The former handlers come
/// back afterwards.
class InterruptGuard {
 public:
  InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  ~InterruptGuard();

 private:
  static constexpr std::array signals{SIGINT, SIGTERM, SIGHUP};
  std::array<struct sigaction, signals.size()> former_{};
};

/// True once the user has asked the program to end, inside a guard.
[[nodiscard]] bool interrupted();

}  // namespace caisson::conformance

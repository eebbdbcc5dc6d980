#pragma once

#include <chrono>
#include <string_view>

#include "base/result.h"

namespace caisson::host {

/// What the process does to itself before it opens anything: no core dumps and no ptrace by others,
/// no new privileges ever, files readable by their owner alone, no SIGPIPE, and as many file
/// descriptors as the hard limit grants.
[[nodiscard]] Result<void> harden_process();

/// Has the allocator give freed memory back to the system, so that what the process accounts for is
/// what it uses, and keeps threads and arenas small where the address space is bounded (RLIMIT_AS).
/// Before the first thread.
void bound_allocator();

/// Tells the service manager that started the process, if one did, how it is: "READY=1",
/// "STOPPING=1" (sd_notify(3)). Nobody listening is fine.
void notify_manager(std::string_view state);

/// SIGTERM, SIGINT and SIGHUP, taken out of the hands of every thread that starts afterwards.
class Signals {
 public:
  Signals();
  /// Waits for the next of them.
  [[nodiscard]] int wait() const;
  /// Waits for the next of them, at most as long as this; 0 when none came.
  [[nodiscard]] int wait_for(std::chrono::milliseconds patience) const;
};

}  // namespace caisson::host

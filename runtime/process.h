#pragma once

#include "generator/source/result.h"

namespace caisson::runtime {

/// What the process does to itself before it opens anything: no core dumps and no ptrace by others,
/// no new privileges ever, files readable by their owner alone, no SIGPIPE, and as many file
/// descriptors as the hard limit grants.
[[nodiscard]] Result<void> harden_process();

/// SIGTERM, SIGINT and SIGHUP, taken out of the hands of every thread that starts afterwards.
class Signals {
 public:
  Signals();
  /// Waits for the next of them.
  [[nodiscard]] int wait() const;
};

}  // namespace caisson::runtime

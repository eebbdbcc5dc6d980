#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "installer/disk/crash_disk_testing.h"

namespace caisson::installer::testing {

/// What is interrupted, and what has to hold then. Each is called on machines of its own, very
/// often, and keeps nothing but what the machine's disks hold and what `told` says.
struct Scenario {
  std::function<void(Machine&)> run;
  /// What the machine does when it starts again. It may be interrupted too.
  std::function<void(Machine&)> recover;
  /// What is wrong after `recover`; "" when nothing is.
  std::function<std::string(Machine&)> fault;
};

/// How many of the possible crashes are tried. All of them where there are fewer.
struct Bounds {
  std::size_t crashes = 48;         ///< at each call
  std::size_t recoveries = 48;      ///< of them whose recovery crashes at each of its calls
  std::size_t crashes_again = 4;    ///< at each call of such a recovery
  std::size_t stride = 1;           ///< such recoveries follow crashes at every so manieth call
  std::size_t crashes_failed = 12;  ///< after a run in which a call failed
  std::size_t failing = 1000;       ///< recoveries in which each call fails
};

/// What was tried.
struct Explored {
  std::size_t calls = 0;      ///< of the run, at which it crashed
  std::size_t crashes = 0;    ///< of the run
  std::size_t again = 0;      ///< crashes of recoveries that followed a crash
  std::size_t failures = 0;   ///< runs and recoveries in which a call failed
  std::size_t different = 0;  ///< disks that recoveries began with, no two of them alike
  std::size_t wrong = 0;      ///< of them
  /// How it came to each first one, and what is wrong; no two are wrong in the same way.
  std::vector<std::string> faults;

  [[nodiscard]] std::size_t states() const { return crashes + again + failures; }
  [[nodiscard]] std::string text() const;
};

/// Some of the ways in which a crash can leave unsure operations, at most `most` and at least four,
/// always the same ones for a `salt`: all of them when they are few. Else nothing and everything;
/// everything up to each operation; all names without content and all content without names; each
/// alone, and each left out in each way; then pairs left out.
[[nodiscard]] std::vector<std::vector<Left>> survivors(std::span<const Unsure> unsure,
                                                       std::size_t most, std::size_t salt);

/// Runs the scenario on a copy of `begin` and crashes before each call that writes and at the end,
/// in several ways; then recovers, which crashes at each of its calls too, and asks what is wrong.
/// A recovery after a recovery may change nothing. Then each call of the run, and of the recovery
/// from the plainest crashes, fails: for want of space and with an error of the device, once and
/// from there on. After each the machine recovers as it runs, unless a
/// file system was shut down, and after a crash.
[[nodiscard]] Explored explore(const Machine& begin, const Scenario& scenario,
                               const Bounds& bounds = {});

}  // namespace caisson::installer::testing

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "installer/host/host.h"

namespace caisson::installer {

/// How a program is run.
struct Manner {
  std::chrono::seconds deadline{60};
  std::size_t most = 4096;  ///< bytes of what it says that are kept, the last ones
  bool as_called = false;   ///< in the environment of this program
  bool answers = false;     ///< when it ends with 0, what it wrote to standard error does not count
};

/// The same as below.
[[nodiscard]] Checked<Ended> run_process(const std::vector<std::string>& words,
                                         const Manner& manner);

/// Starts a program that runs beside others, and waits until it has said so many lines.
[[nodiscard]] Checked<std::unique_ptr<Companion>> start_companion(
    const std::vector<std::string>& words, const Manner& manner, std::size_t lines);

/// Runs a program to its end, in a fixed environment, with nothing to read; `words` begins with its
/// absolute path. After the deadline it is killed, with all of its process group, and the result is
/// `Code::host_command`. Open descriptors that are not close-on-exec are its as well: a lock that
/// this process holds is held until the program has ended too.
/// Of what it says the last `most` bytes are kept.
[[nodiscard]] Checked<Ended> run_process(const std::vector<std::string>& words,
                                         std::chrono::seconds deadline, std::size_t most = 4096);

}  // namespace caisson::installer

#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "installer/host/host.h"

namespace caisson::installer {

/// Runs a program to its end, in a fixed environment, with nothing to read; `words` begins with its
/// absolute path. After the deadline it is killed, with all of its process group, and the result is
/// `Code::host_command`. Open descriptors that are not close-on-exec are its as well: a lock that
/// this process holds is held until the program has ended too.
/// Of what it says the last `most` bytes are kept.
[[nodiscard]] Checked<Ended> run_process(const std::vector<std::string>& words,
                                         std::chrono::seconds deadline, std::size_t most = 4096);

}  // namespace caisson::installer

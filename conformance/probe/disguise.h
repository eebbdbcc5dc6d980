#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"
#include "conformance/stack/running.h"

namespace caisson::conformance {

/// Runs `act` in a child that is what an instance's process is: its mounts, processes, IPC and
/// network, its user and groups, and no capability. What it returns comes back (at most 1 MiB).
/// Needs root when the instance has a user of its own. `act` runs after a fork, so it keeps to
/// system calls and its own memory.
[[nodiscard]] Result<std::string> as_instance(const RunningInstance& instance,
                                              const std::function<std::string()>& act);

/// What comes of it when the instance opens a file to read: "allowed", or the name of the error.
[[nodiscard]] Result<std::string> opened_by(const RunningInstance& instance,
                                            const std::filesystem::path& path);

/// "allowed", or the name of the error that a system call failed with ("EACCES").
[[nodiscard]] std::string outcome_of(bool worked);

}  // namespace caisson::conformance

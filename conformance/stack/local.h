#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "conformance/stack/origin.h"
#include "conformance/stack/process.h"
#include "conformance/stack/running.h"
#include "conformance/stack/secrets.h"

namespace caisson::conformance {

/// Generated files by their path below `local/`.
using LocalTree = std::map<std::string, std::string>;

struct LocalOptions {
  std::filesystem::path state{};           ///< made fresh; refused when something runs there
  std::filesystem::path spec_directory{};  ///< secrets from files are relative to it
  std::map<std::string, std::filesystem::path> programs{};  ///< instead of those found by name
  std::map<std::string, std::string> extra_env{};           ///< for every caisson-runtime process
  TokenKey token_key{};                                     ///< its key pair is made here
  Hardening hardening = Hardening::possible();
  std::chrono::milliseconds ready_within{20'000};  ///< for each process
  /// As long as services have to run after the last one became ready: a service that ends before
  /// has failed.
  std::chrono::milliseconds settle{1'000};
  std::uint64_t processes_limit = 256;
  bool owned = false;  ///< by this program: `sweep_local` removes it once that has gone
  Origin origin{};     ///< noted with the digest of the tree
  std::string stop_with = "caisson down";  ///< the command that stops what runs there already
  std::function<void(const std::string&)> progress{};  ///< one line per step; may be empty
};

/// Starts the stack that `tree` describes (docs/local.md), each process when those it needs are
/// ready. What is in the way is said before anything starts. When a process fails, or a service
/// ends while it should settle, everything started is stopped again and the state directory emptied
/// but for its logs; when the user interrupts, those are removed as well. A stack of which nothing
/// runs any more, as after a reboot, makes room with all it kept; `progress` says so.
[[nodiscard]] Result<RunningStack> up_local(const LocalTree& tree, const LocalOptions& options);

/// What `up_local` left in a state directory. Fails when there is nothing, or when a process has
/// gone.
[[nodiscard]] Result<RunningStack> attach_local(const std::filesystem::path& state);

/// Stops every process of the state directory, last started first, and removes the directory. Also
/// cleans up after an `up` that was killed half-way. Fails when there is no stack.
[[nodiscard]] Result<void> down_local(const std::filesystem::path& state,
                                      const std::function<void(const std::string&)>& progress = {});

/// Stops one process of a running stack, as it runs now: an earlier probe may have restarted it.
/// `grace` 0 kills it. For probes that crash it on purpose.
void stop_local(const std::filesystem::path& state, const std::string& process,
                std::chrono::milliseconds grace);

/// Starts one stopped process of a running stack again.
[[nodiscard]] Result<ProcessId> restart_local(const std::filesystem::path& state,
                                              const std::string& process);

/// Starts again what is down of a stack that runs otherwise: a probe was killed between stopping
/// and starting it. False when nothing of the stack runs.
[[nodiscard]] Result<bool> revive_local(const std::filesystem::path& state);

/// Stops and removes an owned stack whose owner has gone, however far it had come. Fails when it
/// has none or that still runs.
[[nodiscard]] Result<void> sweep_local(const std::filesystem::path& state);

}  // namespace caisson::conformance

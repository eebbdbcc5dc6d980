#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "conformance/stack/process.h"
#include "conformance/stack/running.h"
#include "generator/source/result.h"

namespace caisson::conformance {

/// Generated files by their path below `local/`.
using LocalTree = std::map<std::string, std::string>;

struct LocalOptions {
  std::filesystem::path state{};           ///< made fresh; refused when something runs there
  std::filesystem::path spec_directory{};  ///< secrets from files are relative to it
  std::map<std::string, std::filesystem::path> programs{};  ///< instead of those found by name
  std::map<std::string, std::string> extra_env{};           ///< for every caisson-runtime process
  std::string token_key_secret{};  ///< secret that holds the public key of tokens; its key pair is
                                   ///< made here
  std::string token_algorithm{};   ///< "EdDSA", "ES256", "RS256", "HS256"
  Hardening hardening = Hardening::possible();
  std::chrono::milliseconds ready_within{20'000};  ///< for each process
  std::uint64_t processes_limit = 256;
  std::function<void(const std::string&)> progress{};  ///< one line per step; may be empty
};

/// Starts the stack that `tree` describes (docs/local.md), each process when those it needs are
/// ready. When anything fails, or the user interrupts, everything started is stopped again and the
/// state directory kept for its logs.
[[nodiscard]] Result<RunningStack> up_local(const LocalTree& tree, const LocalOptions& options);

/// What `up_local` left in a state directory. Fails when there is nothing, or when a process has
/// gone.
[[nodiscard]] Result<RunningStack> attach_local(const std::filesystem::path& state);

/// Stops every process of the state directory, last started first, and removes the directory. Also
/// cleans up after an `up` that was killed half-way. Fails when there is no stack.
[[nodiscard]] Result<void> down_local(const std::filesystem::path& state,
                                      const std::function<void(const std::string&)>& progress = {});

/// Starts one stopped process of a running stack again, for probes that crash it on purpose.
[[nodiscard]] Result<ProcessId> restart_local(const std::filesystem::path& state,
                                              const std::string& process);

/// Marks a state directory as belonging to this process alone: `caisson sweep` removes it when the
/// process has gone.
[[nodiscard]] Result<void> own_state(const std::filesystem::path& state);

/// Whether the process that wrote this mark still runs.
[[nodiscard]] bool owner_lives(const std::string& mark);

/// Where the state of a deployment goes by default: /var/lib/caisson/<name> for root, else
/// $XDG_STATE_HOME/caisson/<name> (~/.local/state).
[[nodiscard]] std::filesystem::path default_state(const std::string& name);

}  // namespace caisson::conformance

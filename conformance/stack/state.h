#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "conformance/stack/process.h"

// What a state directory says of its stack besides the generated files.
namespace caisson::conformance {

/// What `up` decided and `down`, `attach` and `restart` must know: `state.json`.
struct Record {
  std::uint32_t uid_base = 0;
  Hardening hardening{};
  std::map<std::string, std::string> programs{};
  std::map<std::string, std::string> extra_env{};
  std::uint64_t processes_limit = 0;
  bool marker = false;
};

[[nodiscard]] Result<void> write_record(const std::filesystem::path& state, const Record& record);
[[nodiscard]] Result<Record> read_record(const std::filesystem::path& state);

/// The first of `count` user ids that the processes of a state directory, which is there, get. With
/// `registry`, a file of the machine that notes whose ids are whose, no two directories that are
/// there have one in common; empty: nobody changes users, and any will do.
[[nodiscard]] Result<std::uint32_t> claim_users(const std::filesystem::path& state,
                                                std::uint32_t count,
                                                const std::filesystem::path& registry);
/// The range of a state directory, which is gone, is free again. What fails is made up for by the
/// next claim.
void release_users(const std::filesystem::path& registry);
/// Where the machine notes whose user ids are whose: for root, who alone can give any away.
[[nodiscard]] std::filesystem::path users_registry();

/// One line a started process: name, pid, start time.
[[nodiscard]] Result<void> note_started(const std::filesystem::path& state, const std::string& name,
                                        ProcessId id);
/// What was noted, in the order of the starts.
[[nodiscard]] std::vector<std::pair<std::string, ProcessId>> started_in(
    const std::filesystem::path& state);
/// Whether anything that was noted runs.
[[nodiscard]] bool runs_in(const std::filesystem::path& state);
/// Processes whose working directory is one of the stack's though nobody noted them (an `up` killed
/// at the wrong moment).
[[nodiscard]] std::vector<ProcessId> strays_in(const std::filesystem::path& state);

/// Marks a state directory as belonging to this process alone.
[[nodiscard]] Result<void> own_state(const std::filesystem::path& state);
/// Whether the process that wrote the file `owner` of a state directory still runs.
[[nodiscard]] bool owner_lives(const std::string& mark);

/// Where the state of a deployment goes by default: /var/lib/caisson/<name> for root, else
/// $XDG_STATE_HOME/caisson/<name> (~/.local/state).
[[nodiscard]] std::filesystem::path default_state(const std::string& name);

}  // namespace caisson::conformance

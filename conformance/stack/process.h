#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "base/result.h"

namespace caisson::conformance {

/// A process that cannot be mistaken for a later one with the same number.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  ///< field 22 of /proc/<pid>/stat

  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

/// What is taken away from the processes of a local stack. `caisson prove` gives single things
/// back.
struct Hardening {
  enum class Users : std::uint8_t {
    own,      ///< a user and group for each process (needs root)
    shared,   ///< one unprivileged user for all
    starter,  ///< the user who runs the harness
  };
  Users users = Users::own;
  bool no_capabilities = true;  ///< empty capability sets, no_new_privs
  bool private_mounts = true;   ///< own /tmp, /dev/shm and IPC, read-only root (needs root)
  bool private_secrets = true;  ///< secret files only for those who are given them

  /// The most that the calling user can have.
  [[nodiscard]] static Hardening possible();
  friend bool operator==(const Hardening&, const Hardening&) = default;
};

/// The user that a process runs as.
struct User {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups{};
};

/// Everything about a process to be started. Nothing of the environment, descriptors, limits or
/// session of the starter is passed on.
struct Launch {
  std::filesystem::path program{};
  std::vector<std::string> args{};
  std::vector<std::pair<std::string, std::string>> env{};
  std::filesystem::path directory{};  ///< stays visible below a private /tmp
  std::filesystem::path work{};       ///< working directory, below `directory`; empty: that itself
  std::filesystem::path log{};        ///< both outputs are appended to it; made with mode 0600
  std::optional<User> user{};         ///< nullopt: as the starter
  bool no_capabilities = true;
  bool private_mounts = false;
  std::vector<std::filesystem::path> writable{};  ///< below `directory`; the rest is read-only
  std::uint64_t open_files = 65536;
  std::uint64_t processes = 0;  ///< limit per user; 0: unlimited
};

/// Starts a process in a session of its own. Returns once it has become the program, or fails with
/// the step that did not work.
[[nodiscard]] Result<ProcessId> launch(const Launch& what);

/// True while this very process runs (not as a zombie). Reaps it when it was a child.
[[nodiscard]] bool alive(ProcessId process);

/// The identity of a running process.
[[nodiscard]] Result<ProcessId> identify(pid_t pid);

/// SIGTERM, then SIGKILL to the whole session when `grace` is over. True when the process went by
/// itself.
bool stop(ProcessId process, std::chrono::milliseconds grace);

/// `Name: value` lines of /proc/<pid>/status.
[[nodiscard]] std::map<std::string, std::string> status_of(pid_t pid);

/// Runs a program to its end with no input and the environment of the caller; bounded in time and
/// output. `wanted` ends it when it turns false.
struct Finished {
  int status = -1;  ///< exit status, or 128 + signal
  std::string output;
  std::string errors;
};
[[nodiscard]] Result<Finished> run(const std::vector<std::string>& command,
                                   std::chrono::milliseconds limit,
                                   const std::filesystem::path& directory = {},
                                   bool (*wanted)() = nullptr);

/// The path of a program: itself when it has a slash, else the sibling of this program, else from
/// PATH.
[[nodiscard]] Result<std::filesystem::path> find_program(const std::string& name);

}  // namespace caisson::conformance

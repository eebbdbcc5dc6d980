#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "installer/format/refusal.h"

namespace caisson::installer {

/// What a file system has left.
struct Space {
  std::uint64_t device = 0;  ///< which one it is
  std::uint64_t bytes = 0;
  std::uint64_t inodes = 0;
};

/// A program of a release to be run.
struct Command {
  std::string program;  ///< its absolute path
  std::vector<std::string> arguments;
  std::string account;  ///< whose process it is; root's for ""
  std::chrono::seconds deadline{60};
  /// It is run again until it ends with 0, as long as this has not passed.
  std::chrono::seconds patience{0};
  /// It gets a directory of its own as its last argument, and what it writes there is handed over.
  bool reports = false;
  std::size_t most_output = 4096;  ///< bytes of what it said that are kept
  /// Its environment is the one that this program was called in, as helm and kubectl want it, and
  /// not the fixed one.
  bool as_called = false;
  /// Of one that ends with 0 only what it wrote to standard output is kept.
  bool answers = false;
};

/// A program that runs beside others, until this goes.
class Companion {
 public:
  virtual ~Companion() = default;
  Companion(const Companion&) = delete;
  Companion& operator=(const Companion&) = delete;
  /// The lines that it was waited for.
  [[nodiscard]] virtual const std::string& said() const = 0;

 protected:
  Companion() = default;
};

/// How a program ended.
struct Ended {
  int status = 0;      ///< its exit status; 128 and the signal that ended it
  std::string output;  ///< the end of all that it said, fit for a terminal
  /// The files of its report by name: regular ones, up to 16 of at most 4 MiB.
  std::map<std::string, std::string> report;
};

/// What systemd says of a unit.
struct UnitState {
  std::string load;      ///< "loaded", "not-found"
  std::string active;    ///< "active", "inactive", "failed"
  std::string enabled;   ///< "enabled", "disabled", "static"; may be empty
  std::string file;      ///< that it was read from
  std::string drop_ins;  ///< files that change it, apart by blanks
  std::uint64_t restarts = 0;
};

/// The one way to everything of this host that is no file: systemd, accounts, and programs of a
/// release. A test puts a model of it in its place. Everything may be asked for again: what is so
/// already stays so. A command that does not do what it should is `Code::host_command`.
class Host {
 public:
  virtual ~Host() = default;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  [[nodiscard]] virtual bool is_root() const = 0;
  /// The version of the systemd that is process 1; 0 when another program is.
  [[nodiscard]] virtual Checked<std::uint64_t> systemd_version() = 0;
  /// Of the file system that holds an absolute path, or the nearest directory above it.
  [[nodiscard]] virtual Checked<Space> space(std::string_view path) = 0;
  /// The mount points below an absolute path, but not itself, sorted.
  [[nodiscard]] virtual Checked<std::vector<std::string>> mounts_below(std::string_view path) = 0;
  /// Whether a program listens on a TCP port of this host.
  [[nodiscard]] virtual Checked<bool> is_taken(std::uint16_t port) = 0;

  /// Makes the accounts of a file of sysusers.d(5).
  [[nodiscard]] virtual Checked<void> make_accounts(std::string_view file) = 0;
  /// Makes the directories of a file of tmpfiles.d(5).
  [[nodiscard]] virtual Checked<void> make_directories(std::string_view file) = 0;
  /// The number of an account.
  [[nodiscard]] virtual Checked<std::uint32_t> user(std::string_view name) = 0;
  /// The number of a group.
  [[nodiscard]] virtual Checked<std::uint32_t> group(std::string_view name) = 0;

  /// Makes systemd read unit files again.
  [[nodiscard]] virtual Checked<void> reload_units() = 0;
  /// Whether a unit is started when this host boots.
  [[nodiscard]] virtual Checked<void> set_enabled(std::string_view unit, bool enabled) = 0;
  [[nodiscard]] virtual Checked<UnitState> unit(std::string_view unit) = 0;
  /// Starts units, and waits until all of them are active.
  [[nodiscard]] virtual Checked<void> start(const std::vector<std::string>& units) = 0;
  /// Stops units, and waits until none of them is active. A unit that systemd does not know is
  /// stopped.
  [[nodiscard]] virtual Checked<void> stop(const std::vector<std::string>& units) = 0;
  /// Has a unit started without waiting for it, as something that the boot itself waits for must.
  [[nodiscard]] virtual Checked<void> start_later(std::string_view unit) = 0;

  /// Runs a program to its end. One that cannot be started or runs longer than its deadline, when
  /// it is killed, is `Code::host_command`.
  [[nodiscard]] virtual Checked<Ended> run(const Command& command) = 0;
  /// Starts a program that is to run beside others, and waits until it has said so many lines, for
  /// as long as its deadline. It holds no lock of this program, and ends by itself after an hour.
  [[nodiscard]] virtual Checked<std::unique_ptr<Companion>> start_beside(const Command& command,
                                                                         std::size_t lines);
  /// The absolute path of a program that whoever called this one would run by this name; empty
  /// where there is none.
  [[nodiscard]] virtual std::string find_program(std::string_view name);
  /// Random bytes.
  [[nodiscard]] virtual std::string random(std::size_t bytes) = 0;
  /// Seconds since 1970, by a clock that may be wrong.
  [[nodiscard]] virtual std::uint64_t now() = 0;

 protected:
  Host() = default;
};

}  // namespace caisson::installer

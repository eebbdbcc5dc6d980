#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "conformance/stack/description.h"
#include "conformance/stack/process.h"

// What is in the way of a local stack, told before anything of it starts, and what may be behind a
// process that does not come up.
namespace caisson::conformance {

/// Whether a listener could be opened at a port of the loopback interface.
[[nodiscard]] bool can_listen(std::uint16_t port);

/// The lowest port that a process so confined may listen at on this machine.
[[nodiscard]] std::uint16_t lowest_port(const Hardening& hardening);

/// Whether every program is there and every port free and none below `lowest`, else all that is in
/// the way at once. `programs` replaces those found by name.
[[nodiscard]] Result<void> check_ground(const StackDescription& stack,
                                        const std::map<std::string, std::string>& programs,
                                        std::uint16_t lowest);

/// Words of a command that name files which its process cannot see: below a private /tmp, below
/// directories that its user cannot enter, or relative to the spec instead of to its own empty
/// directory. One sentence each, for whoever wonders why it did not start.
[[nodiscard]] std::vector<std::string> hidden_files(const Launch& what,
                                                    const std::filesystem::path& spec_directory);

/// Ports of the loopback interface, with what needs each, that something else holds: a line each,
/// with who listens there. Empty when all are free, though perhaps not for this user.
[[nodiscard]] std::string held_ports(
    const std::vector<std::pair<std::string, std::uint16_t>>& needed);

/// The last lines of a text, indented, at most ten, without any of the secrets in `secrets`.
[[nodiscard]] std::string last_lines(std::string text, const std::filesystem::path& secrets);

/// The same of a log.
[[nodiscard]] std::string log_tail(const std::filesystem::path& log,
                                   const std::filesystem::path& secrets);

}  // namespace caisson::conformance

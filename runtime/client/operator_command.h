#pragma once

#include <span>
#include <string>

#include "runtime/context/configuration.h"

namespace caisson::client {

/// `caisson-runtime operator`: one call of the operator API of the runtime that this configuration
/// describes, with its token. `words` are the command, what varies in its path, and `NAME=TEXT`,
/// `NAME:=JSON` or `-` (the body is on standard input). Prints the answer's body.
/// Returns the exit status: 0 done, 1 refused, 2 bad usage, 3 nobody answers.
[[nodiscard]] int run_operator_command(const context::Configuration& configuration,
                                       std::span<char* const> words);

/// One line a command.
[[nodiscard]] std::string operator_commands();

}  // namespace caisson::client

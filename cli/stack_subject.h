#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/console.h"
#include "conformance/commands.h"

namespace CLI {
class App;
}

namespace caisson::cli {

/// The options that every command on a stack has.
struct StackArguments {
  std::string spec;
  std::string environment;
  std::string answers;
  std::string blueprints;
  std::string state;
  std::string runtime;
  std::string target = "local";
};

/// SPEC, --env, --answers and --blueprints.
void add_subject(CLI::App& app, StackArguments& arguments);

/// The same, --state and --runtime.
void add_stack(CLI::App& app, StackArguments& arguments);

/// --target, for the commands that know more than one.
void add_target(CLI::App& app, StackArguments& arguments);

[[nodiscard]] conformance::StackOptions stack_options(const StackArguments& arguments);

/// Reads the spec and runs `command` on it with the console's streams. What is wrong with the spec
/// is printed and counts as "something was in the way", 3: 1 and 2 are verdicts on a stack. A
/// command that `starts` something refuses what no target can make good, and wants all answers; one
/// that can do `without` does that for a spec that is wrong or gone, never for a wrong option.
int on_subject(const StackArguments& arguments, Console& console,
               const std::function<conformance::Status(const conformance::Subject&,
                                                       const conformance::Output&)>& command,
               bool starts = true,
               const std::function<conformance::Status(const conformance::Output&)>& without = {});

/// Runs `command` with the console's streams.
int with_output(Console& console,
                const std::function<conformance::Status(const conformance::Output&)>& command);

}  // namespace caisson::cli

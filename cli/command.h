#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/console.h"

namespace CLI {
class App;
}

namespace caisson::cli {

/// How the program ends. Every command documents its own use of them; the numbers never change.
enum class Exit : int {
  ok = 0,
  findings = 1,     ///< the spec has errors, output is stale, the sides differ
  usage = 2,        ///< the command line makes no sense
  environment = 3,  ///< a file, a repository or a process was in the way
};

/// Says what the failure is; how the program then ends.
[[nodiscard]] inline int fail_with(const Failure& failure, Console& console,
                                   Exit exit = Exit::environment) {
  console.failure(failure);
  return static_cast<int>(exit);
}

/// A subcommand: its place in the parser, and what it does when chosen. Its options live in `run`.
struct Command {
  CLI::App* app;
  std::function<int(Console&)> run;
  Exit misuse = Exit::usage;  ///< how it ends when its command line makes no sense
};

// One file per command. Each adds its subcommand, options and help to `root`.
[[nodiscard]] Command validate_command(CLI::App& root);
[[nodiscard]] Command plan_command(CLI::App& root);
[[nodiscard]] Command generate_command(CLI::App& root);
[[nodiscard]] Command diff_command(CLI::App& root);
[[nodiscard]] Command image_command(CLI::App& root);
[[nodiscard]] Command bundle_sign_command(CLI::App& root);
[[nodiscard]] Command bundle_waive_command(CLI::App& root);
[[nodiscard]] Command bundle_create_command(CLI::App& root);
[[nodiscard]] Command bundle_scan_command(CLI::App& root);
[[nodiscard]] Command bundle_diff_command(CLI::App& root);
[[nodiscard]] Command bundle_unpack_command(CLI::App& root);
/// `caisson bundle` verify, inspect, split and join.
[[nodiscard]] std::vector<Command> bundle_check_commands(CLI::App& root);
/// The commands of `caisson keys`.
[[nodiscard]] std::vector<Command> keys_commands(CLI::App& root);
/// The group of the commands of `caisson bundle`; makes it where it is not there.
[[nodiscard]] CLI::App& bundle_group(CLI::App& root);
[[nodiscard]] Command init_command(CLI::App& root);
[[nodiscard]] Command explain_command(CLI::App& root);
[[nodiscard]] Command schema_command(CLI::App& root);
[[nodiscard]] Command completion_command(CLI::App& root);
[[nodiscard]] Command blueprints_command(CLI::App& root);

// On running stacks. For these 1 and 2 are verdicts, so that everything in the way is 3.
[[nodiscard]] Command up_command(CLI::App& root);
[[nodiscard]] Command down_command(CLI::App& root);
[[nodiscard]] Command conform_command(CLI::App& root);
[[nodiscard]] Command prove_command(CLI::App& root);
[[nodiscard]] Command sweep_command(CLI::App& root);

/// What `explain` can be asked about: field paths and codes.
[[nodiscard]] std::vector<std::string> explain_subjects();

}  // namespace caisson::cli

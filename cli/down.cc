#include <memory>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/stack_subject.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes =
    R"(Stops what `caisson up` started and removes its data, secrets and logs. Of another spec's stack in the same
--state it says whose it is, and leaves it alone as long as that file is there to stop it. A spec that has
gone wrong or away since is no hindrance: the stack notes which file and --env it was started from. Where the
file started several, none is stopped, and the command that stops it is said of each.

examples:
  caisson down examples/quickstart/deployment.yaml

exit codes:
  0  nothing of the stack is left
  3  something was in the way
)";

}  // namespace

Command down_command(CLI::App& root) {
  auto* app =
      root.add_subcommand("down", "stop a stack and remove its data")->group("running stacks");
  auto arguments = std::make_shared<StackArguments>();
  add_stack(*app, *arguments);
  add_target(*app, *arguments);
  app->footer(kNotes);
  return {.app = app,
          .run =
              [arguments](Console& console) {
                return on_subject(
                    *arguments, console,
                    [&](const auto& subject, const auto& output) {
                      return conformance::down(subject, stack_options(*arguments), output);
                    },
                    false,
                    [&](const auto& output) {
                      return conformance::down_unread(arguments->spec, arguments->environment,
                                                      stack_options(*arguments), output);
                    });
              },
          .misuse = Exit::environment};
}

}  // namespace caisson::cli

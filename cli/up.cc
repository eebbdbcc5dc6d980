#include <memory>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/stack_subject.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes =
    R"(Generates the stack and starts it: target `local` runs plain processes and needs neither containers nor root,
target `compose` runs containers. Prints the address and where logs and secrets are. When a part does not
become healthy everything is stopped again. A stack of processes that have all gone, as after a reboot, is
started anew and says so: its data, keys and logs are removed.

examples:
  caisson up examples/quickstart/deployment.yaml
  caisson up deployment.yaml --env demo --target compose
  caisson down deployment.yaml                             stop it and remove what it made

exit codes:
  0  every part is healthy
  3  something was in the way, or the user interrupted; nothing is left running
)";

}  // namespace

Command up_command(CLI::App& root) {
  auto* app = root.add_subcommand("up", "generate a stack and start it")->group("running stacks");
  auto arguments = std::make_shared<StackArguments>();
  add_stack(*app, *arguments);
  add_target(*app, *arguments);
  app->footer(kNotes);
  return {.app = app,
          .run =
              [arguments](Console& console) {
                return on_subject(
                    *arguments, console, [&](const auto& subject, const auto& output) {
                      return conformance::up(subject, stack_options(*arguments), output);
                    });
              },
          .misuse = Exit::environment};
}

}  // namespace caisson::cli

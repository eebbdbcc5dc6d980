#include <memory>
#include <string>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/stack_subject.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes =
    R"(Takes one wall down at a time, in a runtime built for that alone, and shows that the probe which guards it
reports a leak for the right reason; then makes changes that must not matter and shows that all probes
still pass. A probe that has never failed proves nothing.

examples:
  caisson prove examples/quickstart/deployment.yaml
  caisson prove deployment.yaml --list                     the sabotages and their probes

exit codes:
  0  every sabotage was caught, and no harmless change was
  1  a sabotage went unnoticed or a harmless change was reported
  3  a sabotage took no effect, something was in the way, or the user interrupted; then everything that was
     started has been stopped and removed
)";

struct Options {
  StackArguments stack;
  std::string filter;
  bool list = false;
  std::string report;
  std::string sabotaged_runtime;
};

conformance::Status run(const Options& options, const conformance::Subject& subject,
                        const conformance::Output& output) {
  return conformance::prove(subject,
                            {.report = options.report,
                             .sabotaged_runtime = options.sabotaged_runtime,
                             .filter = options.filter,
                             .list = options.list},
                            output);
}

}  // namespace

Command prove_command(CLI::App& root) {
  auto* app = root.add_subcommand("prove", "show that the probes catch what they claim to")
                  ->group("running stacks");
  auto options = std::make_shared<Options>();
  add_subject(*app, options->stack);
  add_choice(*app, "--target", options->stack.target, "local", "processes");
  app->add_option(
         "--sabotaged-runtime", options->sabotaged_runtime,
         "the runtime with its switches (default: caisson-runtime-sabotaged beside this one)")
      ->type_name("FILE");
  app->add_option("--filter", options->filter, "sabotages by name or glob")->type_name("NAMES");
  app->add_flag("--list", options->list, "list the sabotages and run nothing");
  app->add_option("--report", options->report,
                  "directory of the matrix (default: conformance-report)")
      ->type_name("DIR");
  app->footer(kNotes);
  return {.app = app,
          .run =
              [options](Console& console) {
                return on_subject(options->stack, console,
                                  [&](const auto& subject, const auto& output) {
                                    return cli::run(*options, subject, output);
                                  });
              },
          .misuse = Exit::environment};
}

}  // namespace caisson::cli

#include <memory>
#include <string>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/stack_subject.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes =
    R"(Every run writes down what it makes before it makes it. After a run that was killed, this removes what it
has left: stacks that `conform` and `prove` started for themselves, and from a stack that was merely attacked
the tenants, keys, records and files of the run. Nothing else is touched: `down` removes what `up` started.

From a deployment that `conform --attach` attacked, only the two tenants of the run are removed.

examples:
  caisson sweep
  caisson sweep --attach /opt/acme/etc/site.json

exit codes:
  0  nothing is left
  3  something could not be removed
)";

}  // namespace

Command sweep_command(CLI::App& root) {
  auto* app =
      root.add_subcommand("sweep", "remove leftovers of killed runs")->group("running stacks");
  auto directory = std::make_shared<std::string>();
  auto attach = std::make_shared<std::string>();
  app->add_option("--root", *directory, "directory of state directories (default: per user)")
      ->type_name("DIR");
  app->add_option("--attach", *attach,
                  "only what runs against the deployment of this site.json have left")
      ->type_name("SITE")
      ->excludes("--root");
  app->footer(kNotes);
  return {.app = app,
          .run =
              [directory, attach](Console& console) {
                return with_output(console, [&](const conformance::Output& output) {
                  return conformance::sweep({.attach = *attach, .root = *directory}, output);
                });
              },
          .misuse = Exit::environment};
}

}  // namespace caisson::cli

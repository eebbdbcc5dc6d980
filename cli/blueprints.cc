#include <memory>
#include <string>

#include <CLI/App.hpp>

#include "cli/blueprint_source.h"
#include "cli/command.h"
#include "cli/hint.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes =
    R"(Blueprints are the house style of what is generated. Files of the same name replace them, with
--blueprints: from a directory, or from a commit of a local git repository. caisson.lock.json records which.

examples:
  caisson blueprints                                        their names
  mkdir -p style/compose
  caisson blueprints compose/service.yaml > style/compose/service.yaml
  caisson generate deployment.yaml --blueprints style
  caisson generate deployment.yaml --blueprints git+file:///srv/style@COMMIT#caisson

exit codes:
  0  they were shown
  1  there is no such blueprint
  2  the command line makes no sense
  3  the replacements cannot be read
)";

struct Options {
  std::string name;
  std::string blueprints;
};

int run(const Options& options, Console& console) {
  const auto blueprints = load_blueprints(options.blueprints);
  if (!blueprints) {
    return fail_with(blueprints.error(), console);
  }
  const auto names = blueprints->names();
  if (options.name.empty()) {
    for (const auto& name : names) console.print(name + "\n");
    return static_cast<int>(Exit::ok);
  }
  const auto text = blueprints->text(options.name);
  if (!text) {
    console.error("caisson blueprints: " + text.error().what + hint(options.name, names) + "\n");
    return static_cast<int>(Exit::findings);
  }
  console.print(*text);
  return static_cast<int>(Exit::ok);
}

}  // namespace

Command blueprints_command(CLI::App& root) {
  auto* app = root.add_subcommand("blueprints", "show the house style that artifacts start from")
                  ->group("reference");
  auto options = std::make_shared<Options>();
  app->add_option("NAME", options->name, "one of them, to print")->type_name("NAME");
  add_blueprints(*app, options->blueprints);
  app->footer(kNotes);
  return {.app = app, .run = [options](Console& console) { return cli::run(*options, console); }};
}

}  // namespace caisson::cli

#include <memory>
#include <string>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/options.h"
#include "generator/spec/spec.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes =
    R"(The schema gives an editor completion and checks while typing. It knows types, defaults and enumerations;
`caisson validate` also checks what holds between fields.

examples:
  caisson schema > .vscode/caisson.schema.json
  caisson schema --format markdown | less          the field reference

In an editor with the YAML language server, make this the spec's first line:
  # yaml-language-server: $schema=caisson.schema.json

exit codes:
  0  it was printed
  2  the command line makes no sense
)";

}  // namespace

Command schema_command(CLI::App& root) {
  auto* app = root.add_subcommand("schema", "print the JSON Schema of the spec language")
                  ->group("reference");
  auto format = std::make_shared<std::string>("json");
  add_choice(*app, "--format", *format, "json|markdown",
             "JSON Schema 2020-12, or the field reference");
  app->footer(kNotes);
  return {.app = app, .run = [format](Console& console) {
            console.print(*format == "json" ? spec::json_schema() : spec::reference());
            return static_cast<int>(Exit::ok);
          }};
}

}  // namespace caisson::cli

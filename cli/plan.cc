#include <memory>
#include <string>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/spec_source.h"
#include "generator/plan/planner.h"
#include "generator/render/plan_report.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes =
    R"(The plan is the stack before any target: instances, networks, volumes, secrets (never their values), routes
and where each tenant lives. Beside each value stands its origin: a line of the spec, a default, or the line
that Caisson derived it from. docs/plan.md describes the JSON.

Tenants that leave the spec are not deleted by anything: the operator API does that, and only when asked.

examples:
  caisson plan deployment.yaml
  caisson plan deployment.yaml --env production
  caisson plan deployment.yaml --json | jq '.plan.tenants | keys'
  caisson plan deployment.yaml --format dot | dot -Tsvg > stack.svg

exit codes:
  0  the plan was printed
  1  the spec has errors
  2  the command line makes no sense
  3  the spec cannot be read
)";

struct Options {
  std::string spec;
  std::string environment;
  std::string answers;
  std::string format = "text";
  bool json = false;
  bool strict = strict_by_default();
};

int run(const Options& options, Console& console) {
  const auto source = read_spec(options.spec, options.answers);
  if (!source) {
    return fail_with(source.error(), console);
  }
  const auto result = load_spec(*source, options.environment, options.strict);
  report(result, console);
  if (!result.loaded) return static_cast<int>(Exit::findings);

  const auto plan = plan::plan(*result.loaded);
  const auto locate = locator(result);
  console.print(options.json || options.format == "json" ? render::plan_json(plan, locate)
                : options.format == "dot"                ? render::plan_dot(plan)
                                                         : render::plan_text(plan, locate));
  return static_cast<int>(Exit::ok);
}

}  // namespace

Command plan_command(CLI::App& root) {
  auto* app = root.add_subcommand("plan", "print the stack that a spec asks for, before any target")
                  ->group("stack");
  auto options = std::make_shared<Options>();
  add_spec(*app, options->spec);
  add_environment(*app, options->environment);
  add_answers(*app, options->answers);
  add_strict(*app, options->strict);
  add_choice(*app, "--format", options->format, "text|json|dot", "text, JSON, or Graphviz");
  add_json(*app, options->json);
  app->footer(kNotes);
  return {.app = app, .run = [options](Console& console) { return cli::run(*options, console); }};
}

}  // namespace caisson::cli

#include <memory>
#include <string>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/generation.h"
#include "cli/judge.h"
#include "cli/options.h"
#include "cli/spec_source.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes =
    R"(Every mistake is reported in one run, sorted by place, with a stable code, the line and what to do.
Diagnostics go to standard output, so that they can be piped; the closing remark goes to standard error.
`caisson explain CODE` tells more about a diagnostic. All errors and warnings of `generate` are reported, but
for those that compare with artifacts that were generated before: data that would move (E0310) or that
nothing uses any more (W0304), and volumes that change their size (E0311, W0303). Under --strict a field that
a target only approximates, or does nothing about, is an error. Without --env the spec is checked as it
stands and with each of its environments: what only one of them says has its name.

examples:
  caisson validate deployment.yaml
  caisson validate deployment.yaml --env production --strict
  caisson validate deployment.yaml --format sarif > caisson.sarif       for code review
  git show main:deployment.yaml | caisson validate -

exit codes:
  0  the spec is right; warnings may have been printed
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

std::string facts(const spec::Deployment& deployment) {
  const auto counted = [](std::size_t count, const char* what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
  };
  return counted(deployment.tiers.size(), "tier") + ", " +
         counted(deployment.tenants.size(), "tenant") + ", " +
         counted(deployment.services.size(), "service");
}

int run(const Options& options, Console& console) {
  const auto source = read_spec(options.spec, options.answers);
  if (!source) {
    return fail_with(source.error(), console);
  }
  auto result = load_spec(*source, options.environment, options.strict);
  const Rendering rendering{.environment = options.environment,
                            .answers = options.answers,
                            .targets = {},
                            .blueprints = {},
                            .strict = options.strict};
  const auto generated = judge(*source, rendering, result);
  const auto format = options.json || options.format == "json" ? source::Format::json
                      : options.format == "sarif"              ? source::Format::sarif
                                                               : source::Format::text;
  console.print(source::render(heard(result.diagnostics, console), result.sources, format,
                               console.colour_out()));
  if (!generated) return fail_with(generated.error(), console, Exit::findings);
  const auto found = tally(result.diagnostics);
  if (result.diagnostics.has_errors()) {
    console.error(strict_note(options.strict));
    console.remark(source->name + ": " + found);
    return static_cast<int>(Exit::findings);
  }
  console.remark(source->name + " is valid: " + facts(result.loaded->deployment) +
                 (found.empty() ? "" : "; " + found));
  return static_cast<int>(Exit::ok);
}

}  // namespace

Command validate_command(CLI::App& root) {
  auto* app = root.add_subcommand("validate", "check a deployment spec, all mistakes in one run")
                  ->group("spec");
  auto options = std::make_shared<Options>();
  add_spec(*app, options->spec);
  add_environment(*app, options->environment);
  add_answers(*app, options->answers);
  add_strict(*app, options->strict);
  add_choice(*app, "--format", options->format, "text|json|sarif", "how diagnostics are written");
  add_json(*app, options->json);
  app->footer(kNotes);
  return {.app = app, .run = [options](Console& console) { return cli::run(*options, console); }};
}

}  // namespace caisson::cli

#include "cli/stack_subject.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/generation.h"
#include "cli/options.h"
#include "cli/spec_source.h"
#include "generator/plan/planner.h"
#include "generator/render/unbuilt.h"

namespace caisson::cli {

void add_subject(CLI::App& app, StackArguments& arguments) {
  add_spec(app, arguments.spec);
  add_environment(app, arguments.environment);
  add_answers(app, arguments.answers);
  add_blueprints(app, arguments.blueprints);
}

void add_stack(CLI::App& app, StackArguments& arguments) {
  add_subject(app, arguments);
  app.add_option("--state", arguments.state,
                 "where the stack's files live (default: per user, spec and --env)")
      ->type_name("DIR");
  app.add_option("--runtime", arguments.runtime,
                 "the runtime's program (default: caisson-runtime beside this one)")
      ->type_name("FILE");
}

void add_target(CLI::App& app, StackArguments& arguments) {
  add_choice(app, "--target", arguments.target, "local|compose", "processes, or containers");
}

conformance::StackOptions stack_options(const StackArguments& arguments) {
  return {.target = arguments.target, .state = arguments.state, .runtime = arguments.runtime};
}

int with_output(Console& console,
                const std::function<conformance::Status(const conformance::Output&)>& command) {
  std::ostream nowhere(nullptr);
  return static_cast<int>(command({.out = std::cout,
                                   .progress = console.quiet() ? nowhere : std::cerr,
                                   .error = std::cerr,
                                   .colour = console.colour_out(),
                                   .quiet = console.quiet()}));
}

int on_subject(const StackArguments& arguments, Console& console,
               const std::function<conformance::Status(const conformance::Subject&,
                                                       const conformance::Output&)>& command,
               bool starts,
               const std::function<conformance::Status(const conformance::Output&)>& without) {
  // An option that is wrong is no fault of the spec: nothing is done then.
  const auto answers = read_answers(arguments.answers);
  if (!answers) return fail_with(answers.error(), console);
  const auto blueprints = load_blueprints(arguments.blueprints);
  if (!blueprints) return fail_with(blueprints.error(), console);
  auto source = read_spec(arguments.spec);
  if (!source) {
    const int failed = fail_with(source.error(), console);
    return without ? with_output(console, without) : failed;
  }
  source->answers = *answers;
  source->sample_answers = !starts;  // neither name nor version has any
  auto spec = load_spec(*source, arguments.environment, false);
  report(spec, console);
  if (!spec.loaded) {
    const auto found = spec.diagnostics.sorted();
    const bool wrong_answer = std::ranges::find(found, "E0230", &source::Diagnostic::code) !=
                              found.end();  // given with --answers
    return without && !wrong_answer ? with_output(console, without)
                                    : static_cast<int>(Exit::environment);
  }
  if (starts) {
    const auto plan = plan::plan(*spec.loaded);
    const auto right =
        report(spec, render::unbuilt({.plan = plan, .document = spec.loaded->document}), console);
    if (!right) {
      return fail_with(right.error(), console);
    }
  }
  const conformance::Subject subject{.path = arguments.spec,
                                     .text = source->text,
                                     .environment = arguments.environment,
                                     .answers_file = arguments.answers,
                                     .blueprints_from = arguments.blueprints,
                                     .answers = source->answers,
                                     .loaded = *std::move(spec.loaded),
                                     .blueprints = *blueprints};
  return with_output(console,
                     [&](const conformance::Output& output) { return command(subject, output); });
}

}  // namespace caisson::cli

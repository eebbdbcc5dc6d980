#include <memory>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>

#include "cli/command.h"
#include "cli/stack_subject.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes =
    R"(Attacks a stack as one tenant and shows that the others are untouched: as their data, their files, their
secrets and the audit log say, not as status codes claim. A stack that `caisson up` started from this spec is
used as it is; one that was started from another, or has stopped, is in the way; where there is none, one is
started for the run. Prints the truth table of tenants and resources.

With --attach it is a deployment that is in use: two tenants are made for the run, attack one another with
reads and with writes that must be refused, and are gone without a trace. No customer is named or read.

The report directory gets report.json, junit.xml, report.sarif, index.html and evidence.ndjson.

examples:
  caisson conform deployment.yaml
  caisson conform deployment.yaml --level 2 --report report
  caisson conform deployment.yaml --list                   the probes of the spec's level
  caisson conform deployment.yaml --filter 'ID,DB1*'
  caisson conform deployment.yaml --attach /opt/acme/etc/site.json --level 1

exit codes:
  0  every probe that applies has passed; NOT TESTED ones are named, and are no failure without --require-all
  1  a wall leaks
  2  a probe was inconclusive: it could not show either, as when the deployment does not answer; or not all
     was tested and --require-all given
  3  something was in the way: the command line, the spec, the stack or the harness itself; or the user
     interrupted: what the run had made and started is gone again
)";

struct Options {
  StackArguments stack;
  std::string attach;
  int level = -1;
  std::string filter;
  bool list = false;
  bool require_all = false;
  std::string report;
  std::string key;
};

conformance::Status run(const Options& options, const conformance::Subject& subject,
                        const conformance::Output& output) {
  return conformance::conform(subject,
                              {.stack = stack_options(options.stack),
                               .attach = options.attach,
                               .level = options.level,
                               .filter = options.filter,
                               .list = options.list,
                               .require_all = options.require_all,
                               .report = options.report,
                               .key = options.key},
                              output);
}

}  // namespace

Command conform_command(CLI::App& root) {
  auto* app = root.add_subcommand("conform", "attack a stack and report which walls held")
                  ->group("running stacks");
  auto options = std::make_shared<Options>();
  add_stack(*app, options->stack);
  add_target(*app, options->stack);
  app->add_option("--attach", options->attach,
                  "a deployment that is in use, as its site.json says (level 1)")
      ->type_name("SITE")
      ->excludes("--target", "--state", "--runtime");
  app->add_option("--level", options->level, "0 to 3 (default: what the spec says)")
      ->type_name("N")
      ->check(CLI::Range(0, 3).description(""));
  app->add_option("--filter", options->filter, "probes by id, family or glob; comma-separated")
      ->type_name("PROBES");
  app->add_flag("--require-all", options->require_all,
                "fail when a probe could not look at what the plan has (NOT TESTED)");
  app->add_flag("--list", options->list, "list the probes and run nothing");
  app->add_option("--report", options->report,
                  "directory of the report (default: conformance-report)")
      ->type_name("DIR");
  app->add_option("--key", options->key, "Ed25519 key in PEM that signs the report")
      ->type_name("FILE");
  app->footer(kNotes);
  return {.app = app,
          .run =
              [options](Console& console) {
                return on_subject(
                    options->stack, console,
                    [&](const auto& subject, const auto& output) {
                      return cli::run(*options, subject, output);
                    },
                    options->attach.empty());
              },
          .misuse = Exit::environment};
}

}  // namespace caisson::cli

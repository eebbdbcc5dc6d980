#include <memory>
#include <string>
#include <vector>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/generation.h"
#include "cli/known_secrets.h"
#include "cli/progress.h"
#include "cli/spec_source.h"
#include "generator/bundle/scan_tree.h"

namespace caisson::cli {
namespace {

constexpr auto kScanNotes =
    R"(Looks at every file of a directory, at what is in its chunks and in the layers of its images, for what must
not leave: private keys in PEM and OpenPGP, canaries of `conform`, and, with --spec, the values of that spec's
secrets that can be read here, in all encodings. `create` does the same before it lets a bundle exist. A
secret of less than 16 characters cannot be told from chance and is not looked for.

examples:
  caisson bundle scan agentik-1.1.0-amd64 --spec deployment.yaml
  caisson bundle scan /media/stick

exit codes:
  0  nothing was found
  1  something was found, each on a line with its place; or the spec has errors
  2  the command line makes no sense
  3  something cannot be read
)";

int scan(const std::string& directory, const std::string& spec_path, Console& console) {
  std::vector<conformance::KnownSecret> secrets;
  if (!spec_path.empty()) {
    auto source = read_spec(spec_path);
    if (!source) return fail_with(source.error(), console);
    source->sample_answers = true;
    const auto spec = load_spec(*source, {}, false);
    report(spec, console);
    if (!spec.loaded) return static_cast<int>(Exit::findings);
    secrets = known_secrets(spec.loaded->deployment, *source);
  }
  TerminalProgress progress(console);
  const auto findings = bundle::scan_tree(directory, secrets, progress);
  if (!findings) return fail_with(findings.error(), console);
  for (const auto& found : *findings) console.print(found.place + ": " + found.what + "\n");
  return static_cast<int>(findings->empty() ? Exit::ok : Exit::findings);
}

}  // namespace

Command bundle_scan_command(CLI::App& root) {
  auto* app = bundle_group(root)
                  .add_subcommand("scan", "look for secrets and private data")
                  ->group("commands");
  auto directory = std::make_shared<std::string>();
  auto spec = std::make_shared<std::string>();
  app->add_option("PLACE", *directory, "a bundle, or any directory")->type_name("DIR")->required();
  app->add_option("--spec", *spec, "the spec whose secrets are looked for")->type_name("FILE");
  app->footer(kScanNotes);
  return {.app = app,
          .run = [directory, spec](Console& console) { return scan(*directory, *spec, console); }};
}

}  // namespace caisson::cli

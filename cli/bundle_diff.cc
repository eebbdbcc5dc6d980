#include <memory>
#include <string>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "generator/bundle/diff.h"

namespace caisson::cli {
namespace {

constexpr auto kDiffNotes =
    R"(Tells a site the changes from one release to the other: data, whether there is a way back, and
what would be looked for in another place, answers that are new, files and images with their sizes. Reads the
MANIFEST of both and checks no signature.

examples:
  caisson bundle diff agentik-1.0.0-amd64 agentik-1.1.0-amd64

exit codes:
  0  it was shown what changes
  2  the command line makes no sense
  3  a bundle cannot be read
)";

}  // namespace

Command bundle_diff_command(CLI::App& root) {
  auto* app = bundle_group(root)
                  .add_subcommand("diff", "list the changes for a site between two bundles")
                  ->group("commands");
  auto before = std::make_shared<std::string>();
  auto after = std::make_shared<std::string>();
  app->add_option("BEFORE", *before, "the bundle that the site has")->type_name("DIR")->required();
  app->add_option("AFTER", *after, "the bundle that it would get")->type_name("DIR")->required();
  app->footer(kDiffNotes);
  return {.app = app, .run = [before, after](Console& console) {
            const auto old = bundle::manifest_at(*before);
            if (!old) return fail_with(old.error(), console);
            const auto now = bundle::manifest_at(*after);
            if (!now) return fail_with(now.error(), console);
            console.print(bundle::diff_text(*old, *now));
            return static_cast<int>(Exit::ok);
          }};
}

}  // namespace caisson::cli

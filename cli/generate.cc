#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/generation.h"
#include "cli/options.h"
#include "cli/spec_source.h"
#include "generator/publish/publish.h"
#include "generator/render/loss.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kNotes =
    R"(The same spec and the same Caisson give the same bytes, on any machine, in any directory, at any time.
The inventory caisson.lock.json lists every file that Caisson owns: only those are ever changed or removed.
A file that was edited by hand, or that somebody else put in the way, is shown as a diff and left alone
unless --force. Either everything is written or nothing is.

The inventory also says where each target keeps data. A spec that would have a tenant or a volume looked for
elsewhere (another tier, namespace, project or directory, or a patch of one) is refused: the old place keeps
the data, and the new one is empty or has what was there before. RUNBOOK.md of the target says under 'Move'
how to take tenants along; what another volume keeps is copied while nothing uses it. --accept-move says that
somebody does. Once it is written, the inventory has the new place, and nothing needs to be accepted again.
A tenant or volume that leaves the spec keeps its data: a warning says where, and the inventory remembers the
place until the name comes back or --accept-move names it. An environment with another name is known by where
it keeps data; where it may be several, --accept-move environment/OLD=NEW says which.

examples:
  caisson generate deployment.yaml                          into ./generated beside the spec
  caisson generate deployment.yaml --env production         into ./generated-production
  caisson generate deployment.yaml --target compose --out deploy
  caisson generate deployment.yaml --dry-run                list what would change
  caisson generate deployment.yaml --accept-move tenant/globex,volume/files-data
  caisson generate deployment.yaml --check                  in CI: is the committed output up to date?

exit codes:
  0  the output is what the spec asks for (with --dry-run and --diff: it was shown what would change)
  1  the spec has errors, the output is stale (--check), or a file was edited by hand
  2  the command line makes no sense
  3  something cannot be read or written; nothing was changed
)";

struct Options {
  std::string spec;
  Rendering rendering;
  std::string out;
  bool check = false;
  bool diff = false;
  bool dry_run = false;
  bool force = false;
  std::vector<std::string> accepted_moves;
};

fs::path output_directory(const Options& options) {
  if (!options.out.empty()) return options.out;
  const auto name = options.rendering.environment.empty()
                        ? std::string("generated")
                        : "generated-" + options.rendering.environment;
  return options.spec == "-" ? fs::path(name) : fs::path(options.spec).parent_path() / name;
}

/// "2 files added, 1 changed"; empty when nothing changes.
std::string counts(const std::vector<publish::Change>& changes) {
  using Kind = publish::Change::Kind;
  std::string text;
  for (const auto& [kind, word] : {std::pair{Kind::added, " added"},
                                   {Kind::changed, " changed"},
                                   {Kind::removed, " removed"}}) {
    const auto count = std::ranges::count(changes, kind, &publish::Change::kind);
    if (count == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(count) +
            (text.empty() ? (count == 1 ? " file" : " files") : "") + word;
  }
  return text;
}

/// Shows what would change. With --check that is a finding.
int show(const Options& options, const publish::Comparison& comparison, const fs::path& directory,
         Console& console) {
  if (options.dry_run) {
    console.print(publish::summary(comparison.changes, console.colour_out()));
  } else {
    for (const auto& change : comparison.changes) {
      console.print(publish::diff(change, console.colour_out()));
    }
  }
  for (const auto& conflict : comparison.conflicts) {
    console.remark(conflict.change.path + " " + conflict.reason);
  }
  const bool stale = options.check && !comparison.changes.empty();
  const auto changed = counts(comparison.changes);
  console.remark(directory.string() + ": " + (changed.empty() ? "no change" : changed) +
                 (stale ? "; it is stale, run `caisson generate`" : ""));
  return static_cast<int>(stale ? Exit::findings : Exit::ok);
}

int write(const Options& options, publish::Tree& tree, const publish::Comparison& comparison,
          Console& console) {
  for (const auto& conflict : comparison.conflicts) {
    if (options.force && conflict.forcible) continue;
    console.error(publish::diff(conflict.change, console.colour_error()));
  }
  if (const auto applied = publish::apply(tree, comparison, options.force); !applied) {
    console.failure(applied.error());
    const bool refused = !comparison.conflicts.empty() && !options.force;
    return static_cast<int>(refused ? Exit::findings : Exit::environment);
  }
  const auto changed = counts(comparison.changes);
  console.remark(tree.directory().string() + ": " + (changed.empty() ? "" : changed + ", ") +
                 std::to_string(comparison.unchanged) +
                 (changed.empty() ? " files unchanged" : " unchanged"));
  return static_cast<int>(Exit::ok);
}

/// Fails when the new artifacts would look for data where they are not.
Result<void> keeps_its_data(const publish::Comparison& comparison, const render::Places& places,
                            const Options& options, const LoadedSpec& spec, Console& console) {
  if (comparison.generated_before && !comparison.places) {
    console.remark(std::string(publish::kInventoryName) +
                   " of an earlier version does not say where data are: `caisson diff` shows "
                   "whether something moves");
  }
  const auto is_ours = [](const publish::Conflict& conflict) {
    return conflict.change.before.find("Generated by Caisson") != std::string::npos;
  };
  if (!comparison.generated_before && std::ranges::any_of(comparison.conflicts, is_ours)) {
    return fail("files that were generated are there, and no " +
                    std::string(publish::kInventoryName) + ", which says where their data are",
                "restore it from version control, or generate into an empty directory");
  }
  const auto before = comparison.places.value_or(render::Places{});
  if (auto named = check_moves(before, places, options.accepted_moves); !named) return named;
  return report(spec,
                place_mistakes(before, places, options.accepted_moves, options.rendering.targets),
                console);
}

int run(const Options& options, Console& console) {
  const auto source = read_spec(options.spec, options.rendering.answers);
  if (!source) return fail_with(source.error(), console);
  const auto blueprints = load_blueprints(options.rendering.blueprints);
  if (!blueprints) return fail_with(blueprints.error(), console);

  const auto spec = load_spec(*source, options.rendering.environment, options.rendering.strict);
  report(spec, console);
  const auto strict = options.rendering.strict;
  if (!spec.loaded) {
    console.error(strict_note(strict));
    return static_cast<int>(Exit::findings);
  }
  const auto generated = generate(*source, spec, options.rendering, *blueprints, console);
  if (!generated) return fail_with(generated.error(), console, Exit::findings);

  const auto lost = render::loss_text(generated->losses, strict, locator(spec));
  if (!lost.empty()) console.remark(lost);
  if (!generated->patches.empty()) console.remark(generated->patches);
  const auto accepted = report(spec, findings(*source, spec, *generated, strict), console);
  if (!accepted) {
    console.error(strict_note(strict));
    return fail_with(accepted.error(), console, Exit::findings);
  }

  const auto directory = output_directory(options);
  const bool only_shows = options.check || options.diff || options.dry_run;
  auto tree = publish::Tree::open(
      directory, only_shows ? publish::Tree::Access::read : publish::Tree::Access::write);
  if (!tree) return fail_with(tree.error(), console);
  const auto& targets = options.rendering.targets;
  const auto& moves = options.accepted_moves;
  const auto comparison = publish::compare(*tree, {.artifacts = generated->artifacts,
                                                   .made_from = generated->made_from,
                                                   .targets = {targets.begin(), targets.end()},
                                                   .places = generated->places,
                                                   .accepted_moves = {moves.begin(), moves.end()}});
  if (!comparison) return fail_with(comparison.error(), console);
  if (const auto kept = keeps_its_data(*comparison, generated->places, options, spec, console);
      !kept) {
    return fail_with(kept.error(), console, Exit::findings);
  }
  return only_shows ? show(options, *comparison, directory, console)
                    : write(options, *tree, *comparison, console);
}

}  // namespace

Command generate_command(CLI::App& root) {
  auto* app = root.add_subcommand("generate", "write the artifacts of a spec")->group("stack");
  auto options = std::make_shared<Options>();
  add_spec(*app, options->spec);
  add_rendering(*app, options->rendering);
  app->add_option("--out", options->out,
                  "output directory (default: generated or generated-ENV beside the spec)")
      ->type_name("DIR");
  app->add_flag("--check", options->check,
                "write nothing; print a diff and exit 1 when it is stale");
  app->add_flag("--diff", options->diff,
                "write nothing; print what would change as a unified diff");
  app->add_flag("--dry-run", options->dry_run, "write nothing; list what would change");
  app->add_flag("--force", options->force, "overwrite files that were edited by hand");
  add_accept_move(*app, options->accepted_moves);
  app->footer(kNotes);
  return {.app = app, .run = [options](Console& console) { return cli::run(*options, console); }};
}

}  // namespace caisson::cli

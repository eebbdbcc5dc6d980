#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/generation.h"
#include "cli/options.h"
#include "cli/spec_source.h"
#include "generator/publish/publish.h"
#include "generator/publish/revision.h"
#include "generator/render/json.h"
#include "generator/render/node.h"

namespace caisson::cli {
namespace {

constexpr auto kNotes =
    R"(Generates both sides in memory, from the spec and the files it names, and compares the artifacts: what a
reviewer of a change to the spec wants to see. The revision is read from the repository itself; nothing is
checked out, and the working tree, the index and the output directory stay as they are.

Data that the new artifacts would look for elsewhere than the old ones keep them are errors on standard error,
as `generate` says them, unless --accept-move names them.

REV is anything git understands. A..B compares two revisions, which also works in a bare repository.

examples:
  caisson diff deployment.yaml                       what my uncommitted changes do
  caisson diff deployment.yaml origin/main           what my branch does
  caisson diff deployment.yaml v1.0.0..v1.1.0        what a release changed
  caisson diff deployment.yaml --json | jq '.changes[].path'

exit codes:
  0  the artifacts are the same
  1  they differ, or data would be looked for elsewhere
  2  the command line makes no sense
  3  they cannot be compared: no repository, no such revision, or a spec with errors on either side
)";

struct Options {
  std::string spec;
  std::string revision = "HEAD";
  Rendering rendering;
  std::string format = "text";
  bool json = false;
  std::vector<std::string> accepted_moves;
};

struct Side {
  std::string name;    // of the revision, or "working tree"
  std::string commit;  // empty for the working tree
  std::string path;    // of the spec, as diagnostics name it
  LoadedSpec spec;
  Generated generated;
};

/// Why a side cannot be compared; empty when its diagnostics were printed already.
using Trouble = std::optional<Failure>;

tl::expected<Side, Trouble> generate_side(const Result<SpecSource>& source, const Options& options,
                                          const render::Blueprints& blueprints, Console& console) {
  if (!source) return tl::unexpected<Trouble>(source.error());
  auto spec = load_spec(*source, options.rendering.environment, options.rendering.strict);
  if (!spec.loaded) {
    report(spec, console);
    return tl::unexpected<Trouble>(std::nullopt);
  }
  auto generated = generate(*source, spec, options.rendering, blueprints, console);
  if (!generated) return tl::unexpected<Trouble>(generated.error());
  return Side{.name = {},
              .commit = {},
              .path = source->name,
              .spec = std::move(spec),
              .generated = *std::move(generated)};
}

tl::expected<Side, Trouble> side_at(const publish::Repository& repository, const std::string& name,
                                    const Options& options, const render::Blueprints& blueprints,
                                    Console& console) {
  const auto revision = publish::Revision::open(repository, name);
  if (!revision) return tl::unexpected<Trouble>(revision.error());
  auto source = read_spec(repository, *revision, name);
  auto answers = read_answers(options.rendering.answers);
  if (!answers) return tl::unexpected<Trouble>(answers.error());
  if (source) {
    source->answers = *std::move(answers);
    source->spare_answers = true;
  }
  auto side = generate_side(source, options, blueprints, console);
  if (side) {
    side->name = name;
    side->commit = revision->id();
  }
  return side;
}

render::Node describe(const Side& side) {
  render::Node node;
  node.add("revision", side.name);
  if (!side.commit.empty()) node.add("commit", side.commit);
  node.add("spec", side.path);
  return node;
}

std::string_view word(publish::Change::Kind kind) {
  using Kind = publish::Change::Kind;
  return kind == Kind::added ? "added" : kind == Kind::removed ? "removed" : "changed";
}

std::string as_json(const Side& before, const Side& after,
                    const std::vector<publish::Change>& changes) {
  render::Node::List list;
  for (const auto& change : changes) {
    const auto lines = publish::lines_of(change);
    render::Node node;
    node.add("path", change.path);
    node.add("change", word(change.kind));
    node.add("added", static_cast<std::int64_t>(lines.added));
    node.add("removed", static_cast<std::int64_t>(lines.removed));
    node.add("diff", publish::diff(change));
    list.push_back(std::move(node));
  }
  render::Node root;
  root.add("before", describe(before));
  root.add("after", describe(after));
  root.add("changes", std::move(list));
  return render::to_json(root);
}

void print(const Side& before, const Side& after, const std::vector<publish::Change>& changes,
           const Options& options, Console& console) {
  if (options.json || options.format == "json") {
    console.print(as_json(before, after, changes));
    return;
  }
  const bool colour = console.colour_out();
  console.print(publish::summary(changes, colour));
  for (const auto& change : changes) console.print("\n" + publish::diff(change, colour));
  console.remark(before.name + " -> " + after.name + ": " +
                 (changes.empty() ? "the artifacts are the same"
                                  : std::to_string(changes.size()) + " artifacts differ"));
}

int give_up(const Trouble& trouble, Console& console) {
  if (trouble) console.failure(*trouble);
  return static_cast<int>(Exit::environment);
}

int run(const Options& options, Console& console) {
  if (options.spec == "-") {
    console.error("caisson diff: SPEC must be a file in a git repository\n");
    return static_cast<int>(Exit::usage);
  }
  const auto blueprints = load_blueprints(options.rendering.blueprints);
  if (!blueprints) return give_up(blueprints.error(), console);
  const auto repository = publish::Repository::around(options.spec);
  if (!repository) return give_up(repository.error(), console);

  const auto dots = options.revision.find("..");
  const bool range = dots != std::string::npos;
  if (!range && repository->bare()) {
    return give_up(Failure{.what = "a bare repository has no working tree to compare with",
                           .remedy = "name two revisions: A..B"},
                   console);
  }
  const auto before =
      side_at(*repository, options.revision.substr(0, dots), options, *blueprints, console);
  if (!before) return give_up(before.error(), console);
  auto after =
      range ? side_at(*repository, options.revision.substr(dots + 2), options, *blueprints, console)
            : generate_side(read_spec(options.spec, options.rendering.answers), options,
                            *blueprints, console);
  if (!after) return give_up(after.error(), console);
  if (!range) after->name = "working tree";

  const auto changes = publish::compare(before->generated.artifacts, after->generated.artifacts);
  print(*before, *after, changes, options, console);
  const auto moves =
      place_mistakes(before->generated.places, after->generated.places, options.accepted_moves);
  auto kept =
      check_moves(before->generated.places, after->generated.places, options.accepted_moves);
  if (kept) kept = report(after->spec, moves, console);
  if (!kept) return fail_with(kept.error(), console, Exit::findings);
  return static_cast<int>(changes.empty() ? Exit::ok : Exit::findings);
}

}  // namespace

Command diff_command(CLI::App& root) {
  auto* app = root.add_subcommand("diff", "show what a change of the spec does to the artifacts")
                  ->group("stack");
  auto options = std::make_shared<Options>();
  add_spec(*app, options->spec);
  app->add_option("REV", options->revision,
                  "the git revision to compare with, or A..B (default: HEAD)")
      ->type_name("REV");
  add_rendering(*app, options->rendering);
  add_choice(*app, "--format", options->format, "text|json", "how the changes are written");
  add_json(*app, options->json);
  add_accept_move(*app, options->accepted_moves);
  app->footer(kNotes);
  return {.app = app, .run = [options](Console& console) { return cli::run(*options, console); }};
}

}  // namespace caisson::cli

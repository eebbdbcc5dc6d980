#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/generation.h"
#include "cli/options.h"
#include "cli/own_images.h"
#include "cli/spec_source.h"
#include "conformance/stack/process.h"
#include "generator/image/layout.h"
#include "generator/plan/planner.h"
#include "generator/publish/tree.h"
#include "generator/render/unbuilt.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kNotes =
    R"(Writes the images that docker/runtime.Dockerfile and docker/dashboard.Dockerfile describe as one OCI image
layout, without a daemon. The same spec, program and Caisson give the same bytes; every time inside is
SOURCE_DATE_EPOCH, or 1970. Layers are not compressed: registries' clients and bundles do that. The edge
starts from an image of other people, so `docker build` makes it.

examples:
  caisson image deployment.yaml --out images
  skopeo inspect oci:images:caisson-runtime:0.1.0
  caisson image deployment.yaml --tar images.tar
  docker load --input images.tar

exit codes:
  0  the images were written
  1  the spec has errors
  2  the command line makes no sense
  3  something cannot be read or written; nothing was changed
)";

struct Options {
  std::string spec;
  std::string environment;
  std::string answers;
  std::string blueprints;
  std::string runtime = "caisson-runtime";
  std::string out;
  std::string tar;
};

/// Replaces the layout of an earlier run and nothing else.
Result<void> write_layout(const fs::path& directory, const std::vector<image::LayoutFile>& layout) {
  std::error_code error;
  const bool ours = fs::exists(directory / "oci-layout", error);
  if (!ours && fs::exists(directory, error) && !fs::is_empty(directory, error)) {
    return fail("'" + directory.string() + "' holds something else than images",
                "name a new directory");
  }
  auto tree = publish::Tree::open(directory, publish::Tree::Access::write);
  if (!tree) return tl::unexpected(tree.error());
  std::vector<publish::Write> writes;
  writes.reserve(layout.size());
  for (const auto& file : layout) writes.push_back({.path = file.path, .bytes = file.bytes});
  const fs::path blobs = "blobs/sha256";
  for (const auto& old : fs::directory_iterator(directory / blobs, error)) {
    const auto path = (blobs / old.path().filename()).string();
    const bool kept = std::ranges::find(layout, path, &image::LayoutFile::path) != layout.end();
    if (!kept) writes.push_back({.path = path, .remove = true});
  }
  return tree->apply(writes);
}

Result<void> write_archive(const fs::path& file, const std::string& bytes) {
  auto tree = publish::Tree::open(file.has_parent_path() ? file.parent_path() : ".",
                                  publish::Tree::Access::write);
  if (!tree) return tl::unexpected(tree.error());
  const std::vector<publish::Write> writes{{.path = file.filename().string(), .bytes = bytes}};
  return tree->apply(writes);
}

int run(const Options& options, Console& console) {
  if (options.out.empty() && options.tar.empty()) {
    console.error("caisson image: say where with --out DIR or --tar FILE\n");
    return static_cast<int>(Exit::usage);
  }
  const auto source = read_spec(options.spec, options.answers);
  if (!source) return fail_with(source.error(), console);
  const auto blueprints = load_blueprints(options.blueprints);
  if (!blueprints) return fail_with(blueprints.error(), console);
  const auto seconds = source_date();
  if (!seconds) return fail_with(seconds.error(), console);
  const auto spec = load_spec(*source, options.environment, false);
  report(spec, console);
  if (!spec.loaded) return static_cast<int>(Exit::findings);
  const auto plan = plan::plan(*spec.loaded);
  if (auto right =
          report(spec, render::unbuilt({.plan = plan, .document = spec.loaded->document}), console);
      !right) {
    return fail_with(right.error(), console, Exit::findings);
  }

  const auto program_path = conformance::find_program(options.runtime);
  if (!program_path) return fail_with(program_path.error(), console);
  const auto program = read_file(*program_path, "name the program with --runtime");
  if (!program) return fail_with(program.error(), console);
  const auto date = seconds->value_or(0);
  const auto images = own_images(plan, *blueprints, *program, date);
  if (!images) return fail_with(images.error(), console);
  const auto layout = image::to_layout(*images);
  if (!options.out.empty()) {
    if (auto done = write_layout(options.out, layout); !done)
      return fail_with(done.error(), console);
  }
  if (!options.tar.empty()) {
    const auto archive = image::to_archive(layout, date);
    if (auto done = write_archive(options.tar, archive); !done)
      return fail_with(done.error(), console);
  }
  for (const auto& image : *images) {
    console.print(image.name + "  linux/" + image.architecture + "  " +
                  image::manifest_digest(image) + "\n");
  }
  return static_cast<int>(Exit::ok);
}

}  // namespace

Command image_command(CLI::App& root) {
  auto* app = root.add_subcommand("image", "write the runtime's and the dashboard's images")
                  ->group("stack");
  auto options = std::make_shared<Options>();
  add_spec(*app, options->spec);
  add_environment(*app, options->environment);
  add_answers(*app, options->answers);
  add_blueprints(*app, options->blueprints);
  app->add_option("--out", options->out, "the directory of the OCI image layout")->type_name("DIR");
  app->add_option("--tar", options->tar, "the same as one file, which `docker load` reads")
      ->type_name("FILE");
  app->add_option("--runtime", options->runtime,
                  "the program to put in (default: caisson-runtime beside this one)")
      ->type_name("FILE");
  app->footer(kNotes);
  return {.app = app, .run = [options](Console& console) { return cli::run(*options, console); }};
}

}  // namespace caisson::cli

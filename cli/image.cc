#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/generation.h"
#include "cli/options.h"
#include "cli/spec_source.h"
#include "conformance/stack/process.h"
#include "generator/image/layout.h"
#include "generator/plan/planner.h"
#include "generator/publish/tree.h"
#include "generator/render/docker.h"
#include "generator/render/plan_report.h"
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
  std::string blueprints;
  std::string runtime = "caisson-runtime";
  std::string out;
  std::string tar;
};

/// https://reproducible-builds.org/specs/source-date-epoch/
Result<std::int64_t> source_date() {
  const char* text = std::getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr || *text == '\0') return 0;
  constexpr std::string_view largest = "8589934591";  // what a tar header holds
  const std::string_view digits(text);
  if (digits.find_first_not_of("0123456789") != digits.npos || digits.size() > largest.size() ||
      (digits.size() == largest.size() && digits > largest)) {
    return fail("SOURCE_DATE_EPOCH is '" + std::string(digits) + "'",
                "set it to seconds since 1970, for example `git log -1 --format=%ct`");
  }
  return std::stoll(text);
}

Result<std::vector<image::Image>> build(const plan::Plan& plan,
                                        const render::Blueprints& blueprints,
                                        const std::string& program, std::int64_t seconds) {
  // What docker/ holds beside the Dockerfiles, and the program, which everybody may run.
  const image::Context context{{"caisson-runtime", {.bytes = program, .mode = 0755}},
                               {"state/.keep", {.bytes = ""}}};
  std::vector<image::Image> images;
  for (const auto role : {plan::Role::runtime, plan::Role::dashboard}) {
    const auto& instances = plan.instances;
    if (std::ranges::find(instances, role, &plan::Instance::role) == instances.end()) continue;
    const auto dockerfile = render::dockerfile(plan, blueprints, render::name_of(role));
    if (!dockerfile) return tl::unexpected(dockerfile.error());
    auto image = image::build("caisson-" + std::string(render::name_of(role)) + ":" CAISSON_VERSION,
                              *dockerfile, context, seconds);
    if (!image) return tl::unexpected(image.error());
    images.push_back(*std::move(image));
  }
  return images;
}

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
  const auto failed = [&](const Failure& failure) {
    console.failure(failure);
    return static_cast<int>(Exit::environment);
  };
  const auto source = read_spec(options.spec);
  if (!source) return failed(source.error());
  const auto blueprints = load_blueprints(options.blueprints);
  if (!blueprints) return failed(blueprints.error());
  const auto seconds = source_date();
  if (!seconds) return failed(seconds.error());
  const auto spec = load_spec(*source, options.environment, false);
  report(spec, console);
  if (!spec.loaded) return static_cast<int>(Exit::findings);
  const auto plan = plan::plan(*spec.loaded);
  if (auto right =
          report(spec, render::unbuilt({.plan = plan, .document = spec.loaded->document}), console);
      !right) {
    console.failure(right.error());
    return static_cast<int>(Exit::findings);
  }

  const auto program_path = conformance::find_program(options.runtime);
  if (!program_path) return failed(program_path.error());
  const auto program = read_file(*program_path, "name the program with --runtime");
  if (!program) return failed(program.error());
  const auto images = build(plan, *blueprints, *program, *seconds);
  if (!images) return failed(images.error());
  const auto layout = image::to_layout(*images);
  if (!options.out.empty()) {
    if (auto done = write_layout(options.out, layout); !done) return failed(done.error());
  }
  if (!options.tar.empty()) {
    const auto archive = image::to_archive(layout, *seconds);
    if (auto done = write_archive(options.tar, archive); !done) return failed(done.error());
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

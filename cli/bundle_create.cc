#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>

#include "base/files.h"
#include "cli/blueprint_source.h"
#include "cli/bundle_answers.h"
#include "cli/command.h"
#include "cli/generation.h"
#include "cli/known_secrets.h"
#include "cli/options.h"
#include "cli/own_images.h"
#include "cli/progress.h"
#include "cli/spec_source.h"
#include "conformance/stack/process.h"
#include "generator/bundle/answers.h"
#include "generator/bundle/create.h"
#include "generator/bundle/diff.h"
#include "generator/bundle/places.h"
#include "generator/bundle/references.h"
#include "generator/plan/planner.h"
#include "generator/publish/commit.h"
#include "generator/render/compose_install.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

constexpr auto kNotes =
    R"(Makes the bundle that the spec asks for under `targets.bundle`: one directory with everything that a site
without a network needs, and the checksum of each file. docs/bundle.md has every byte of it. The same spec,
programs, images and Caisson give the same bytes, on any machine, in any directory, at any time.

Programs are those beside this one, or named with --program; all are static and for the bundle's processor.
The images of the runtime and the dashboard are made here. All others come from OCI layouts and archives of
`docker save` (--images), byte for byte: one with a digest is found by that alone.

What the spec asks its sites (`answers`) stands in files of systemd/config as `${answer:NAME}`, which the
installer fills in. An answer that changes anything else is refused with the place.

Nothing leaves that must not: values of the spec's secrets that can be read here, canaries of `conform`,
private keys. Each finding is refused with its place; --accept PLACE lets it stay.

--keys is what `caisson keys root` made: who may sign. Without it there is a bundle that nobody can sign.
The release number grows with the version, so a version is never given twice.

With --base the bundle is a delta: it leaves out what a site with that release has, and holds patches where
they save 30 %. Only such a site can take it. Data that it looks for in another place than the base are said.

examples:
  caisson bundle create deployment.yaml --keys keys --images images
  caisson bundle create deployment.yaml --program caddy=caddy-2.10.0/caddy --out /srv/agentik-1.1.0-amd64

exit codes:
  0  the bundle was made
  1  the spec has errors, or something was found that must not leave
  2  the command line makes no sense
  3  something cannot be read or written; nothing was left behind
)";

struct Options {
  std::string spec;
  Rendering rendering;
  std::string out;
  std::string keys;
  std::string vex;
  std::string base;
  std::vector<std::string> images;
  std::vector<std::string> programs;
  std::string from = "0.0.0";
  std::string via;
  std::vector<std::string> accepted;
  unsigned threads = 0;
};

using Programs = std::map<std::string, fs::path>;
using bundle::Content;
using bundle::Source;

/// A file beside the spec that was read to load it.
using SideFiles = std::map<std::string, std::string>;

const char* form_of(spec::Targets::Bundle::For form) {
  switch (form) {
    case spec::Targets::Bundle::For::compose:
      return "compose";
    case spec::Targets::Bundle::For::systemd:
      return "systemd";
    case spec::Targets::Bundle::For::helm:
      return "helm";
  }
  return "";
}

/// --program NAME=PATH, each.
Result<Programs> named_programs(const std::vector<std::string>& words) {
  Programs programs;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    const auto name = word.substr(0, equals);
    if (equals == std::string::npos || equals + 1 == word.size()) {
      return fail("--program " + word + " names no file", "write --program NAME=PATH");
    }
    programs[name] = word.substr(equals + 1);
  }
  return programs;
}

Result<Source> program(const Programs& named, const std::string& name) {
  const auto found = named.find(name);
  auto path = found == named.end() ? conformance::find_program(name) : found->second;
  if (!path) {
    return fail(path.error().what, "name it with --program " + name + "=PATH");
  }
  return Source::open(*path);
}

Result<void> add_assets(const spec::Deployment& deployment, const fs::path& directory,
                        std::vector<Content>& contents) {
  for (const auto& asset : deployment.assets) {
    auto source = Source::open(directory / asset.path);
    if (!source) {
      return fail(source.error().what, "'assets' of the spec names it, relative to the spec");
    }
    if (asset.size && source->size() != static_cast<std::uint64_t>(asset.size->count)) {
      return fail(source->shown() + " has " + std::to_string(source->size()) +
                      " bytes, and the spec says " + std::to_string(asset.size->count),
                  "get the file again, or mend 'size' of the asset");
    }
    if (!asset.sha256.empty()) {
      const auto digest = sha256_of_file(directory / asset.path);
      if (!digest) return tl::unexpected(digest.error());
      if (*digest != asset.sha256) {
        return fail(
            source->shown() + " has the digest " + *digest + ", and the spec says " + asset.sha256,
            "get the file again, or mend 'sha256' of the asset");
      }
    }
    contents.push_back({.path = "assets/" + (asset.to.empty() ? asset.path : asset.to),
                        .source = *std::move(source)});
  }
  return {};
}

/// Collects what the recipe is made of, step by step.
class Kitchen {
 public:
  Kitchen(const Options& options, const SpecSource& source, const LoadedSpec& spec,
          const Asked& asked, const SideFiles& beside, const render::Blueprints& blueprints,
          Console& console)
      : options_(options),
        source_(source),
        spec_(spec),
        deployment_(spec.loaded->deployment),
        asked_(asked),
        beside_(beside),
        blueprints_(blueprints),
        console_(console) {}

  /// Fails with what is in the way; `finding` then says whether the spec is.
  Result<bundle::Recipe> collect(bool& finding) {
    const auto& wanted = deployment_.targets.bundle;
    recipe_.product = deployment_.name;
    recipe_.arch = wanted.arch;
    recipe_.packing = {.level = static_cast<int>(wanted.level), .threads = options_.threads};
    recipe_.spec_sha256 = spec_.sha256;
    recipe_.environment = options_.rendering.environment;
    recipe_.accepted = options_.accepted;
    recipe_.secrets = known_secrets(deployment_, source_);
    for (const auto form : wanted.for_) recipe_.forms.emplace_back(form_of(form));
    if (!options_.keys.empty()) recipe_.keys = options_.keys;
    if (!options_.base.empty()) recipe_.base = options_.base;
    for (auto step : {&Kitchen::versions, &Kitchen::date}) {
      if (auto done = (this->*step)(); !done) return tl::unexpected(done.error());
    }
    finding = true;
    if (auto done = artifacts(); !done) return tl::unexpected(done.error());
    finding = false;
    for (auto step : {&Kitchen::programs, &Kitchen::images, &Kitchen::files}) {
      if (auto done = (this->*step)(); !done) return tl::unexpected(done.error());
    }
    return std::move(recipe_);
  }

 private:
  [[nodiscard]] bool has_form(std::string_view form) const {
    return std::ranges::find(recipe_.forms, form) != recipe_.forms.end();
  }

  static Result<installer::Version> version(const std::string& text, const std::string& what) {
    const auto version = installer::version_of(text);
    if (!version) {
      return fail(what + " is '" + text + "'", "a release has three numbers, as 1.4.0");
    }
    return *version;
  }

  Result<void> versions() {
    const auto own = version(deployment_.version, "the version of the spec");
    if (!own) return tl::unexpected(own.error());
    recipe_.version = *own;
    const auto from = version(options_.from, "--from");
    if (!from) return tl::unexpected(from.error());
    recipe_.from = *from;
    if (options_.via.empty()) return {};
    const auto via = version(options_.via, "--via");
    if (!via) return tl::unexpected(via.error());
    recipe_.via = *via;
    return {};
  }

  /// When the release was made, which every signature of it says: SOURCE_DATE_EPOCH, or the time
  /// of the commit.
  Result<void> date() {
    const auto given = source_date();
    if (!given) return tl::unexpected(given.error());
    if (options_.spec != "-") {
      auto commit = publish::commit_around(options_.spec);
      if (!commit) return tl::unexpected(commit.error());
      recipe_.commit = *std::move(commit);
    }
    if (!*given && !recipe_.commit) {
      return fail("nothing says when this release was made: the spec is in no git repository",
                  "set SOURCE_DATE_EPOCH to seconds since 1970, for example $(date +%s)");
    }
    recipe_.date = static_cast<std::uint64_t>(
        *given ? **given : std::max<std::int64_t>(0, recipe_.commit->seconds));
    return {};
  }

  Result<void> artifacts() {
    auto rendering = options_.rendering;
    rendering.targets = recipe_.forms;
    // A project names the Dockerfiles that its images were built from.
    if (has_form("compose") && deployment_.targets.docker.enabled) {
      rendering.targets.emplace_back("docker");
    }
    auto rendered = render_for_sites(source_, spec_, asked_, rendering, blueprints_, console_);
    if (!rendered) return tl::unexpected(rendered.error());
    artifacts_ = std::move(rendered->artifacts);
    recipe_.places = bundle::places_of(rendered->places,
                                       plan::plan(*spec_.loaded).targets.compose_project.value);
    recipe_.questions = asked_.questions;
    for (const auto& artifact : artifacts_) {
      if (has_installed(artifact.path)) continue;
      auto path = artifact.path;
      if (path.starts_with(render::installed_folder)) {
        path = "compose/" + path.substr(render::installed_folder.size());
      }
      add(std::move(path), artifact.bytes, artifact.mode == 0755);
    }
    return {};
  }

  /// Whether a site reads another artifact in the place of this one.
  [[nodiscard]] bool has_installed(std::string_view path) const {
    const auto name = path.substr(std::min(path.find('/') + 1, path.size()));
    return path.starts_with("compose/") && std::ranges::any_of(artifacts_, [&](const auto& each) {
             return each.path.starts_with(render::installed_folder) &&
                    std::string_view(each.path).substr(render::installed_folder.size()) == name;
           });
  }

  void add(std::string path, std::string bytes, bool executable = false) {
    recipe_.contents.push_back(
        {.path = std::move(path), .executable = executable, .source = Source(std::move(bytes))});
  }

  Result<void> programs() {
    const auto named = named_programs(options_.programs);
    if (!named) return tl::unexpected(named.error());
    std::vector<std::string> names{"caisson", "caisson-runtime"};
    if (has_form("systemd") && deployment_.edge.proxy != spec::Edge::Proxy::none) {
      names.emplace_back("caddy");
    }
    for (const auto& [name, path] : *named) {
      if (name != "caisson-install" && std::ranges::find(names, name) == names.end()) {
        return fail("the bundle has no program '" + name + "'",
                    "it takes caisson, caisson-runtime, "
                    "caisson-install, and caddy for target systemd");
      }
    }
    for (const auto& name : names) {
      auto found = program(*named, name);
      if (!found) return tl::unexpected(found.error());
      if (name == "caisson-runtime") {
        runtime_ = *found;
        // The project mounts it into containers that have nothing to ask for their health with.
        if (has_form("compose")) {
          recipe_.contents.push_back(
              {.path = "docker/" + name, .executable = true, .source = *found});
        }
      }
      recipe_.contents.push_back({.path = "bin/" + name, .executable = true, .source = *found});
    }
    auto installer = program(*named, "caisson-install");
    if (!installer) return tl::unexpected(installer.error());
    recipe_.installer = *std::move(installer);
    return {};
  }

  Result<void> images() {
    const auto plan = plan::plan(*spec_.loaded);
    const auto references = bundle::image_references(artifacts_, plan, recipe_.forms);
    if (references.empty()) return {};
    const auto bytes = runtime_.all(std::uint64_t{256} << 20U);
    if (!bytes) return tl::unexpected(bytes.error());
    const auto own = own_images(plan, blueprints_, *bytes, static_cast<std::int64_t>(recipe_.date));
    if (!own) return tl::unexpected(own.error());
    bundle::Shelf shelf;
    if (auto done = shelf.add(image::to_layout(*own)); !done) return done;
    for (const auto& path : options_.images) {
      if (auto done = shelf.add(path); !done) return done;
    }
    for (const auto& reference : references) {
      auto image = shelf.find(reference, recipe_.arch);
      if (!image) return tl::unexpected(image.error());
      recipe_.images.push_back(*std::move(image));
    }
    return {};
  }

  /// The spec with what lies beside it, and the large files.
  Result<void> files() {
    const auto directory =
        options_.spec == "-" ? fs::path() : fs::path(options_.spec).parent_path();
    add("spec/deployment.yaml", source_.text);
    for (const auto& [path, bytes] : beside_) {
      add("spec/" + fs::path(path).lexically_normal().generic_string(), bytes);
    }
    if (!options_.vex.empty()) {
      auto found = Source::open(options_.vex);
      if (!found) return tl::unexpected(found.error());
      recipe_.vex = *std::move(found);
    }
    return add_assets(deployment_, directory, recipe_.contents);
  }

  const Options& options_;
  const SpecSource& source_;
  const LoadedSpec& spec_;
  const spec::Deployment& deployment_;
  const Asked& asked_;
  const SideFiles& beside_;
  const render::Blueprints& blueprints_;
  Console& console_;
  bundle::Recipe recipe_;
  render::Artifacts artifacts_;
  Source runtime_;
};

int create(const Options& options, Console& console) {
  auto source = read_spec(options.spec);
  if (!source) return fail_with(source.error(), console);
  const auto blueprints = load_blueprints(options.rendering.blueprints);
  if (!blueprints) return fail_with(blueprints.error(), console);
  const auto asked = asked_of(*source, options.rendering.environment);
  source->answers = bundle::trial_answers(asked.questions).front();
  SideFiles beside;
  auto noting = *source;
  noting.read_file = [&](std::string_view path) {
    auto bytes = source->read_file(path);
    if (bytes) beside[std::string(path)] = *bytes;
    return bytes;
  };
  const auto spec = load_spec(noting, options.rendering.environment, options.rendering.strict);
  report(spec, console);
  if (!spec.loaded) {
    console.error(strict_note(options.rendering.strict));
    return static_cast<int>(Exit::findings);
  }
  const auto& deployment = spec.loaded->deployment;
  if (!deployment.targets.bundle.enabled) {
    return fail_with({.what = "the spec asks for no bundle",
                      .remedy = "add 'bundle: { for: [systemd, compose] }' to 'targets'"},
                     console, Exit::findings);
  }
  bool finding = false;
  auto recipe =
      Kitchen(options, *source, spec, asked, beside, *blueprints, console).collect(finding);
  if (!recipe) {
    return fail_with(recipe.error(), console, finding ? Exit::findings : Exit::environment);
  }
  const fs::path place = options.out.empty() ? deployment.name + "-" + deployment.version + "-" +
                                                   deployment.targets.bundle.arch
                                             : options.out;
  const bool unsignable = !recipe->keys.has_value();
  const auto base =
      recipe->base ? bundle::manifest_at(*recipe->base) : Result<installer::Manifest>();
  if (!base) return fail_with(base.error(), console);
  const auto created = [&] {
    TerminalProgress progress(console);
    return bundle::create(*std::move(recipe), place, progress);
  }();
  if (!created) return fail_with(created.error(), console);
  for (const auto& found : created->accepted) {
    console.remark(found.place + ": " + found.what + " leaves with the bundle, as --accept says");
  }
  for (const auto& found : created->refused) {
    console.error(found.place + ": " + found.what + " must not leave\n");
  }
  if (!created->refused.empty()) {
    return fail_with({.what = "no bundle was made",
                      .remedy = "take out what was found, or let it stay with --accept PLACE"},
                     console, Exit::findings);
  }
  const auto& manifest = created->manifest;
  console.print(place.string() + "  " + bundle::size_text(created->bytes) + ", " +
                std::to_string(created->files) + " files, " +
                std::to_string(manifest.images.size()) + " images, release " +
                std::to_string(manifest.envelope.release.epoch) + "/" +
                std::to_string(manifest.envelope.release.sequence) + "\n");
  for (const auto& program : created->silent) {
    console.remark(
        "the program " + program +
        " does not say what is linked into it: sbom.cdx.json and LICENSES.txt lack that");
  }
  if (const auto moves = bundle::moves_text(*base, manifest); !moves.empty()) {
    console.remark("a site has to take data along, and name it with --accept-move:\n" + moves);
  }
  if (unsignable) console.remark("it has no keys/ and cannot be signed: give --keys for that");
  return static_cast<int>(Exit::ok);
}

}  // namespace

Command bundle_create_command(CLI::App& root) {
  auto* app =
      bundle_group(root).add_subcommand("create", "make the bundle of a spec")->group("commands");
  auto options = std::make_shared<Options>();
  add_spec(*app, options->spec);
  add_environment(*app, options->rendering.environment);
  add_blueprints(*app, options->rendering.blueprints);
  add_strict(*app, options->rendering.strict);
  app->add_option("--out", options->out, "the bundle (default: ./NAME-VERSION-ARCH)")
      ->type_name("DIR");
  app->add_option("--keys", options->keys, "the public keys that `caisson keys root` made")
      ->type_name("DIR");
  app->add_option("--images", options->images,
                  "an OCI layout, or an archive of `docker save`; repeated for several")
      ->type_name("PATH")
      ->allow_extra_args(false);
  app->add_option("--program", options->programs,
                  "where a program is (default: beside this one); repeated for several")
      ->type_name("NAME=PATH")
      ->allow_extra_args(false);
  app->add_option("--base", options->base,
                  "make a delta, for sites that have the release of this whole bundle")
      ->type_name("DIR");
  app->add_option("--vex", options->vex, "known vulnerabilities, CycloneDX VEX")->type_name("FILE");
  app->add_option("--from", options->from, "the oldest version that can be updated to this one")
      ->type_name("VERSION")
      ->capture_default_str();
  app->add_option("--via", options->via, "the version that an older one is updated to first")
      ->type_name("VERSION");
  app->add_option("--accept", options->accepted,
                  "the place of a finding that may stay; repeated for several")
      ->type_name("PLACE")
      ->allow_extra_args(false);
  app->add_option("--threads", options->threads, "how many compress (default: all processors)")
      ->type_name("N");
  app->footer(kNotes);
  return {.app = app, .run = [options](Console& console) { return create(*options, console); }};
}

}  // namespace caisson::cli

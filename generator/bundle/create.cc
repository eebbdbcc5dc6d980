#include "generator/bundle/create.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "api/data_version.h"
#include "generator/bundle/delta.h"
#include "generator/bundle/images.h"
#include "generator/bundle/keys.h"
#include "generator/bundle/provenance.h"
#include "generator/bundle/sbom.h"
#include "generator/bundle/texts.h"
#include "generator/image/elf.h"
#include "installer/format/path.h"

namespace caisson::bundle {
namespace {

namespace fs = std::filesystem;
using installer::Manifest;

constexpr std::uint64_t kMostOfProgram = std::uint64_t{256} << 20U;
constexpr std::uint64_t kMostOfVex = std::uint64_t{16} << 20U;

/// One run of `create`, step by step.
class Creation {
 public:
  Creation(Recipe recipe, Progress& progress)
      : recipe_(std::move(recipe)), progress_(progress), scan_(recipe_.secrets) {}

  Result<Created> run(const fs::path& place) {
    if (auto done = read_keys(); !done) return tl::unexpected(done.error());
    if (auto done = read_base(); !done) return tl::unexpected(done.error());
    if (auto done = check_paths(); !done) return tl::unexpected(done.error());
    auto stage = Stage::open(place);
    if (!stage) return tl::unexpected(stage.error());
    for (auto step : {&Creation::programs, &Creation::images, &Creation::files}) {
      if (auto done = (this->*step)(**stage); !done) return tl::unexpected(done.error());
    }
    if (auto done = write_texts(**stage); !done) return tl::unexpected(done.error());

    Created created;
    for (auto& finding : scan_.findings()) {
      const bool accepted =
          std::ranges::find(recipe_.accepted, finding.place) != recipe_.accepted.end();
      (accepted ? created.accepted : created.refused).push_back(std::move(finding));
    }
    for (const auto& program : programs_) {
      if (program.parts.empty()) created.silent.push_back(program.name);
    }
    created.bytes = (*stage)->bytes();
    created.files = (*stage)->sums().size() - 1;
    created.manifest = std::move(manifest_);
    if (!created.refused.empty()) return created;
    if (auto done = (*stage)->finish(); !done) return tl::unexpected(done.error());
    return created;
  }

 private:
  Result<void> read_keys() {
    std::uint64_t epoch = 1;
    if (recipe_.keys) {
      auto keys = bundle::read_keys(*recipe_.keys, recipe_.product, recipe_.date);
      if (!keys) return tl::unexpected(keys.error());
      keys_ = *std::move(keys);
      epoch = keys_.epoch;
    }
    const auto release = release_of(recipe_.version, epoch);
    if (!release) return tl::unexpected(release.error());
    manifest_.envelope = {.format = installer::kFormat,
                          .product = recipe_.product,
                          .arch = recipe_.arch,
                          .release = *release};
    return {};
  }

  Result<void> read_base() {
    if (!recipe_.base) return {};
    auto base = bundle::read_base(*recipe_.base, manifest_.envelope);
    if (!base) return tl::unexpected(base.error());
    base_ = *std::move(base);
    manifest_.base = installer::Base{.manifest = base_->digest, .version = base_->manifest.version};
    return {};
  }

  /// What the site would refuse is refused here.
  Result<void> check_paths() const {
    std::vector<std::string_view> paths;
    for (const auto& content : recipe_.contents) {
      if (const auto fault = installer::fault_of_path(content.path); !fault.empty()) {
        return fail("the file '" + content.path + "' cannot be installed: " + std::string(fault));
      }
      paths.push_back(content.path);
    }
    if (const auto conflict = installer::conflict_of("the bundle", std::move(paths))) {
      return fail(conflict->what, "give each asset a place of its own with 'to'");
    }
    return {};
  }

  /// The installer, and what the other programs are made of.
  Result<void> programs(Stage& stage) {
    const auto installer = recipe_.installer.all(kMostOfProgram);
    if (!installer) return tl::unexpected(installer.error());
    if (auto right = take_program("caisson-install", *installer); !right) return right;
    manifest_.envelope.installer = sha256(*installer);
    scan_.look("caisson-install", *installer);
    if (auto done = stage.put("caisson-install", *installer, true); !done) return done;
    for (const auto& content : recipe_.contents) {
      if (!content.path.starts_with("bin/")) continue;
      const auto bytes = content.source.all(kMostOfProgram);
      if (!bytes) return tl::unexpected(bytes.error());
      if (auto right = take_program(content.path.substr(4), *bytes); !right) return right;
    }
    return {};
  }

  Result<void> take_program(const std::string& name, std::string_view bytes) {
    const auto arch = image::architecture_of(bytes);
    if (!arch) {
      return fail("the program " + name + " cannot be carried: " + arch.error().what,
                  "name a static one of a release with --program " + name + "=PATH");
    }
    if (*arch != recipe_.arch) {
      return fail(
          "the program " + name + " is for " + *arch + ", and the bundle for " + recipe_.arch,
          "name another one with --program " + name + "=PATH");
    }
    auto parts = parts_of(bytes);
    if (!parts) return fail(name + ": " + parts.error().what, parts.error().remedy);
    programs_.push_back({.name = name, .digest = sha256(bytes), .parts = *std::move(parts)});
    return {};
  }

  Result<void> images(Stage& stage) {
    const auto left_out = base_ ? image_blobs(base_->manifest) : std::vector<Digest>();
    auto packed = pack_images(recipe_.images, recipe_.arch, recipe_.packing.threads, left_out,
                              stage, scan_, progress_);
    if (!packed) return tl::unexpected(packed.error());
    images_ = *std::move(packed);
    return {};
  }

  Result<void> files(Stage& stage) {
    if (base_) {
      auto taken =
          take_from_base(*base_, recipe_.contents, recipe_.packing, stage, scan_, progress_);
      if (!taken) return tl::unexpected(taken.error());
      manifest_.packs = *std::move(taken);
    }
    auto packs = pack(recipe_.contents, recipe_.packing, stage, scan_, progress_);
    if (!packs) return tl::unexpected(packs.error());
    std::ranges::move(*packs, std::back_inserter(manifest_.packs));
    std::ranges::sort(manifest_.packs, {},
                      [](const auto& each) -> const auto& { return each.files.front().path; });
    return {};
  }

  Result<void> write_texts(Stage& stage) {
    manifest_.version = recipe_.version;
    manifest_.from = recipe_.from;
    manifest_.via = recipe_.via;
    manifest_.data = api::data_version;
    manifest_.reads = api::oldest_data_version;
    manifest_.date = recipe_.date;
    manifest_.forms = recipe_.forms;
    manifest_.places = recipe_.places;
    manifest_.questions = recipe_.questions;
    manifest_.unpacked = images_.unpacked;
    manifest_.images = images_.images;
    const auto text = write_manifest(manifest_);
    // What a site would refuse is no bundle.
    if (const auto read = installer::read_manifest(text); !read) return fail(read.error().what);

    std::vector<installer::Sum> installed;
    for (const auto& pack : manifest_.packs) {
      for (const auto& file : pack.files) {
        installed.push_back({.digest = file.digest, .path = file.path});
      }
    }
    std::vector<std::pair<std::string, std::string>> texts{
        {std::string(installer::kManifest), text},
        {"INSTALLED", write_sums(std::move(installed), {})},
        {"README", readme(manifest_)},
        {"INSTALL.md", install_text(manifest_)},
        {"TRUST.txt", trust_text(manifest_, keys_)},
        {"LICENSES.txt", licences(recipe_, programs_)},
        {"sbom.cdx.json", sbom(recipe_, programs_, images_)}};
    for (const auto& [name, bytes] : keys_.files) texts.emplace_back("keys/" + name, bytes);
    if (recipe_.vex) {
      auto vex = recipe_.vex->all(kMostOfVex);
      if (!vex) return tl::unexpected(vex.error());
      texts.emplace_back("vex.cdx.json", *std::move(vex));
    }
    for (const auto& [path, bytes] : texts) {
      scan_.look(path, bytes);
      if (auto done = stage.put(path, bytes); !done) return done;
    }
    const auto statement = provenance(recipe_, stage.sums());
    if (auto done = stage.put("provenance.intoto.jsonl", statement); !done) return done;
    return stage.put("SHA256SUMS", write_sums(stage.sums(), installer::kManifest));
  }

  Recipe recipe_;
  Progress& progress_;
  conformance::DisclosureScan scan_;
  PublicKeys keys_;
  std::optional<BaseBundle> base_;
  Manifest manifest_;
  std::vector<ProgramParts> programs_;
  PackedImages images_;
};

}  // namespace

Result<installer::Release> release_of(const installer::Version& version, std::uint64_t epoch) {
  constexpr std::uint64_t million = 1'000'000;
  if (version.minor >= million || version.patch >= million || version.major >= million) {
    return fail("the version " + to_text(version) + " is too large for a release number",
                "each of its numbers is below a million");
  }
  return installer::Release{
      .epoch = epoch,
      .sequence = (version.major * million + version.minor) * million + version.patch};
}

Result<Created> create(Recipe recipe, const fs::path& place, Progress& progress) {
  // Nothing depends on the order in which it was collected.
  std::ranges::sort(recipe.forms);
  std::ranges::sort(recipe.contents, {}, &Content::path);
  std::ranges::sort(recipe.images, {}, &ShelfImage::reference);
  std::ranges::sort(recipe.questions, {}, &installer::Question::name);
  return Creation(std::move(recipe), progress).run(place);
}

}  // namespace caisson::bundle

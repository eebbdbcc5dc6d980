#include "generator/bundle/delta.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <zstd.h>

#include "base/files.h"
#include "base/hex.h"
#include "generator/bundle/compress.h"
#include "generator/bundle/parallel.h"
#include "installer/format/lines.h"
#include "installer/format/sums.h"

namespace caisson::bundle {
namespace {

namespace fs = std::filesystem;
using installer::kMostOfPatched;
using installer::Pack;

/// A patch has to be smaller than this share of what it is instead of, in percent.
constexpr std::uint64_t kMostOfFrame = 70;

/// Where a file lies in the base.
struct Place {
  const Pack* pack = nullptr;
  std::size_t offset = 0;
  const installer::File* file = nullptr;
};

std::map<std::string_view, Place> places_of(const installer::Manifest& manifest) {
  std::map<std::string_view, Place> places;
  for (const auto& pack : manifest.packs) {
    std::size_t offset = 0;
    for (const auto& file : pack.files) {
      places[file.path] = {.pack = &pack, .offset = offset, .file = &file};
      offset += file.size;
    }
  }
  return places;
}

tl::unexpected<Failure> damaged(const BaseBundle& base, const std::string& path) {
  return fail("the base '" + base.directory.string() + "' is damaged at " + path,
              "check it with `sha256sum -c SHA256SUMS`");
}

/// The content of a file of the base, which is checked.
Result<std::string> read_from(const BaseBundle& base, const Place& place) {
  std::string bytes;
  for (const auto& chunk : place.pack->chunks) {
    const auto stored = read_file(base.directory / kBlobs / hex(chunk.digest), chunk.stored);
    if (!stored) return tl::unexpected(stored.error());
    const auto at = bytes.size();
    bytes.resize(at + chunk.size);
    const auto size =
        ZSTD_decompress(bytes.data() + at, chunk.size, stored->data(), stored->size());
    if (ZSTD_isError(size) != 0 || size != chunk.size) return damaged(base, place.file->path);
  }
  bytes = bytes.substr(place.offset, place.file->size);
  if (sha256(bytes) != place.file->digest) return damaged(base, place.file->path);
  return bytes;
}

Result<Digest> digest_of(const Source& source) {
  Sha256 sum;
  std::string piece;
  for (std::uint64_t at = 0; at < source.size(); at += piece.size()) {
    const auto size = std::min<std::uint64_t>(std::uint64_t{1} << 20U, source.size() - at);
    if (auto read = source.read(at, size, piece); !read) return tl::unexpected(read.error());
    sum.update(piece);
  }
  return sum.finish();
}

/// The file as a patch of what the base has in its place; none where that saves too little.
Result<std::optional<Pack>> patch(const BaseBundle& base, const Place& place,
                                  const Content& content, const installer::File& file,
                                  const Packing& packing, Stage& stage,
                                  conformance::DisclosureScan& scan) {
  const auto before = read_from(base, place);
  if (!before) return tl::unexpected(before.error());
  const auto bytes = content.source.all(kMostOfPatched);
  if (!bytes) return tl::unexpected(bytes.error());
  if (sha256(*bytes) != file.digest) return fail(content.path + " changed while it was read");
  Compressor compressor(packing.level);
  const auto whole = compressor.frame(*bytes);
  if (!whole) return tl::unexpected(whole.error());
  const auto most = whole->size() * kMostOfFrame / 100;
  const auto difference = compressor.patch(*bytes, *before);
  if (!difference) return tl::unexpected(difference.error());
  if (difference->size() > std::min(most, installer::kMostOfPatch)) return std::nullopt;
  scan.look(content.path, *bytes);
  const auto digest = stage.blob(*difference);
  if (!digest) return tl::unexpected(digest.error());
  return Pack{.from = Pack::From::patch,
              .chunks = {{.digest = *digest, .stored = difference->size(), .size = bytes->size()}},
              .base = place.file->digest,
              .files = {file}};
}

}  // namespace

Result<BaseBundle> read_base(const fs::path& directory, const installer::Envelope& release) {
  const auto text = read_file(directory / installer::kManifest, installer::kMostOfText);
  if (!text) return tl::unexpected(text.error());
  auto manifest = installer::read_manifest(*text);
  const auto shown = "the base '" + directory.string() + "'";
  if (!manifest) return fail(shown + ": " + manifest.error().what);
  if (manifest->base) {
    return fail(shown + " is a delta itself", "give the whole bundle of that release");
  }
  const auto& envelope = manifest->envelope;
  if (envelope.product != release.product || envelope.arch != release.arch) {
    return fail(shown + " is of " + envelope.product + " for " + envelope.arch,
                "give a bundle of " + release.product + " for " + release.arch);
  }
  if (envelope.release >= release.release) {
    return fail(shown + " is not older than the release that stands on it",
                "raise the version of the spec");
  }
  return BaseBundle{
      .directory = directory, .digest = sha256(*text), .manifest = *std::move(manifest)};
}

std::vector<Digest> image_blobs(const installer::Manifest& manifest) {
  std::set<Digest> blobs;
  for (const auto& image : manifest.images) {
    if (image.index) blobs.insert(image.index->digest);
    blobs.insert({image.manifest.digest, image.config.digest});
    for (const auto& layer : image.layers) blobs.insert(layer.blob.digest);
  }
  return {blobs.begin(), blobs.end()};
}

Result<std::vector<Pack>> take_from_base(const BaseBundle& base, std::vector<Content>& contents,
                                         const Packing& packing, Stage& stage,
                                         conformance::DisclosureScan& scan, Progress& progress) {
  const auto places = places_of(base.manifest);
  std::set<Digest> had;
  for (const auto& [path, place] : places) had.insert(place.file->digest);
  std::uint64_t bytes = 0;
  for (const auto& content : contents) bytes += content.source.size();
  progress.begin("what the base has", bytes);
  std::vector<std::optional<Pack>> made(contents.size());
  const auto done =
      in_parallel(contents.size(), packing.threads, [&](std::size_t i) -> Result<void> {
        const auto& content = contents[i];
        const auto digest = digest_of(content.source);
        if (!digest) return tl::unexpected(digest.error());
        progress.advance(content.source.size());
        const installer::File file{.size = content.source.size(),
                                   .executable = content.executable,
                                   .digest = *digest,
                                   .path = content.path};
        if (had.contains(*digest)) {
          made[i] = Pack{.from = Pack::From::base, .files = {file}};
          return {};
        }
        const auto place = places.find(content.path);
        if (place == places.end() || file.size > kMostOfPatched || file.size == 0 ||
            place->second.file->size > kMostOfPatched || place->second.file->size == 0) {
          return {};
        }
        auto patched = patch(base, place->second, content, file, packing, stage, scan);
        if (!patched) return tl::unexpected(patched.error());
        made[i] = *std::move(patched);
        return {};
      });
  if (!done) return tl::unexpected(done.error());
  std::vector<Pack> packs;
  std::vector<Content> rest;
  for (std::size_t i = 0; i < contents.size(); ++i) {
    if (made[i]) {
      packs.push_back(*std::move(made[i]));
    } else {
      rest.push_back(std::move(contents[i]));
    }
  }
  contents = std::move(rest);
  return packs;
}

}  // namespace caisson::bundle

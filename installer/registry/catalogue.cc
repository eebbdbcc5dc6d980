#include "installer/registry/catalogue.h"

#include <algorithm>
#include <utility>

#include "base/printable.h"
#include "installer/media/layout.h"
#include "installer/verify/listing.h"

namespace caisson::installer {
namespace {

constexpr std::size_t kPiece = std::size_t{256} * 1024;

/// What the OCI distribution specification asks registries to take.
constexpr std::size_t kMostOfDocument = std::size_t{4} * 1024 * 1024;

tl::unexpected<Refusal> unlike(const Digest& digest) {
  return refuse(Code::wrong_content, blob_path(digest) + " is not what was signed");
}

}  // namespace

Checked<Catalogue> Catalogue::of(const VerifiedBundle& bundle) {
  Catalogue catalogue(bundle);
  for (const auto& image : bundle.manifest().images) {
    auto reference = reference_of(image.reference);
    if (!reference) {
      return refuse(Code::image_names,
                    "no registry can serve '" + printable(image.reference) + "'");
    }
    std::vector<std::pair<Digest, std::uint64_t>> blobs = {
        {image.manifest.digest, image.manifest.size}, {image.config.digest, image.config.size}};
    if (image.index) blobs.emplace_back(image.index->digest, image.index->size);
    for (const auto& layer : image.layers) blobs.emplace_back(layer.blob.digest, layer.blob.size);
    for (const auto& [digest, size] : blobs) {
      if (!lists_blob(bundle.listing(), digest)) {
        return refuse(Code::wrong_base, "blobs of '" + image.reference + "' are in " +
                                            "the bundle that this delta stands on, not in this");
      }
      catalogue.blobs_.emplace(digest, size);
    }
    auto& documents = catalogue.repositories_[reference->repository].documents;
    documents.emplace(to_text(image.manifest.digest), &image.manifest);
    if (image.index) documents.emplace(to_text(image.index->digest), &*image.index);
    if (!reference->tag.empty()) {
      const auto* named = image.index ? &*image.index : &image.manifest;
      const auto [at, is_new] = documents.emplace(reference->tag, named);
      if (!is_new && at->second->digest != named->digest) {
        return refuse(Code::image_names, "two images would both be " + reference->repository + ":" +
                                             reference->tag + " in one registry");
      }
    }
    catalogue.images_.push_back({.image = &image, .reference = *std::move(reference)});
  }
  return catalogue;
}

bool Catalogue::has(std::string_view repository) const {
  return repositories_.find(repository) != repositories_.end();
}

const Document* Catalogue::document(std::string_view repository, std::string_view reference) const {
  const auto at = repositories_.find(repository);
  if (at == repositories_.end()) return nullptr;
  const auto found = at->second.documents.find(reference);
  return found == at->second.documents.end() ? nullptr : found->second;
}

const std::uint64_t* Catalogue::blob(const Digest& digest) const {
  const auto found = blobs_.find(digest);
  return found == blobs_.end() ? nullptr : &found->second;
}

std::vector<std::string> Catalogue::tags(std::string_view repository) const {
  std::vector<std::string> tags;
  const auto at = repositories_.find(repository);
  if (at == repositories_.end()) return tags;
  for (const auto& [name, document] : at->second.documents) {
    if (!sha256_of(name)) tags.push_back(name);
  }
  return tags;
}

Checked<std::string> Catalogue::read(const Document& document) const {
  auto text = read_text(bundle_->medium(), blob_path(document.digest), kMostOfDocument);
  if (text && sha256(*text) != document.digest) return unlike(document.digest);
  return text;
}

Checked<void> Catalogue::read(
    const Digest& digest, const std::function<Checked<void>(std::string_view piece)>& each) const {
  const auto* size = blob(digest);
  if (size == nullptr) return unlike(digest);
  auto source = bundle_->medium().open(blob_path(digest));
  if (!source) return tl::unexpected(source.error());
  if ((*source)->size() != *size) return unlike(digest);
  Sha256 hash;
  std::string buffer(kPiece, '\0');
  for (std::uint64_t at = 0; at < *size;) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, *size - at));
    if (auto got = (*source)->read(at, std::span(buffer.data(), length)); !got) return got;
    const std::string_view piece(buffer.data(), length);
    hash.update(piece);
    at += length;
    if (at == *size && hash.finish() != digest) return unlike(digest);
    if (auto taken = each(piece); !taken) return taken;
  }
  return {};
}

}  // namespace caisson::installer

#include "installer/verify/listing.h"

#include <algorithm>
#include <string>

#include "base/hex.h"
#include "installer/media/layout.h"

namespace caisson::installer {
namespace {

/// The digest of the INSTALLED that belongs to a manifest. It is written line by line, since the
/// whole of it can have 16 MiB.
Digest installed_digest(const Manifest& manifest) {
  std::vector<const File*> files;
  for (const auto& pack : manifest.packs) {
    for (const auto& file : pack.files) files.push_back(&file);
  }
  std::ranges::sort(files, {}, [](const File* file) -> const std::string& { return file->path; });
  Sha256 hash;
  for (const auto* file : files) hash.update(hex(file->digest) + "  " + file->path + "\n");
  return hash.finish();
}

std::optional<Refusal> fault_of_blob(const Listing& listing, const Digest& digest,
                                     std::string_view of) {
  if (lists_blob(listing, digest)) return std::nullopt;
  return Refusal{Code::bad_layout, "SHA256SUMS does not list " + blob_path(digest) + ", which " +
                                       std::string(of) + " needs"};
}

std::optional<Refusal> fault_of_blobs(const Listing& listing, const Manifest& manifest) {
  std::optional<Refusal> fault;
  for (const auto& pack : manifest.packs) {
    for (const auto& chunk : pack.chunks) {
      if (!fault) fault = fault_of_blob(listing, chunk.digest, pack.files.front().path);
    }
  }
  if (manifest.base) return fault;  // what its base has is left out
  for (const auto& image : manifest.images) {
    if (image.index && !fault) fault = fault_of_blob(listing, image.index->digest, image.reference);
    if (!fault) fault = fault_of_blob(listing, image.manifest.digest, image.reference);
    if (!fault) fault = fault_of_blob(listing, image.config.digest, image.reference);
    for (const auto& layer : image.layers) {
      if (!fault) fault = fault_of_blob(listing, layer.blob.digest, image.reference);
    }
  }
  return fault;
}

}  // namespace

Checked<Listing> read_listing(std::string_view text) {
  auto sums = read_sums(kSums, text, kManifest);
  if (!sums) return tl::unexpected(sums.error());
  Listing listing;
  for (auto& sum : *sums) {
    const auto refused = [&](std::string_view why) {
      return refuse(Code::bad_layout,
                    std::string(kSums) + ": '" + sum.path + "' " + std::string(why));
    };
    if (!is_of_a_bundle(sum.path)) return refused("is no file of a bundle");
    if (sum.path == kSums || sum.path == kSignature || sum.path == kSecondSignature) {
      return refused("cannot be listed");
    }
    const auto blob = digest_of_blob(sum.path);
    if (blob && *blob != sum.digest) return refused("has another digest than its name says");
    if (blob) {
      listing.blobs.push_back(*blob);
    } else {
      listing.others.push_back(std::move(sum));
    }
    if (listing.others.size() > kMostOthers) {
      return refuse(Code::too_many,
                    std::string(kSums) + " lists more than 1,000 files beside blobs");
    }
  }
  if (listing.others.empty()) {
    return refuse(Code::bad_layout, std::string(kSums) + " does not list MANIFEST");
  }
  return listing;
}

const Sum* find_other(const Listing& listing, std::string_view path) {
  const auto found = std::ranges::find(listing.others, path, &Sum::path);
  return found == listing.others.end() ? nullptr : &*found;
}

bool lists_blob(const Listing& listing, const Digest& digest) {
  return std::ranges::binary_search(listing.blobs, digest);
}

std::optional<Refusal> fault_of_listing(const Listing& listing, const Manifest& manifest,
                                        std::uint64_t root) {
  for (const auto& path :
       {std::string(kInstalled), std::string(kInstaller), std::string("README"),
        std::string(kKeys) + "keyring.gpg", std::string(kKeys) + "root." + std::to_string(root)}) {
    if (find_other(listing, path) == nullptr) {
      return Refusal{Code::bad_layout, std::string(kSums) + " does not list " + path};
    }
  }
  if (find_other(listing, kInstaller)->digest != manifest.envelope.installer) {
    return Refusal{Code::bad_layout, "SHA256SUMS lists another installer than MANIFEST names"};
  }
  if (find_other(listing, kInstalled)->digest != installed_digest(manifest)) {
    return Refusal{Code::bad_layout,
                   "SHA256SUMS lists an INSTALLED that does not say what MANIFEST says"};
  }
  return fault_of_blobs(listing, manifest);
}

}  // namespace caisson::installer

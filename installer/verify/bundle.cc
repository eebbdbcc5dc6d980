#include "installer/verify/bundle.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/hex.h"
#include "base/printable.h"
#include "installer/media/layout.h"
#include "installer/trust/ring.h"
#include "installer/trust/signature.h"
#include "installer/verify/listing.h"

namespace caisson::installer {
namespace {

/// Bounds of what is read before a signature has said that it may be.
constexpr std::size_t kMostOfRoot = std::size_t{64} * 1024;
constexpr std::size_t kMostOfRoots = std::size_t{4} * 1024 * 1024;

constexpr std::size_t kMostOfInstaller = std::size_t{64} * 1024 * 1024;

constexpr std::size_t kMostNamed = 20;

/// Checks the signature and, where there is one for hosts in FIPS mode, that one as well.
Checked<Key> check_signatures(const Medium& medium, std::string_view sums,
                              const TrustedRoot& root) {
  std::optional<Key> key;
  for (const auto path : {kSecondSignature, kSignature}) {
    const auto signature = read_text(medium, path, kMostOfSignature);
    if (!signature) {
      const auto& error = signature.error();
      if (error.code == Code::missing_file && path == kSecondSignature) continue;
      if (error.code == Code::missing_file) return refuse(Code::no_signature, error.what);
      if (error.code == Code::text_too_large) return refuse(Code::not_a_signature, error.what);
      return tl::unexpected(error);
    }
    auto found =
        check_signature(std::string(path), *signature, sums, root.root().releases, root.revoked());
    if (!found) return found;
    key = *std::move(found);
  }
  return *std::move(key);
}

std::string to_text(const Release& release) {
  return std::to_string(release.epoch) + "/" + std::to_string(release.sequence);
}

/// Why what the first lines of MANIFEST name, in whatever format, is none for this site.
std::optional<Refusal> fault_for_site(const Envelope& envelope, const Root& root,
                                      const Site& site) {
  if (envelope.product != root.product) {
    return Refusal{Code::other_product, "the bundle is of '" + envelope.product +
                                            "', and this site trusts keys of '" + root.product +
                                            "'"};
  }
  if (site.arch && envelope.arch != *site.arch) {
    return Refusal{Code::other_arch,
                   "the bundle is for " + envelope.arch + ", and this host is " + *site.arch};
  }
  if (envelope.release.epoch != root.epoch) {
    return Refusal{Code::other_epoch, "the release is " + to_text(envelope.release) +
                                          ", and the root allows epoch " +
                                          std::to_string(root.epoch)};
  }
  if (envelope.release < site.floor) {
    return Refusal{Code::older_release, "the bundle holds " + to_text(envelope.release) + ", and " +
                                            to_text(site.floor) + " was installed here"};
  }
  return std::nullopt;
}

/// Why the release is none for this site.
std::optional<Refusal> fault_for_site(const Manifest& manifest, const Digest& digest,
                                      const Root& root, const Site& site) {
  const auto& envelope = manifest.envelope;
  if (auto fault = fault_for_site(envelope, root, site)) return fault;
  if (envelope.release == site.floor && site.manifest && *site.manifest != digest) {
    return Refusal{Code::changed_release, "the release " + to_text(envelope.release) +
                                              " was installed here with " + hex(*site.manifest) +
                                              ", and the bundle has " + hex(digest)};
  }
  if (site.version && (*site.version < manifest.from)) {
    return Refusal{Code::no_path_to_release,
                   "the version " + to_text(*site.version) +
                       " is installed, and this bundle updates " + to_text(manifest.from) +
                       " and later ones" +
                       (manifest.via ? "; update to " + to_text(*manifest.via) + " first" : "")};
  }
  return std::nullopt;
}

}  // namespace

std::string_view host_arch() {
#if defined(__x86_64__)
  return "amd64";
#elif defined(__aarch64__)
  return "arm64";
#else
#error "bundles are for amd64 and arm64"
#endif
}

Checked<std::vector<RootFile>> UnverifiedBundle::roots() const {
  std::map<std::uint64_t, RootFile> roots;
  std::size_t left = kMostOfRoots;
  std::vector<std::string> paths;
  bool many = false;
  auto listed = medium_->list([&](std::string_view path) {
    if (!root_of_path(path)) return;
    many = many || paths.size() == kMostOthers;
    if (!many) paths.emplace_back(path);
  });
  if (!listed) return tl::unexpected(listed.error());
  std::ranges::sort(paths);
  for (const auto& path : paths) {
    const auto name = *root_of_path(path);
    auto text = read_text(*medium_, path, name.signature ? kMostOfSignature : kMostOfRoot);
    if (!text) return tl::unexpected(text.error());
    many = many || text->size() > left;
    if (many) break;
    left -= text->size();
    auto& root = roots[name.number];
    root.number = name.number;
    if (name.signature) {
      root.signatures.push_back({.name = path, .bytes = *std::move(text)});
    } else {
      root.text = *std::move(text);
    }
  }
  if (many) return refuse(Code::too_many, medium_->shown() + " holds too many roots");
  std::vector<RootFile> files;
  files.reserve(roots.size());
  for (auto& [number, root] : roots) files.push_back(std::move(root));
  return files;
}

Checked<SignedBundle> SignedBundle::verify(UnverifiedBundle bundle, TrustedRoot trusted,
                                           const std::function<void(const TrustedRoot&)>& keep) {
  const auto roots = bundle.roots();
  if (!roots) return tl::unexpected(roots.error());
  auto root = follow_chain(std::move(trusted), *roots, keep);
  if (!root) return tl::unexpected(root.error());
  const auto sums = read_text(bundle.medium(), kSums, kMostOfText);
  if (!sums) return tl::unexpected(sums.error());
  auto key = check_signatures(bundle.medium(), *sums, *root);
  if (!key) return tl::unexpected(key.error());
  auto listing = read_listing(*sums);
  if (!listing) return tl::unexpected(listing.error());
  return SignedBundle(std::move(bundle.medium_), *std::move(root), *std::move(key),
                      *std::move(listing));
}

Checked<std::string> SignedBundle::manifest() const {
  const auto& digest = listing_.others.front().digest;
  if (medium_->bound_to() && *medium_->bound_to() != digest) {
    return refuse(Code::foreign_part, medium_->shown() + ": the parts are of the bundle " +
                                          hex(*medium_->bound_to()) + ", and hold " + hex(digest));
  }
  auto text = read_text(*medium_, kManifest, kMostOfText);
  if (!text) return text;
  if (sha256(*text) != digest) {
    return refuse(Code::wrong_content,
                  "MANIFEST in " + medium_->shown() + " is not what was signed");
  }
  return text;
}

Checked<Envelope> SignedBundle::envelope() const {
  const auto text = manifest();
  if (!text) return tl::unexpected(text.error());
  return read_envelope(*text);
}

Checked<std::string> SignedBundle::installer(const Site& site) const {
  const auto envelope = this->envelope();
  if (!envelope) return tl::unexpected(envelope.error());
  if (auto fault = fault_for_site(*envelope, root_.root(), site)) return tl::unexpected(*fault);
  auto program = read_text(*medium_, kInstaller, kMostOfInstaller);
  if (program && sha256(*program) != envelope->installer) {
    return refuse(Code::wrong_content,
                  "caisson-install in " + medium_->shown() + " is not what was signed");
  }
  return program;
}

Checked<VerifiedBundle> VerifiedBundle::verify(SignedBundle bundle, const Site& site) {
  const auto& medium = bundle.medium();
  const auto& listing = bundle.listing_;
  const auto& digest = listing.others.front().digest;
  const auto text = bundle.manifest();
  if (!text) return tl::unexpected(text.error());
  auto manifest = read_manifest(*text);
  if (!manifest) return tl::unexpected(manifest.error());
  const auto& root = bundle.root().root();
  if (auto fault = fault_for_site(*manifest, digest, root, site)) return tl::unexpected(*fault);
  if (auto fault = fault_of_key_times(root, manifest->date)) return tl::unexpected(*fault);
  if (auto fault = fault_of_listing(listing, *manifest, root.version)) {
    return tl::unexpected(*fault);
  }
  const auto ring = read_text(medium, kRing, kMostOfRing);
  if (!ring) return tl::unexpected(ring.error());
  if (sha256(*ring) != find_other(listing, kRing)->digest) {
    return refuse(Code::wrong_content, "keys/keyring.gpg is not what was signed");
  }
  if (auto fault = fault_of_ring(kRing, *ring, root)) return tl::unexpected(*fault);
  return VerifiedBundle(std::move(bundle), *std::move(manifest));
}

Checked<Unlisted> find_unlisted(const VerifiedBundle& bundle, bool strict) {
  Unlisted unlisted;
  const auto& listing = bundle.listing();
  auto listed = bundle.medium().list([&](std::string_view path) {
    const auto blob = digest_of_blob(path);
    if (blob ? lists_blob(listing, *blob)
             : find_other(listing, path) != nullptr || path == kSums || path == kSignature ||
                   path == kSecondSignature) {
      return;
    }
    ++unlisted.count;
    if (unlisted.names.size() < kMostNamed) unlisted.names.push_back(printable(path));
  });
  if (!listed) return tl::unexpected(listed.error());
  std::ranges::sort(unlisted.names);
  if (unlisted.count > 0 && (strict || bundle.medium().form() != Medium::Form::directory)) {
    return refuse(Code::unlisted_file,
                  "nothing lists '" + unlisted.names.front() + "' in " + bundle.medium().shown());
  }
  return unlisted;
}

}  // namespace caisson::installer

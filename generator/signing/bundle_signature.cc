#include "generator/signing/bundle_signature.h"

#include <algorithm>

#include "base/digest.h"
#include "base/files.h"
#include "generator/signing/roots.h"
#include "installer/format/journal.h"
#include "installer/format/manifest.h"
#include "installer/format/sums.h"
#include "installer/format/waiver.h"
#include "installer/trust/key_packet.h"
#include "installer/trust/ring.h"

namespace caisson::signing {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Failure> refused(const installer::Refusal& refusal) {
  const auto& entry = installer::entry_of(refusal.code);
  return fail(refusal.what + " (" + std::string(entry.number) + ")",
              "make the bundle again with `caisson bundle create`");
}

Result<void> check_roots(const fs::path& bundle, const std::string& product,
                         const installer::Key& key) {
  const auto roots = read_roots(bundle / "keys");
  if (!roots) return tl::unexpected(roots.error());
  const auto now = progress(*roots);
  if (!now) return tl::unexpected(now.error());
  if (now->lacking) return fail(*now->lacking, "no site would trust it: sign the root first");
  if (now->root.product != product) {
    return fail("the roots are of product '" + now->root.product + "', and MANIFEST of '" +
                product + "'");
  }
  if (auto fault = installer::fault_of_ring("keys/keyring.gpg", roots->ring, now->root)) {
    return refused(*fault);
  }
  if (std::ranges::find(now->root.releases, key) == now->root.releases.end()) {
    return fail("root " + std::to_string(now->root.version) + " does not name key " +
                    installer::key_id(key) + " for releases",
                "sign with a key that it names, or add this one with `caisson keys root`");
  }
  return {};
}

/// Whether `keys/` is what the sums list. It changes when a root is made after the bundle, which
/// then has to be made again.
Result<void> check_keys(const fs::path& bundle, const std::vector<installer::Sum>& list) {
  constexpr std::string_view kKeys = "keys/";
  const auto stale = [](const std::string& path) {
    return fail(path + " is not what SHA256SUMS lists",
                "make the bundle again: `caisson bundle create --keys DIR` takes new keys along");
  };
  auto names = list_directory(bundle / kKeys);
  if (!names) return tl::unexpected(names.error());
  std::size_t listed = 0;
  for (const auto& sum : list) {
    if (!sum.path.starts_with(kKeys)) continue;
    ++listed;
    if (std::ranges::find(*names, sum.path.substr(kKeys.size())) == names->end()) {
      return stale(sum.path);
    }
    const auto text = read_file(bundle / sum.path, installer::kMostOfText);
    if (!text) return tl::unexpected(text.error());
    if (sha256(*text) != sum.digest) return stale(sum.path);
  }
  if (listed == names->size()) return {};
  const auto unlisted = std::ranges::find_if(*names, [&](const std::string& name) {
    return std::ranges::find(list, std::string(kKeys) + name, &installer::Sum::path) == list.end();
  });
  return stale(std::string(kKeys) + *unlisted);
}

/// A bundle that a key may sign.
struct Signable {
  installer::Manifest manifest;
  Digest digest;  ///< of MANIFEST
  std::string sums;
  std::uint32_t date = 0;
};

Result<Signable> signable(const fs::path& bundle, const installer::Key& key) {
  const auto text = read_file(bundle / "MANIFEST", installer::kMostOfText);
  if (!text) return tl::unexpected(text.error());
  auto sums = read_file(bundle / "SHA256SUMS", installer::kMostOfText);
  if (!sums) return tl::unexpected(sums.error());
  auto manifest = installer::read_manifest(*text);
  if (!manifest) return refused(manifest.error());
  const auto list = installer::read_sums("SHA256SUMS", *sums, installer::kManifest);
  if (!list) return refused(list.error());
  const auto digest = sha256(*text);
  if (list->front().digest != digest) {
    return fail("SHA256SUMS does not have the digest of this MANIFEST",
                "make the bundle again with `caisson bundle create`");
  }
  if (auto right = check_keys(bundle, *list); !right) return tl::unexpected(right.error());
  if (auto right = check_roots(bundle, manifest->envelope.product, key); !right) {
    return tl::unexpected(right.error());
  }
  if (manifest->date > UINT32_MAX) return fail("the date in MANIFEST is too late for a signature");
  const auto date = static_cast<std::uint32_t>(manifest->date);
  return Signable{*std::move(manifest), digest, *std::move(sums), date};
}

}  // namespace

Result<std::string> sign_bundle(const fs::path& bundle, const Signer& signer) {
  const auto right = signable(bundle, signer.key());
  if (!right) return tl::unexpected(right.error());
  const auto signature = signer.sign(right->sums, right->date);
  if (!signature) return tl::unexpected(signature.error());
  std::string name = signer.key().algorithm == installer::Algorithm::p256 ? "SHA256SUMS.p256.gpg"
                                                                          : "SHA256SUMS.gpg";
  if (auto done = write_file(bundle / name, *signature, 0644); !done) {
    return tl::unexpected(done.error());
  }
  return name;
}

Result<std::string> waive_bundle(const fs::path& bundle, const std::string& reason,
                                 const Signer& signer, const fs::path& file) {
  const auto right = signable(bundle, signer.key());
  if (!right) return tl::unexpected(right.error());
  const auto& envelope = right->manifest.envelope;
  const auto text =
      installer::write_waiver({.product = envelope.product,
                               .release = installer::release_name(envelope.release, right->digest),
                               .reason = reason});
  // Read as a site reads it.
  const auto waiver = installer::read_waiver(text);
  if (!waiver || text.size() > installer::kMostOfWaiver) {
    return fail("the reason is no line of up to 1000 printable characters", "say it in one line");
  }
  const auto signature = signer.sign(text, right->date);
  if (!signature) return tl::unexpected(signature.error());
  // A waiver without its signature says so; a signature of another text would say "broken".
  auto beside = file;
  beside += ".gpg";
  if (auto gone = remove_tree(beside); !gone) return tl::unexpected(gone.error());
  if (auto done = write_file(file, text, 0644); !done) return tl::unexpected(done.error());
  if (auto done = write_file(beside, *signature, 0644); !done) return tl::unexpected(done.error());
  return waiver->release;
}

}  // namespace caisson::signing

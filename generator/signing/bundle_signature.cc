#include "generator/signing/bundle_signature.h"

#include <algorithm>

#include "base/digest.h"
#include "base/files.h"
#include "generator/signing/roots.h"
#include "installer/format/manifest.h"
#include "installer/format/sums.h"
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

}  // namespace

Result<std::string> sign_bundle(const fs::path& bundle, const Signer& signer) {
  const auto text = read_file(bundle / "MANIFEST", installer::kMostOfText);
  if (!text) return tl::unexpected(text.error());
  const auto sums = read_file(bundle / "SHA256SUMS", installer::kMostOfText);
  if (!sums) return tl::unexpected(sums.error());
  const auto manifest = installer::read_manifest(*text);
  if (!manifest) return refused(manifest.error());
  const auto list = installer::read_sums("SHA256SUMS", *sums, installer::kManifest);
  if (!list) return refused(list.error());
  if (list->front().digest != sha256(*text)) {
    return fail("SHA256SUMS does not have the digest of this MANIFEST",
                "make the bundle again with `caisson bundle create`");
  }
  if (auto right = check_keys(bundle, *list); !right) return tl::unexpected(right.error());
  if (auto right = check_roots(bundle, manifest->envelope.product, signer.key()); !right) {
    return tl::unexpected(right.error());
  }
  if (manifest->date > UINT32_MAX) return fail("the date in MANIFEST is too late for a signature");
  const auto signature = signer.sign(*sums, static_cast<std::uint32_t>(manifest->date));
  if (!signature) return tl::unexpected(signature.error());
  std::string name = signer.key().algorithm == installer::Algorithm::p256 ? "SHA256SUMS.p256.gpg"
                                                                          : "SHA256SUMS.gpg";
  if (auto done = write_file(bundle / name, *signature, 0644); !done) {
    return tl::unexpected(done.error());
  }
  return name;
}

}  // namespace caisson::signing

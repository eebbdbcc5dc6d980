#include "generator/bundle/texts.h"

#include <algorithm>

#include "base/digest.h"
#include "base/time.h"

namespace caisson::bundle {

std::string readme(const installer::Manifest& manifest) {
  const auto& envelope = manifest.envelope;
  const auto name = envelope.product + " " + to_text(manifest.version);
  std::string forms;
  for (const auto& form : manifest.forms) forms += (forms.empty() ? "" : ", ") + form;
  const bool has_units = std::ranges::find(manifest.forms, "systemd") != manifest.forms.end();
  std::size_t files = 0;
  for (const auto& pack : manifest.packs) files += pack.files.size();
  return name + " for " + envelope.arch + ", release " + std::to_string(envelope.release.epoch) +
         "/" + std::to_string(envelope.release.sequence) + " of " +
         rfc3339_seconds(static_cast<std::int64_t>(manifest.date)) +
         "\n\n"
         "Check it before anything of it runs. site.gpg is the key ring of the vendor from your "
         "own\n"
         "safe, never the one on the medium. In this directory:\n\n"
         "    gpgv --weak-digest SHA1 --ignore-time-conflict --keyring ./site.gpg SHA256SUMS.gpg "
         "SHA256SUMS\n"
         "    sha256sum -c --strict --quiet SHA256SUMS\n"
         "    find . -type f | sort\n\n"
         "gpgv has to say 'Good signature', and sha256sum nothing. sha256sum notices no file that "
         "is\n"
         "not in its list: compare what find prints with SHA256SUMS, which names every file but\n"
         "itself and its signatures. A host in FIPS mode checks SHA256SUMS.p256.gpg instead.\n"
         "For the first bundle of this vendor TRUST.txt says whom you trust.\n\n"
         "Then copy caisson-install off the medium, which may not run programs, and let it check "
         "the\n"
         "bundle once more:\n\n"
         "    install -m 0755 caisson-install /usr/local/sbin/caisson-install\n"
         "    caisson-install verify . --expect-root FINGERPRINT\n\n"
         "FINGERPRINT is the SHA-256 of the first root, which the vendor has told you by another\n"
         "channel than this medium.\n\n" +
         std::string(has_units ? "It installs as root, and updates what is installed:\n\n"
                                 "    caisson-install install . --expect-root FINGERPRINT\n"
                                 "    caisson-install update .\n\n"
                               : "") +
         "Holds " + std::to_string(files) + " files of " +
         std::to_string(installed_bytes(manifest)) + " bytes and " +
         std::to_string(manifest.images.size()) + " container images.\nInstalls as: " + forms +
         ".\n"
         "MANIFEST lists them. One file is checked by hand from its chunks:\n\n"
         "    zstd -dc blobs/sha256/DIGEST... | sha256sum\n\n"
         "sbom.cdx.json says what it is made of, LICENSES.txt under which licences, and\n"
         "provenance.intoto.jsonl from what.\n";
}

std::string trust_text(const installer::Manifest& manifest, const PublicKeys& keys) {
  const auto& product = manifest.envelope.product;
  if (keys.files.empty()) {
    return "This bundle of " + product +
           " was made without keys and cannot be signed: it is for tests alone.\n";
  }
  std::string text =
      "Who signs " + product +
      ".\n\n"
      "A site that has never installed it has no reason to trust anybody yet. Ask the\n"
      "vendor, by another way than this medium, for the SHA-256 of the first root, and\n"
      "compare. Later roots are signed by the roots before them.\n\n";
  for (const auto& [name, bytes] : keys.files) {
    if (!name.starts_with("root.") || name.ends_with(".gpg")) continue;
    text += sha256_hex(bytes) + "  keys/" + name + "\n";
  }
  text += "\n`sha256sum keys/root.1` prints the same.\n";
  return text;
}

}  // namespace caisson::bundle

#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "generator/signing/signer.h"

namespace caisson::signing {

/// Signs the SHA256SUMS of a bundle with the date that its MANIFEST says, and writes
/// SHA256SUMS.gpg, or SHA256SUMS.p256.gpg with a key of P-256. Before, the roots of the bundle have
/// to hold, its key ring has to fit them, the newest one has to name the key for releases, and
/// SHA256SUMS has to have the digests of this MANIFEST and of everything in `keys/`. The files
/// behind the other digests are not read: `bundle verify` does that. Gives the name of the file.
[[nodiscard]] Result<std::string> sign_bundle(const std::filesystem::path& bundle,
                                              const Signer& signer);

/// Writes `file` and, beside it, `file`.gpg: a waiver that a release key signs, with which a site
/// opens this release where the update to it is held. Asks of the bundle and of the key what
/// `sign_bundle` asks. `reason` is one line. Gives the name of the release.
[[nodiscard]] Result<std::string> waive_bundle(const std::filesystem::path& bundle,
                                               const std::string& reason, const Signer& signer,
                                               const std::filesystem::path& file);

}  // namespace caisson::signing

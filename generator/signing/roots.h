#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "generator/signing/signer.h"
#include "installer/trust/chain.h"
#include "installer/trust/ring.h"

namespace caisson::signing {

/// The directory `keys` of a product, as it goes into its bundles: root.1, root.2 ..., their
/// signatures, and keyring.gpg.
struct Roots {
  std::vector<installer::RootFile> files;  ///< from root.1 on, without a gap
  std::string ring;                        ///< the bytes of keyring.gpg; empty when it is not there
};

/// Reads the directory. One without roots, or none at all, gives none.
[[nodiscard]] Result<Roots> read_roots(const std::filesystem::path& directory);

/// How far the newest root is.
struct Progress {
  installer::Root root;
  std::string fingerprint;               ///< SHA-256 of its bytes, in hexadecimal
  std::optional<std::string> lacking;    ///< which signatures; nothing when it holds
  std::vector<installer::Key> may_sign;  ///< keys that could, and have not
};

/// Checks the chain up to the newest root, which alone may lack signatures.
[[nodiscard]] Result<Progress> progress(const Roots& roots);

/// What the next root says otherwise than the newest one.
struct Change {
  std::string product;  ///< for the first root only
  std::vector<installer::RingKey> roots;
  std::vector<installer::RingKey> releases;
  std::vector<std::string> without;  ///< ends of fingerprints, 16 digits or more
  std::optional<std::uint64_t> threshold;
  bool raise_epoch = false;
};

/// Writes the next root, without signatures, and the ring of its release keys. The newest root has
/// to hold.
[[nodiscard]] Result<void> write_next(const std::filesystem::path& directory, const Change& change);

/// Adds a signature to the newest root.
[[nodiscard]] Result<void> sign_newest(const std::filesystem::path& directory, const Signer& signer,
                                       std::uint32_t date);

}  // namespace caisson::signing

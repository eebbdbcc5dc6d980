#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "installer/format/manifest.h"
#include "installer/format/sums.h"
#include "installer/media/medium.h"
#include "installer/trust/chain.h"

namespace caisson::installer {

/// What a site knows of itself and of what was installed before.
struct Site {
  std::optional<std::string> arch;  ///< of the host, as MANIFEST names it; any when there is none
  Release floor;                    ///< nothing older is taken
  std::optional<Digest> manifest;   ///< of the release at the floor
  std::optional<Version> version;   ///< that is installed
};

/// The processor that this program was built for: "amd64" or "arm64".
[[nodiscard]] std::string_view host_arch();

/// What SHA256SUMS lists.
struct Listing {
  std::vector<Digest> blobs;  ///< sorted
  std::vector<Sum> others;    ///< MANIFEST first, then by path
};

/// A bundle on a medium. Nothing of it is believed.
class UnverifiedBundle {
 public:
  explicit UnverifiedBundle(std::unique_ptr<Medium> medium) : medium_(std::move(medium)) {}

  [[nodiscard]] const Medium& medium() const { return *medium_; }
  /// The roots that it carries, for `expected_root` and `verify_signature`; at most 4 MiB of them.
  [[nodiscard]] Checked<std::vector<RootFile>> roots() const;

 private:
  friend class SignedBundle;
  std::unique_ptr<Medium> medium_;
};

/// A bundle whose SHA256SUMS is signed by a release key of the newest root.
class SignedBundle {
 public:
  /// Follows the bundle's roots from the trusted one, then checks the signature, both where there
  /// are two. `keep` gets each new root as soon as it has verified.
  [[nodiscard]] static Checked<SignedBundle> verify(
      UnverifiedBundle bundle, TrustedRoot trusted,
      const std::function<void(const TrustedRoot&)>& keep);

  [[nodiscard]] const Medium& medium() const { return *medium_; }
  [[nodiscard]] const TrustedRoot& root() const { return root_; }
  /// By which the bundle is signed.
  [[nodiscard]] const Key& key() const { return key_; }

  /// The first lines of its MANIFEST, which are the same in every format, as they were signed.
  [[nodiscard]] Checked<Envelope> envelope() const;
  /// The caisson-install that it brings and those lines name, at most 64 MiB. Product, processor,
  /// epoch and sequence are checked against the site.
  [[nodiscard]] Checked<std::string> installer(const Site& site) const;

 private:
  friend class VerifiedBundle;
  /// The text, as it was signed.
  [[nodiscard]] Checked<std::string> manifest() const;

  SignedBundle(std::unique_ptr<Medium> medium, TrustedRoot root, Key key, Listing listing)
      : medium_(std::move(medium)),
        root_(std::move(root)),
        key_(std::move(key)),
        listing_(std::move(listing)) {}

  std::unique_ptr<Medium> medium_;
  TrustedRoot root_;
  Key key_;
  Listing listing_;
};

/// A bundle whose texts are what was signed and fit each other and the site. Its content has yet to
/// be read (content.h).
class VerifiedBundle {
 public:
  /// Checks MANIFEST's digest and text, then product, processor, epoch and sequence against the
  /// site, then that SHA256SUMS and MANIFEST agree.
  [[nodiscard]] static Checked<VerifiedBundle> verify(SignedBundle bundle, const Site& site);

  [[nodiscard]] const Medium& medium() const { return *signed_.medium_; }
  [[nodiscard]] const TrustedRoot& root() const { return signed_.root_; }
  [[nodiscard]] const Key& key() const { return signed_.key_; }
  [[nodiscard]] const Manifest& manifest() const { return manifest_; }
  /// The digest of MANIFEST, which names the release.
  [[nodiscard]] const Digest& digest() const { return listing().others.front().digest; }
  [[nodiscard]] const Listing& listing() const { return signed_.listing_; }

 private:
  VerifiedBundle(SignedBundle bundle, Manifest manifest)
      : signed_(std::move(bundle)), manifest_(std::move(manifest)) {}

  SignedBundle signed_;
  Manifest manifest_;
};

/// Files on the medium that nothing lists.
struct Unlisted {
  std::size_t count = 0;
  std::vector<std::string> names;  ///< the first 20 of them, fit for a terminal
};

/// Looks for files that nothing lists. They are refused where only the vendor can have put them,
/// in a transport, and everywhere when `strict`.
[[nodiscard]] Checked<Unlisted> find_unlisted(const VerifiedBundle& bundle, bool strict);

}  // namespace caisson::installer

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "installer/format/root.h"

namespace caisson::installer {

/// A file of a signature.
struct SignatureFile {
  std::string name;  ///< for messages
  std::string bytes;
};

/// A root as a bundle carries it. Nothing of it is believed yet.
struct RootFile {
  std::uint64_t number = 0;  ///< N of the file's name keys/root.N
  std::string text;
  std::vector<SignatureFile> signatures;  ///< all keys/root.N.*.gpg
};

/// The most roots of a chain.
inline constexpr std::size_t kMostRoots = 1000;

/// A root that this site believes. Only the functions below make one.
class TrustedRoot {
 public:
  [[nodiscard]] const Root& root() const { return root_; }
  /// Its bytes, to be kept.
  [[nodiscard]] const std::string& text() const { return text_; }
  /// SHA-256 of its bytes, its fingerprint for people.
  [[nodiscard]] const Digest& digest() const { return digest_; }
  /// Release keys of earlier roots of this chain that it does not name any more.
  [[nodiscard]] const std::vector<Key>& revoked() const { return revoked_; }

 private:
  TrustedRoot(Root root, std::string text, std::vector<Key> revoked);

  friend Checked<TrustedRoot> kept_roots(std::span<const std::string> texts);
  friend Checked<TrustedRoot> expected_root(std::span<const RootFile> roots,
                                            const Digest& expected);
  friend Checked<TrustedRoot> next_root(const TrustedRoot& trusted, const RootFile& candidate);

  Root root_;
  std::string text_;
  Digest digest_;
  std::vector<Key> revoked_;
};

/// The newest of the roots that this site has kept: one or more, the oldest first. They were
/// verified when they were kept; no signature is asked for again.
[[nodiscard]] Checked<TrustedRoot> kept_roots(std::span<const std::string> texts);

/// For a site that has kept none: the root whose SHA-256 somebody has told it, signed by the
/// threshold of its own keys.
[[nodiscard]] Checked<TrustedRoot> expected_root(std::span<const RootFile> roots,
                                                 const Digest& expected);

/// The root behind a trusted one: the next version of the same product, its epoch not lower, signed
/// by the threshold of its own keys and by that of the trusted root. Keys are counted by their
/// point. A signature that does not hold is a refusal, even one more than are needed.
[[nodiscard]] Checked<TrustedRoot> next_root(const TrustedRoot& trusted, const RootFile& candidate);

/// Follows the roots of a bundle, in any order, from a trusted one to the newest. Older ones are
/// not looked at. `keep` gets each root as soon as it has verified, so that it stays known whatever
/// the next one is.
[[nodiscard]] Checked<TrustedRoot> follow_chain(
    TrustedRoot trusted, std::span<const RootFile> roots,
    const std::function<void(const TrustedRoot&)>& keep);

/// Why no release of that date, in seconds since 1970, may carry the root: it names a key that was
/// made later. gpgv refuses a key from the future; without this it would depend on the site's clock
/// whether it does, though the clock is not before the release.
[[nodiscard]] std::optional<Refusal> fault_of_key_times(const Root& root, std::uint64_t date);

}  // namespace caisson::installer

#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "installer/format/refusal.h"

namespace caisson::installer {

enum class Algorithm { ed25519, p256 };
enum class Hash { sha256, sha512 };

/// A public key that may sign. It pins its algorithm and its hash, so that nobody chooses a weaker
/// one. Two keys are the same when their material is, whatever they were named and when.
struct Key {
  Algorithm algorithm = Algorithm::ed25519;
  Hash hash = Hash::sha512;
  std::uint32_t created = 0;  ///< seconds since 1970, part of the OpenPGP fingerprint
  std::vector<unsigned char>
      point;  ///< Ed25519: 32 bytes (RFC 8032); P-256: 65 bytes, uncompressed

  friend auto operator<=>(const Key&, const Key&) = default;
};

/// The bytes that the point of such a key has.
[[nodiscard]] std::size_t point_size(Algorithm algorithm);

/// Who may sign: the next root, and releases. Root N is signed by a threshold of its own root keys
/// and by the threshold of root N-1.
struct Root {
  std::string product;
  std::uint64_t version = 0;    ///< 1, 2, 3 and so on
  std::uint64_t epoch = 0;      ///< of the releases that it allows; never falls
  std::uint64_t threshold = 1;  ///< how many of `keys` have to sign a root
  std::vector<Key> keys;        ///< sorted
  std::vector<Key> releases;    ///< any one of them signs a release; sorted
};

/// The most keys of one role.
inline constexpr std::size_t kMostKeys = 16;

/// Reads a root and checks what can be told from it alone: no key twice, whatever its other words
/// say, a threshold that can be met, at least one release key. `name` is the file's.
[[nodiscard]] Checked<Root> read_root(std::string_view name, std::string_view text);

/// Writes what `read_root` reads. Sorts.
[[nodiscard]] std::string write_root(Root root);

}  // namespace caisson::installer

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "installer/format/root.h"
#include "installer/trust/public_key.h"

namespace caisson::installer {

/// The most bytes of a key ring.
inline constexpr std::size_t kMostOfRing = std::size_t{64} * 1024;

/// A key of a ring with what gpgv needs to use it: a name, and the key's own signature of it.
struct RingKey {
  Key key;  ///< its hash is the usual one of its algorithm: a ring does not pin any
  std::string user_id;
  std::string bytes;  ///< the three packets
};

/// Reads a ring: of each key the public key, one user id and the key's own signature of it, which
/// has to fit and to let it sign; nothing else, no key twice. `name` is the file's.
[[nodiscard]] Checked<std::vector<RingKey>> read_ring(std::string_view name,
                                                      std::string_view bytes);

/// Why a ring does not hold exactly the release keys of the root, in their order.
[[nodiscard]] std::optional<Refusal> fault_of_ring(std::string_view name, std::string_view bytes,
                                                   const Root& root);

/// What a key signs to bind a name to itself, as far as it comes before the signature.
[[nodiscard]] Hashing bound_user_id(Hash hash, const Key& key, std::string_view user_id);

/// Why a text cannot be the name of a key, or empty: 1 to 255 bytes on one line.
[[nodiscard]] std::string_view fault_of_user_id(std::string_view user_id);

}  // namespace caisson::installer

#pragma once

#include <array>
#include <string>
#include <string_view>

#include "installer/format/root.h"

namespace caisson::installer {

/// The fingerprint of a version 4 key (RFC 9580, 5.5.4.2).
using Fingerprint = std::array<unsigned char, 20>;

/// SHA-1 of the packet that a key's algorithm, time and point make. It names a key and proves
/// nothing: keys are told apart by their point.
[[nodiscard]] Fingerprint fingerprint(const Key& key);

/// The last 16 lower-case hexadecimal digits of the fingerprint.
[[nodiscard]] std::string key_id(const Key& key);

/// The body of the public key packet, byte for byte as gpg writes it.
[[nodiscard]] std::string key_body(const Key& key);

/// Reads what `key_body` writes and nothing else. The hash is not in a packet: it is SHA-512 for
/// Ed25519 and SHA-256 for P-256. `name` is the file's.
[[nodiscard]] Checked<Key> read_key_body(std::string_view name, std::string_view body);

/// The hash that keys of an algorithm get when nobody says which.
[[nodiscard]] Hash usual_hash(Algorithm algorithm);

}  // namespace caisson::installer

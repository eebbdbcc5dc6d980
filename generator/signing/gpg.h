#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "installer/format/root.h"
#include "installer/trust/ring.h"

namespace caisson::signing {

/// What gpg exports of a public key, cut down to what a ring holds: the primary key, its first name
/// and the newest signature of that by the key itself. Subkeys are left out. A key that is revoked,
/// that expires, or whose primary key cannot sign is an error. `name` is the file's.
[[nodiscard]] Result<installer::RingKey> from_export(std::string_view name, std::string_view bytes);

/// The same of a key that the user's gpg has, by its fingerprint of 40 digits.
[[nodiscard]] Result<installer::RingKey> export_from_gpg(const std::string& fingerprint);

/// A detached signature that gpg makes with the private key that it looks after, in a file, on a
/// card or in a module. gpg may ask the user for a PIN.
[[nodiscard]] Result<std::string> sign_with_gpg(const installer::Key& key,
                                                std::string_view document, std::uint32_t date);

}  // namespace caisson::signing

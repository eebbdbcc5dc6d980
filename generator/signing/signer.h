#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "generator/signing/private_key.h"
#include "installer/format/root.h"
#include "installer/trust/ring.h"

namespace caisson::signing {

/// Somebody who can sign: a private key in a file, or one that gpg looks after.
class Signer {
 public:
  Signer() = default;
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;
  virtual ~Signer() = default;

  [[nodiscard]] virtual const installer::Key& key() const = 0;

  /// A detached signature of the document at the time `date` (seconds since 1970), which
  /// `installer::check_signature` has taken.
  [[nodiscard]] Result<std::string> sign(std::string_view document, std::uint32_t date) const;

 private:
  [[nodiscard]] virtual Result<std::string> make(std::string_view document,
                                                 std::uint32_t date) const = 0;
};

/// The signer that `name` names: `gpg:` with a fingerprint of 40 digits, or the file of a private
/// key.
[[nodiscard]] Result<std::unique_ptr<Signer>> open_signer(const std::string& name,
                                                          const AskPassphrase& ask);

/// The signer of a private key.
[[nodiscard]] std::unique_ptr<Signer> signer_of(PrivateKey key);

/// The key, its name and its own signature of them, for a ring.
[[nodiscard]] installer::RingKey ring_key(const PrivateKey& key, std::string_view user_id);

/// Reads the file of one public key, as `keys generate` and `keys import` write it.
[[nodiscard]] Result<installer::RingKey> read_public_key(const std::filesystem::path& file);

}  // namespace caisson::signing

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "installer/format/root.h"

// From OpenSSL, whose headers stay out of this one.
struct evp_pkey_st;

namespace caisson::signing {

/// When every key that Caisson makes was created: 2020-01-01. A key's time is part of its
/// fingerprint, and gpgv refuses a key from the future on a host whose clock is wrong.
inline constexpr std::uint32_t kKeyCreated = 1'577'836'800;

/// Asks for the passphrase of a file; called only where there is one.
using AskPassphrase = std::function<Result<std::string>(const std::filesystem::path& file)>;

/// A private key in memory. Move-only; OpenSSL clears it when it goes.
class PrivateKey {
 public:
  [[nodiscard]] static PrivateKey generate(installer::Algorithm algorithm);

  /// Reads a PKCS#8 PEM file of an Ed25519 or P-256 key, which nobody but its owner may read.
  [[nodiscard]] static Result<PrivateKey> read(const std::filesystem::path& file,
                                               const AskPassphrase& ask);

  /// Writes a PKCS#8 PEM file of mode 0600, with a passphrase encrypted by scrypt and AES-256-CBC
  /// (empty: not encrypted). A file that is there is an error.
  [[nodiscard]] Result<void> write(const std::filesystem::path& file,
                                   std::string_view passphrase) const;

  /// Its public half, created at `kKeyCreated`, with the usual hash of its algorithm.
  [[nodiscard]] const installer::Key& key() const { return key_; }

  /// r and s of the digest's signature, 32 bytes each. Ed25519 gives the same each time.
  [[nodiscard]] std::string sign(std::string_view digest) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const noexcept;
  };
  using Handle = std::unique_ptr<evp_pkey_st, Free>;
  [[nodiscard]] static Result<PrivateKey> of(Handle owned);
  PrivateKey(Handle owned, installer::Key key) : owned_(std::move(owned)), key_(std::move(key)) {}

  Handle owned_;
  installer::Key key_;
};

/// Overwrites a secret before its memory is given back.
void wipe(std::string& secret) noexcept;

}  // namespace caisson::signing

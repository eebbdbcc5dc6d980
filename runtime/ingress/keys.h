#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/context/configuration.h"

struct evp_pkey_st;

namespace caisson::ingress {

/// A key that verifies signatures of one algorithm, and of no other.
class VerificationKey {
 public:
  /// A public key in PEM: Ed25519, P-256, or RSA of 2048 to 8192 bits.
  [[nodiscard]] static Result<VerificationKey> from_pem(std::string_view pem);
  /// The raw 32 bytes of an Ed25519 key.
  [[nodiscard]] static Result<VerificationKey> ed25519(std::string_view x);
  /// The big-endian 32-byte coordinates of a point on P-256.
  [[nodiscard]] static Result<VerificationKey> p256(std::string_view x, std::string_view y);
  /// Big-endian modulus and exponent.
  [[nodiscard]] static Result<VerificationKey> rsa(std::string_view n, std::string_view e);
  /// A shared secret of at least 32 bytes, for HS256.
  [[nodiscard]] static Result<VerificationKey> secret(std::string_view bytes);

  [[nodiscard]] context::Algorithm algorithm() const { return algorithm_; }
  [[nodiscard]] const std::string& id() const { return id_; }
  void set_id(std::string id) { id_ = std::move(id); }

  /// Whether `signature`, as RFC 7518 and 8037 write it, is of `text`.
  [[nodiscard]] bool verify(std::string_view text, std::string_view signature) const;

  /// The public key in PEM; empty for a secret.
  [[nodiscard]] std::string pem() const;

 private:
  VerificationKey(context::Algorithm algorithm, std::shared_ptr<evp_pkey_st> key,
                  std::string secret)
      : algorithm_(algorithm), key_(std::move(key)), secret_(std::move(secret)) {}
  [[nodiscard]] static Result<VerificationKey> of(evp_pkey_st* owned);

  context::Algorithm algorithm_;
  std::shared_ptr<evp_pkey_st> key_;  ///< null for a secret
  std::string secret_;
  std::string id_;  ///< `kid`; may be empty
};

/// Whether `signature` is the HMAC-SHA-256 of `text`, in constant time.
[[nodiscard]] bool verify_hmac(std::string_view secret, std::string_view text,
                               std::string_view signature);

/// The keys that count at one time; at most 64.
class KeySet {
 public:
  explicit KeySet(std::vector<VerificationKey> keys) : keys_(std::move(keys)) {}

  /// The only key of `algorithm` that a token with this key id may mean; null when there is none or
  /// more than one. A token without a key id, and a key without one, match any.
  [[nodiscard]] const VerificationKey* find(context::Algorithm algorithm,
                                            const std::optional<std::string>& id) const;
  [[nodiscard]] const std::vector<VerificationKey>& keys() const { return keys_; }

 private:
  std::vector<VerificationKey> keys_;
};

/// The keys of a JWKS document (RFC 7517) of the allowed algorithms. Keys for other uses are passed
/// over; a malformed key, a private key and a document without any usable key are failures.
[[nodiscard]] Result<KeySet> parse_jwks(std::string_view text,
                                        const std::set<context::Algorithm>& allowed);

/// The keys that `settings` point at, read now.
[[nodiscard]] Result<KeySet> load_keys(const context::TokenSettings& settings);

}  // namespace caisson::ingress

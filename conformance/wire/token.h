#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace caisson::conformance {

/// Algorithms of RFC 7518 and RFC 8037 that the harness can sign with.
enum class Algorithm : std::uint8_t { ed_dsa, es256, rs256 };

/// "EdDSA", "ES256", "RS256".
[[nodiscard]] std::string_view name_of(Algorithm algorithm);

/// A private signing key. Belongs to the harness: the disposable stack trusts its public half.
class SigningKey {
 public:
  [[nodiscard]] static Result<SigningKey> generate(Algorithm algorithm);
  [[nodiscard]] static Result<SigningKey> from_pem(std::string_view private_pem);

  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
  [[nodiscard]] std::string private_pem() const;
  [[nodiscard]] std::string public_pem() const;
  /// The raw 32 bytes of an Ed25519 public key; empty for other keys.
  [[nodiscard]] std::string public_raw() const;
  /// The public half as a JWK (RFC 7517), for the attack that embeds its own key.
  [[nodiscard]] std::string jwk() const;
  /// The signature in the form JWS wants (RFC 7518: r and s side by side for ES256).
  [[nodiscard]] Result<std::string> sign(std::string_view message) const;

 private:
  struct Key;
  SigningKey(std::shared_ptr<const Key> key, Algorithm algorithm);

  std::shared_ptr<const Key> key_;
  Algorithm algorithm_;
};

/// Verifies an Ed25519 signature by a raw public key.
[[nodiscard]] bool verify_ed25519(std::string_view public_raw, std::string_view message,
                                  std::string_view signature);

/// A compact JWS over exactly these texts; nothing in them is checked.
[[nodiscard]] Result<std::string> sign_token(std::string_view header, std::string_view claims,
                                             const SigningKey& key);

/// The same with HMAC-SHA-256 under any bytes, for HS256 and for the confusion attack.
[[nodiscard]] std::string sign_token_hs256(std::string_view header, std::string_view claims,
                                           std::string_view secret);

/// Header and claims with whatever is given as the signature part.
[[nodiscard]] std::string unsigned_token(std::string_view header, std::string_view claims,
                                         std::string_view signature = {});

}  // namespace caisson::conformance

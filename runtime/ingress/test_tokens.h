#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "runtime/context/configuration.h"

struct evp_pkey_st;

namespace caisson::ingress {

/// Signs tokens as an issuer would.
class TestSigner {
 public:
  explicit TestSigner(context::Algorithm algorithm);

  /// A token with this header and these claims, as they are.
  [[nodiscard]] std::string sign(std::string_view header, std::string_view claims) const;
  /// A token with a fitting header.
  [[nodiscard]] std::string sign(const boost::json::object& claims) const;
  [[nodiscard]] std::string signature(std::string_view text) const;

  /// What a key file of the runtime holds: the public key in PEM, or the secret.
  [[nodiscard]] std::string key_file() const;
  /// The public key as a JWK, or the secret as one.
  [[nodiscard]] boost::json::object jwk(std::string_view id) const;
  [[nodiscard]] context::Algorithm algorithm() const { return algorithm_; }

 private:
  context::Algorithm algorithm_;
  std::shared_ptr<evp_pkey_st> key_;
  std::string secret_;
};

}  // namespace caisson::ingress

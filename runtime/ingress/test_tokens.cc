#include "runtime/ingress/test_tokens.h"

#include <array>
#include <stdexcept>

#include <boost/json/serialize.hpp>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/base64url.h"
#include "base/digest.h"

namespace caisson::ingress {
namespace {

using context::Algorithm;

EVP_PKEY* generate(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::eddsa:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    case Algorithm::es256:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
    case Algorithm::rs256:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048});
    case Algorithm::hs256:
      return nullptr;
  }
  return nullptr;
}

std::string bn_parameter(EVP_PKEY* key, const char* name, int bytes) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) throw std::runtime_error(name);
  std::string text(static_cast<std::size_t>(bytes > 0 ? bytes : BN_num_bytes(number)), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(text.data()),
               static_cast<int>(text.size()));
  BN_free(number);
  return encode_base64url(text);
}

}  // namespace

TestSigner::TestSigner(Algorithm algorithm)
    : algorithm_(algorithm), key_(generate(algorithm), EVP_PKEY_free), secret_(40, 's') {}

std::string TestSigner::signature(std::string_view text) const {
  if (algorithm_ == Algorithm::hs256) return bytes_of(hmac_sha256(secret_, text));
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::string made(512, '\0');
  auto* out = reinterpret_cast<unsigned char*>(made.data());
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::size_t size = made.size();
  const EVP_MD* digest = algorithm_ == Algorithm::eddsa ? nullptr : EVP_sha256();
  const bool good = EVP_DigestSignInit(context, nullptr, digest, nullptr, key_.get()) == 1 &&
                    EVP_DigestSign(context, out, &size, bytes, text.size()) == 1;
  EVP_MD_CTX_free(context);
  if (!good) throw std::runtime_error("cannot sign");
  made.resize(size);
  if (algorithm_ != Algorithm::es256) return made;
  const auto* der = reinterpret_cast<const unsigned char*>(made.data());
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(made.size()));
  std::string raw(64, '\0');
  auto* to = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), to, 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), to + 32, 32);
  ECDSA_SIG_free(pair);
  return raw;
}

std::string TestSigner::sign(std::string_view header, std::string_view claims) const {
  const std::string text = encode_base64url(header) + "." + encode_base64url(claims);
  return text + "." + encode_base64url(signature(text));
}

std::string TestSigner::sign(const boost::json::object& claims) const {
  return sign(R"({"alg":")" + std::string(name(algorithm_)) + R"(","typ":"JWT"})",
              boost::json::serialize(claims));
}

std::string TestSigner::key_file() const {
  if (!key_) return secret_;
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(out, key_.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(out);
  return pem;
}

boost::json::object TestSigner::jwk(std::string_view id) const {
  boost::json::object jwk{{"kid", id}, {"use", "sig"}};
  switch (algorithm_) {
    case Algorithm::eddsa: {
      std::array<unsigned char, 32> raw;
      std::size_t size = raw.size();
      EVP_PKEY_get_raw_public_key(key_.get(), raw.data(), &size);
      jwk["kty"] = "OKP";
      jwk["crv"] = "Ed25519";
      jwk["x"] = encode_base64url({reinterpret_cast<const char*>(raw.data()), size});
      break;
    }
    case Algorithm::es256:
      jwk["kty"] = "EC";
      jwk["crv"] = "P-256";
      jwk["x"] = bn_parameter(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32);
      jwk["y"] = bn_parameter(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32);
      break;
    case Algorithm::rs256:
      jwk["kty"] = "RSA";
      jwk["n"] = bn_parameter(key_.get(), OSSL_PKEY_PARAM_RSA_N, 0);
      jwk["e"] = bn_parameter(key_.get(), OSSL_PKEY_PARAM_RSA_E, 0);
      break;
    case Algorithm::hs256:
      jwk["kty"] = "oct";
      jwk["k"] = encode_base64url(secret_);
      break;
  }
  return jwk;
}

}  // namespace caisson::ingress

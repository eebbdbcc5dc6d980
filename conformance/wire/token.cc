#include "conformance/wire/token.h"

#include <array>
#include <vector>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/base64url.h"
#include "base/digest.h"

namespace caisson::conformance {
namespace {

using Pkey = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string number(const EVP_PKEY* key, const char* name) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &value) != 1) return {};
  std::string out(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
  BN_bn2bin(value, reinterpret_cast<unsigned char*>(out.data()));
  BN_free(value);
  return encode_base64url(out);
}

/// ECDSA signatures of OpenSSL are DER; JWS wants r and s with 32 bytes each.
std::string side_by_side(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> pair(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free);
  if (!pair) return {};
  std::string out(64, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), to, 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), to + 32, 32);
  return out;
}

}  // namespace

struct SigningKey::Key {
  Pkey pkey;
};

SigningKey::SigningKey(std::shared_ptr<const Key> key, Algorithm algorithm)
    : key_(std::move(key)), algorithm_(algorithm) {}

std::string_view name_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::ed_dsa:
      return "EdDSA";
    case Algorithm::es256:
      return "ES256";
    case Algorithm::rs256:
      return "RS256";
  }
  return "EdDSA";
}

Result<SigningKey> SigningKey::generate(Algorithm algorithm) {
  Pkey key(nullptr, EVP_PKEY_free);
  switch (algorithm) {
    case Algorithm::ed_dsa:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
      break;
    case Algorithm::es256:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
      break;
    case Algorithm::rs256:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
      break;
  }
  if (!key) return fail("cannot make a signing key");
  return SigningKey(std::make_shared<const Key>(Key{std::move(key)}), algorithm);
}

Result<SigningKey> SigningKey::from_pem(std::string_view private_pem) {
  const Bio bio(BIO_new_mem_buf(private_pem.data(), static_cast<int>(private_pem.size())),
                BIO_free);
  Pkey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (!key) return fail("not a private key in PEM");
  Algorithm algorithm = Algorithm::ed_dsa;
  switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_ED25519:
      break;
    case EVP_PKEY_EC:
      algorithm = Algorithm::es256;
      break;
    case EVP_PKEY_RSA:
      algorithm = Algorithm::rs256;
      break;
    default:
      return fail("a key of this kind cannot sign tokens");
  }
  return SigningKey(std::make_shared<const Key>(Key{std::move(key)}), algorithm);
}

std::string SigningKey::private_pem() const {
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PrivateKey(bio.get(), key_->pkey.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

std::string SigningKey::public_pem() const {
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PUBKEY(bio.get(), key_->pkey.get());
  return text_of(bio.get());
}

std::string SigningKey::public_raw() const {
  std::array<unsigned char, 32> raw{};
  std::size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(key_->pkey.get(), raw.data(), &size) != 1) return {};
  return {reinterpret_cast<const char*>(raw.data()), size};
}

std::string SigningKey::jwk() const {
  const EVP_PKEY* key = key_->pkey.get();
  switch (algorithm_) {
    case Algorithm::ed_dsa:
      return R"({"kty":"OKP","crv":"Ed25519","x":")" + encode_base64url(public_raw()) + "\"}";
    case Algorithm::es256:
      return R"({"kty":"EC","crv":"P-256","x":")" + number(key, OSSL_PKEY_PARAM_EC_PUB_X) +
             R"(","y":")" + number(key, OSSL_PKEY_PARAM_EC_PUB_Y) + "\"}";
    case Algorithm::rs256:
      return R"({"kty":"RSA","n":")" + number(key, OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" +
             number(key, OSSL_PKEY_PARAM_RSA_E) + "\"}";
  }
  return {};
}

Result<std::string> SigningKey::sign(std::string_view message) const {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  const EVP_MD* digest = algorithm_ == Algorithm::ed_dsa ? nullptr : EVP_sha256();
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_->pkey.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes_of(message), message.size()) != 1) {
    return fail("cannot sign");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(message), message.size()) != 1) {
    return fail("cannot sign");
  }
  signature.resize(size);
  return algorithm_ == Algorithm::es256 ? side_by_side(signature) : signature;
}

bool verify_ed25519(std::string_view public_raw, std::string_view message,
                    std::string_view signature) {
  const Pkey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(public_raw),
                                             public_raw.size()),
                 EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  return key && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                          message.size()) == 1;
}

std::string unsigned_token(std::string_view header, std::string_view claims,
                           std::string_view signature) {
  return encode_base64url(header) + "." + encode_base64url(claims) + "." +
         encode_base64url(signature);
}

Result<std::string> sign_token(std::string_view header, std::string_view claims,
                               const SigningKey& key) {
  const std::string message = encode_base64url(header) + "." + encode_base64url(claims);
  const auto signature = key.sign(message);
  if (!signature) return tl::unexpected(signature.error());
  return message + "." + encode_base64url(*signature);
}

std::string sign_token_hs256(std::string_view header, std::string_view claims,
                             std::string_view secret) {
  const std::string message = encode_base64url(header) + "." + encode_base64url(claims);
  return message + "." + encode_base64url(caisson::bytes_of(hmac_sha256(secret, message)));
}

}  // namespace caisson::conformance

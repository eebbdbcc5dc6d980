#include "runtime/ingress/keys.h"

#include <array>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "base/c_library.h"
#include "base/digest.h"

namespace caisson::ingress {
namespace {

using context::Algorithm;

/// OpenSSL keeps a queue of errors per thread; what was refused here is told by us.
tl::unexpected<Failure> refuse(std::string what) {
  ERR_clear_error();
  return fail(std::move(what));
}

/// A public key of `type` from what `push` puts into the builder.
template <class Push>
EVP_PKEY* build_key(const char* type, Push push) {
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  push(builder.get());
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return key;
}

/// The DER form, which OpenSSL verifies, of the 64 bytes `r || s` of RFC 7518; empty when out of
/// range.
std::string der_signature(std::string_view raw) {
  if (raw.size() != 64) return {};
  Owned<ECDSA_SIG, ECDSA_SIG_free> signature(ECDSA_SIG_new());
  BIGNUM* r = BN_bin2bn(octets(raw), 32, nullptr);
  BIGNUM* s = BN_bin2bn(octets(raw) + 32, 32, nullptr);
  if (ECDSA_SIG_set0(signature.get(), r, s) != 1) return {};
  std::string der(80, '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  const int size = i2d_ECDSA_SIG(signature.get(), &out);
  der.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return der;
}

}  // namespace

Result<VerificationKey> VerificationKey::of(evp_pkey_st* owned) {
  std::shared_ptr<EVP_PKEY> key(owned, ReleaseWith<EVP_PKEY_free>{});
  if (!key) return refuse("not a public key");
  switch (EVP_PKEY_get_base_id(key.get())) {
    case EVP_PKEY_ED25519:
      return VerificationKey(Algorithm::eddsa, std::move(key), {});
    case EVP_PKEY_EC: {
      std::array<char, 32> group{};
      if (EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), nullptr) != 1 ||
          std::string_view(group.data()) != "prime256v1") {
        return refuse("an elliptic curve key must be on P-256");
      }
      const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> check(
          EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
      if (EVP_PKEY_public_check(check.get()) != 1)
        return refuse("the elliptic curve key is not a point on P-256");
      return VerificationKey(Algorithm::es256, std::move(key), {});
    }
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_get_bits(key.get());
      if (bits < 2048 || bits > 8192) return refuse("an RSA key must have 2048 to 8192 bits");
      return VerificationKey(Algorithm::rs256, std::move(key), {});
    }
    default:
      return refuse("a key must be Ed25519, P-256 or RSA");
  }
}

Result<VerificationKey> VerificationKey::from_pem(std::string_view pem) {
  const Owned<BIO, BIO_free> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return of(PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr));
}

Result<VerificationKey> VerificationKey::ed25519(std::string_view x) {
  if (x.size() != 32) return refuse("an Ed25519 key must have 32 bytes");
  return of(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(x), x.size()));
}

Result<VerificationKey> VerificationKey::p256(std::string_view x, std::string_view y) {
  if (x.size() != 32 || y.size() != 32)
    return refuse("the coordinates of a P-256 key must have 32 bytes");
  const std::string point = "\x04" + std::string(x) + std::string(y);
  return of(build_key("EC", [&](OSSL_PARAM_BLD* builder) {
    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  }));
}

Result<VerificationKey> VerificationKey::rsa(std::string_view n, std::string_view e) {
  if (n.size() > 1024 || e.size() > 8) return refuse("an RSA key must have 2048 to 8192 bits");
  const Owned<BIGNUM, BN_free> modulus(BN_bin2bn(octets(n), static_cast<int>(n.size()), nullptr));
  const Owned<BIGNUM, BN_free> exponent(BN_bin2bn(octets(e), static_cast<int>(e.size()), nullptr));
  if (BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) != 0) {
    return refuse("the exponent of an RSA key must be odd and above 1");
  }
  return of(build_key("RSA", [&](OSSL_PARAM_BLD* builder) {
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus.get());
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent.get());
  }));
}

Result<VerificationKey> VerificationKey::secret(std::string_view bytes) {
  if (bytes.size() < 32) return refuse("a secret for HS256 must have at least 32 bytes");
  if (bytes.find("-----BEGIN") != std::string_view::npos) {
    return refuse("HS256 takes a secret, and a key in PEM is none");
  }
  return VerificationKey(Algorithm::hs256, nullptr, std::string(bytes));
}

bool VerificationKey::verify(std::string_view text, std::string_view signature) const {
  if (algorithm_ == Algorithm::hs256) return verify_hmac(secret_, text, signature);
  std::string der;
  if (algorithm_ == Algorithm::es256) {
    der = der_signature(signature);
    if (der.empty()) return false;
    signature = der;
  }
  const EVP_MD* digest = algorithm_ == Algorithm::eddsa ? nullptr : EVP_sha256();
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  const bool good =
      EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1 &&
      EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(text),
                       text.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

std::string VerificationKey::pem() const {
  if (!key_) return {};
  const Owned<BIO, BIO_free> out(BIO_new(BIO_s_mem()));
  char* text = nullptr;
  if (PEM_write_bio_PUBKEY(out.get(), key_.get()) != 1) return {};
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

bool verify_hmac(std::string_view secret, std::string_view text, std::string_view signature) {
  return equal_constant_time(bytes_of(hmac_sha256(secret, text)), signature);
}

const VerificationKey* KeySet::find(Algorithm algorithm,
                                    const std::optional<std::string>& id) const {
  const VerificationKey* found = nullptr;
  for (const VerificationKey& key : keys_) {
    const bool meant = !id || key.id().empty() || key.id() == *id;
    if (key.algorithm() != algorithm || !meant) continue;
    if (found != nullptr) return nullptr;
    found = &key;
  }
  return found;
}

}  // namespace caisson::ingress

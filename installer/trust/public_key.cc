#include "installer/trust/public_key.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/c_library.h"
#include "installer/trust/ed25519_point.h"

namespace caisson::installer {
namespace {

using OwnedKey = Owned<EVP_PKEY, EVP_PKEY_free>;

/// Null where the point is none of the curve; OpenSSL does not look at one of Ed25519 here.
OwnedKey load(const Key& key) {
  if (key.algorithm == Algorithm::ed25519) {
    return OwnedKey(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.point.data(), key.point.size()));
  }
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* made = nullptr;
  if (!builder || !context ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, key.point.data(),
                                       key.point.size()) != 1) {
    throw std::bad_alloc();
  }
  const Owned<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return OwnedKey(made);
}

bool verifies_ed25519(EVP_PKEY* key, std::string_view digest, std::string_view signature) {
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(digest),
                          digest.size()) == 1;
}

bool verifies_p256(EVP_PKEY* key, std::string_view digest, std::string_view signature) {
  const Owned<ECDSA_SIG, ECDSA_SIG_free> pair(ECDSA_SIG_new());
  if (!pair || ECDSA_SIG_set0(pair.get(), BN_bin2bn(octets(signature), 32, nullptr),
                              BN_bin2bn(octets(signature) + 32, 32, nullptr)) != 1) {
    return false;
  }
  std::array<unsigned char, 80> der{};
  auto* end = der.data();
  const int size = i2d_ECDSA_SIG(pair.get(), &end);
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return size > 0 && context && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_verify(context.get(), der.data(), static_cast<std::size_t>(size), octets(digest),
                         digest.size()) == 1;
}

}  // namespace

std::string_view fault_of_key(const Key& key) {
  if (key.point.size() != point_size(key.algorithm)) return "its point has another size";
  if (key.algorithm == Algorithm::ed25519) {
    Ordinate y{};
    std::ranges::copy(key.point, y.begin());
    y.back() &= 0x7fU;
    return fault_of_point(y);
  }
  if (key.point.front() != 0x04) return "its point is not uncompressed";
  const auto loaded = load(key);
  ERR_clear_error();
  return loaded ? std::string_view() : "its point is not on the curve";
}

bool verifies(const Key& key, std::string_view digest, std::string_view signature) {
  if (signature.size() != 64 || !fault_of_key(key).empty()) return false;
  const auto loaded = load(key);
  const bool fits = loaded && (key.algorithm == Algorithm::ed25519
                                   ? verifies_ed25519(loaded.get(), digest, signature)
                                   : verifies_p256(loaded.get(), digest, signature));
  // OpenSSL's queue of errors outlives the call, and nobody reads it.
  ERR_clear_error();
  return fits;
}

void Hashing::Free::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

Hashing::Hashing(Hash hash) : context_(EVP_MD_CTX_new()) {
  if (!context_) throw std::bad_alloc();
  const auto* algorithm = hash == Hash::sha512 ? EVP_sha512() : EVP_sha256();
  if (EVP_DigestInit_ex2(context_.get(), algorithm, nullptr) != 1) std::abort();
}

void Hashing::update(std::string_view text) {
  if (EVP_DigestUpdate(context_.get(), text.data(), text.size()) != 1) std::abort();
}

std::string Hashing::finish() {
  std::array<char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &size) !=
      1) {
    std::abort();
  }
  return {digest.data(), size};
}

}  // namespace caisson::installer

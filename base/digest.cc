#include "base/digest.h"

#include <cstdlib>
#include <new>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/hex.h"

namespace caisson {
namespace {

/// Fetching an algorithm costs more than hashing a short text with it, so it is done once a
/// process.
const EVP_MD* algorithm() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched;
}

void need(int done) noexcept {
  if (done != 1) std::abort();
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_) throw std::bad_alloc();
  need(EVP_DigestInit_ex2(context_.get(), algorithm(), nullptr));
}

void Sha256::update(std::string_view bytes) noexcept {
  need(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

Digest Sha256::finish() noexcept {
  Digest digest;
  need(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
  need(EVP_DigestInit_ex2(context_.get(), algorithm(), nullptr));
  return digest;
}

Digest sha256(std::string_view first, std::string_view second) noexcept {
  thread_local Sha256 hasher;
  hasher.update(first);
  hasher.update(second);
  return hasher.finish();
}

Digest sha256(std::string_view text) noexcept { return sha256(text, {}); }

std::string sha256_hex(std::string_view text) { return hex(sha256(text)); }

Digest hmac_sha256(std::string_view key, std::string_view text) noexcept {
  Digest mac;
  unsigned size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (HMAC(algorithm(), key.data(), static_cast<int>(key.size()), bytes, text.size(), mac.data(),
           &size) == nullptr) {
    std::abort();
  }
  return mac;
}

bool equal_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace caisson

#include "generator/signing/private_key.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "base/c_library.h"
#include "base/files.h"
#include "installer/trust/key_packet.h"

namespace caisson::signing {
namespace {

constexpr std::size_t kMostOfPem = 16'384;
// RFC 7914: 16 MiB and about 50 ms a guess, within what OpenSSL reads without being asked to.
constexpr std::uint64_t kScryptCost = 16'384;

void need(bool done) {
  if (!done) std::abort();
}

std::string content_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string to_pem(EVP_PKEY* key, std::string_view passphrase) {
  // Memory that OpenSSL clears.
  const Owned<BIO, BIO_free> out(BIO_new(BIO_s_secmem()));
  const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> plain(EVP_PKEY2PKCS8(key));
  need(out && plain);
  if (passphrase.empty()) {
    need(PEM_write_bio_PKCS8_PRIV_KEY_INFO(out.get(), plain.get()) == 1);
    return content_of(out.get());
  }
  X509_ALGOR* scheme =
      PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, 16, nullptr, kScryptCost, 8, 1);
  need(scheme != nullptr);
  const Owned<X509_SIG, X509_SIG_free> sealed(
      PKCS8_set0_pbe(passphrase.data(), static_cast<int>(passphrase.size()), plain.get(), scheme));
  need(sealed && PEM_write_bio_PKCS8(out.get(), sealed.get()) == 1);
  return content_of(out.get());
}

/// What OpenSSL's reader of PEM asks while it runs.
struct Asked {
  const AskPassphrase& ask;
  const std::filesystem::path& file;
  bool was = false;
  std::optional<Failure> failure{};
};

int passphrase_for(char* out, int size, int, void* data) {
  auto& asked = *static_cast<Asked*>(data);
  asked.was = true;
  auto passphrase = asked.ask(asked.file);
  if (!passphrase) {
    asked.failure = passphrase.error();
    return -1;
  }
  const auto length = static_cast<int>(passphrase->size());
  if (length > size) {
    asked.failure = Failure{.what = "the passphrase of " + asked.file.string() + " is too long",
                            .remedy = "it has at most " + std::to_string(size) + " bytes"};
    wipe(*passphrase);
    return -1;
  }
  passphrase->copy(out, passphrase->size());
  wipe(*passphrase);
  return length;
}

Result<void> check_mode(const std::filesystem::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return cannot("open", file, errno);
  if ((status.st_mode & 077U) != 0) {
    return fail(
        "others may read the private key " + file.string(),
        "run `chmod 600 " + file.string() + "`, and replace the key if somebody has read it");
  }
  return {};
}

}  // namespace

void wipe(std::string& secret) noexcept { OPENSSL_cleanse(secret.data(), secret.size()); }

void PrivateKey::Free::operator()(evp_pkey_st* key) const noexcept { EVP_PKEY_free(key); }

Result<PrivateKey> PrivateKey::of(Handle owned) {
  installer::Key key{.created = kKeyCreated};
  if (EVP_PKEY_is_a(owned.get(), "ED25519") == 1) {
    key.algorithm = installer::Algorithm::ed25519;
  } else if (EVP_PKEY_is_a(owned.get(), "EC") == 1) {
    std::array<char, 32> group{};
    EVP_PKEY_get_group_name(owned.get(), group.data(), group.size(), nullptr);
    if (std::string_view(group.data()) != "prime256v1") return fail("it is not on the curve P-256");
    key.algorithm = installer::Algorithm::p256;
    need(EVP_PKEY_set_utf8_string_param(owned.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                        "uncompressed") == 1);
  } else {
    return fail("it is neither an Ed25519 nor a P-256 key");
  }
  key.hash = installer::usual_hash(key.algorithm);
  key.point.resize(installer::point_size(key.algorithm));
  std::size_t size = 0;
  need(EVP_PKEY_get_octet_string_param(owned.get(),
                                       key.algorithm == installer::Algorithm::ed25519
                                           ? OSSL_PKEY_PARAM_PUB_KEY
                                           : OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                       key.point.data(), key.point.size(), &size) == 1 &&
       size == key.point.size());
  return PrivateKey(std::move(owned), std::move(key));
}

PrivateKey PrivateKey::generate(installer::Algorithm algorithm) {
  Handle made(algorithm == installer::Algorithm::ed25519
                  ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                  : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  need(made != nullptr);
  auto key = of(std::move(made));
  need(key.has_value());
  return *std::move(key);
}

Result<PrivateKey> PrivateKey::read(const std::filesystem::path& file, const AskPassphrase& ask) {
  if (auto right = check_mode(file); !right) return tl::unexpected(right.error());
  auto pem = read_file(file, kMostOfPem, Links::follow);
  if (!pem) return tl::unexpected(pem.error());
  Asked asked{.ask = ask, .file = file};
  const Owned<BIO, BIO_free> in(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())));
  Handle owned(PEM_read_bio_PrivateKey(in.get(), nullptr, passphrase_for, &asked));
  ERR_clear_error();
  wipe(*pem);
  if (asked.failure) return tl::unexpected(*asked.failure);
  if (!owned && asked.was) return fail("the passphrase does not open " + file.string());
  if (!owned) {
    return fail(file.string() + " holds no private key in PEM",
                "make one with `caisson keys generate`");
  }
  auto key = of(std::move(owned));
  if (!key) return fail(file.string() + ": " + key.error().what);
  return key;
}

Result<void> PrivateKey::write(const std::filesystem::path& file,
                               std::string_view passphrase) const {
  const auto there = is_there(file);
  if (!there) return tl::unexpected(there.error());
  if (*there) return fail(file.string() + " is there already", "name a new file");
  auto pem = to_pem(owned_.get(), passphrase);
  auto written = write_file(file, pem, 0600);
  wipe(pem);
  return written;
}

std::string PrivateKey::sign(std::string_view digest) const {
  std::string signature(80, '\0');
  std::size_t size = signature.size();
  if (key_.algorithm == installer::Algorithm::ed25519) {
    const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    need(context &&
         EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, owned_.get()) == 1);
    need(EVP_DigestSign(context.get(), octets(signature), &size, octets(digest), digest.size()) ==
         1);
    signature.resize(size);
    return signature;
  }
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, owned_.get(), nullptr));
  need(context && EVP_PKEY_sign_init(context.get()) == 1);
  need(EVP_PKEY_sign(context.get(), octets(signature), &size, octets(digest), digest.size()) == 1);
  const auto* der = octets(std::string_view(signature));
  const Owned<ECDSA_SIG, ECDSA_SIG_free> pair(
      d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size)));
  need(pair != nullptr);
  std::string value(64, '\0');
  need(BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), octets(value), 32) == 32);
  need(BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), octets(value) + 32, 32) == 32);
  return value;
}

}  // namespace caisson::signing

#include "generator/signing/signer.h"

#include <utility>

#include "base/files.h"
#include "base/time.h"
#include "generator/signing/gpg.h"
#include "installer/trust/key_packet.h"
#include "installer/trust/packet.h"
#include "installer/trust/signature.h"

namespace caisson::signing {
namespace {

using installer::Signed;

std::string write_by(const PrivateKey& key, installer::Hashing document, std::uint32_t date,
                     Signed what) {
  const auto start = installer::start_of_signature(key.key(), date, what);
  const auto digest = installer::signed_digest(std::move(document), start);
  return installer::write_signature(key.key(), start, digest, key.sign(digest));
}

class FileSigner final : public Signer {
 public:
  explicit FileSigner(PrivateKey key) : key_(std::move(key)) {}

  [[nodiscard]] const installer::Key& key() const override { return key_.key(); }

 private:
  [[nodiscard]] Result<std::string> make(std::string_view document,
                                         std::uint32_t date) const override {
    installer::Hashing hashing(key_.key().hash);
    hashing.update(document);
    return write_by(key_, std::move(hashing), date, Signed::document);
  }

  PrivateKey key_;
};

class GpgSigner final : public Signer {
 public:
  explicit GpgSigner(installer::Key key) : key_(std::move(key)) {}

  [[nodiscard]] const installer::Key& key() const override { return key_; }

 private:
  [[nodiscard]] Result<std::string> make(std::string_view document,
                                         std::uint32_t date) const override {
    return sign_with_gpg(key_, document, date);
  }

  installer::Key key_;
};

}  // namespace

Result<std::string> Signer::sign(std::string_view document, std::uint32_t date) const {
  if (date < key().created) {
    return fail(
        "the date of the signature, " + rfc3339_seconds(date) + ", is before key " +
            installer::key_id(key()) + " was created, " + rfc3339_seconds(key().created),
        "give a later date, or create keys of gpg with --faked-system-time 20200101T000000");
  }
  auto signature = make(document, date);
  if (!signature) return signature;
  const auto checked =
      installer::check_signature("the new signature", *signature, document, std::span(&key(), 1));
  if (!checked) {
    return fail(checked.error().what + " (" +
                    std::string(installer::entry_of(checked.error().code).number) + ")",
                "no site would take it, and it was not written");
  }
  return signature;
}

Result<std::unique_ptr<Signer>> open_signer(const std::string& name, const AskPassphrase& ask) {
  constexpr std::string_view gpg = "gpg:";
  if (name.starts_with(gpg)) {
    auto key = export_from_gpg(name.substr(gpg.size()));
    if (!key) return tl::unexpected(key.error());
    return std::make_unique<GpgSigner>(std::move(key->key));
  }
  auto key = PrivateKey::read(name, ask);
  if (!key) return tl::unexpected(key.error());
  return signer_of(*std::move(key));
}

std::unique_ptr<Signer> signer_of(PrivateKey key) {
  return std::make_unique<FileSigner>(std::move(key));
}

installer::RingKey ring_key(const PrivateKey& key, std::string_view user_id) {
  using installer::Tag;
  const auto& named = key.key();
  const auto self = write_by(key, installer::bound_user_id(named.hash, named, user_id),
                             named.created, Signed::user_id);
  return {.key = named,
          .user_id = std::string(user_id),
          .bytes = installer::packet(Tag::public_key, installer::key_body(named)) +
                   installer::packet(Tag::user_id, user_id) + self};
}

Result<installer::RingKey> read_public_key(const std::filesystem::path& file) {
  const auto bytes = read_file(file, installer::kMostOfRing, Links::follow);
  if (!bytes) return tl::unexpected(bytes.error());
  auto keys = installer::read_ring(file.string(), *bytes);
  if (keys && keys->size() == 1) return std::move(keys->front());
  return fail(
      keys ? file.string() + " holds " + std::to_string(keys->size()) + " keys, not one"
           : keys.error().what,
      "name a public key that `caisson keys generate` or `caisson keys import` has written");
}

}  // namespace caisson::signing

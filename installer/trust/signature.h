#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "installer/format/root.h"
#include "installer/trust/key_packet.h"
#include "installer/trust/public_key.h"

namespace caisson::installer {

/// The most bytes of a signature.
inline constexpr std::size_t kMostOfSignature = 1024;

/// What a signature is of (RFC 9580, 5.2.1).
enum class Signed : unsigned char {
  document = 0x00,  ///< bytes, as they are
  user_id = 0x13,   ///< a key and its name, by the key itself
};

/// A version 4 signature packet. That it has been read says nothing about whom it is by.
struct Signature {
  Algorithm algorithm = Algorithm::ed25519;
  Hash hash = Hash::sha512;
  std::uint32_t created = 0;  ///< seconds since 1970
  Fingerprint issuer{};
  std::string hashed;  ///< the start of the packet, which is signed behind the document
  std::string left;    ///< the first two bytes of the digest
  std::string value;   ///< r and s, 32 bytes each, the highest first
};

/// Reads the body of a signature packet (docs/bundle.md, "Signatures"): every subpacket is known,
/// stands once and is not critical, numbers have their one form, and nothing follows. `name` is the
/// file's.
[[nodiscard]] Checked<Signature> read_signature_body(std::string_view name, std::string_view body,
                                                     Signed what);

/// Reads a file that is one detached signature of a document.
[[nodiscard]] Checked<Signature> read_signature(std::string_view name, std::string_view bytes);

/// What is signed: the digest of all that came, then of the signature's own start.
[[nodiscard]] std::string signed_digest(Hashing document, std::string_view hashed);

/// Checks a signature of a document that comes in pieces.
class SignatureCheck {
 public:
  /// Reads the signature and finds its key among `keys`; `revoked` only tells a revoked key from
  /// one that nobody knows. `name` is the file's.
  [[nodiscard]] static Checked<SignatureCheck> begin(std::string name, std::string_view signature,
                                                     std::span<const Key> keys,
                                                     std::span<const Key> revoked = {});

  void update(std::string_view bytes) { document_.update(bytes); }
  /// The key whose signature it is. Nothing may come afterwards.
  [[nodiscard]] Checked<Key> finish();

 private:
  SignatureCheck(std::string name, Signature signature, Key key)
      : name_(std::move(name)),
        signature_(std::move(signature)),
        key_(std::move(key)),
        document_(signature_.hash) {}

  std::string name_;
  Signature signature_;
  Key key_;
  Hashing document_;
};

/// The key of `keys` by which `signature` is a signature of `document`.
[[nodiscard]] Checked<Key> check_signature(std::string name, std::string_view signature,
                                           std::string_view document, std::span<const Key> keys,
                                           std::span<const Key> revoked = {});

/// Whether the signature is one by the key: it fits the digest, the key's algorithm and its time.
/// `pinned`: and the key's hash.
[[nodiscard]] std::optional<Refusal> fault_of_signature(std::string_view name,
                                                        const Signature& signature, const Key& key,
                                                        Hashing document, bool pinned);

/// The start of a signature by the key, as gpg writes it. That of a user id says that the key may
/// certify and sign.
[[nodiscard]] std::string start_of_signature(const Key& key, std::uint32_t created, Signed what);

/// The file that `read_signature` reads: `hashed` is a start, `value` r and s.
[[nodiscard]] std::string write_signature(const Key& key, std::string_view hashed,
                                          std::string_view digest, std::string_view value);

}  // namespace caisson::installer

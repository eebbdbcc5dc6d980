#include "installer/trust/signature.h"

#include <algorithm>
#include <utility>

#include "base/hex.h"
#include "installer/trust/packet.h"

namespace caisson::installer {
namespace {

using namespace std::string_view_literals;

// RFC 9580, 5.2.3.7 and 9.
constexpr unsigned kEd25519 = 22;
constexpr unsigned kEcdsa = 19;
constexpr unsigned kSha256 = 8;
constexpr unsigned kSha512 = 10;

enum Subpacket : unsigned {
  kCreated = 2,
  kPreferredCiphers = 11,
  kIssuer = 16,
  kPreferredHashes = 21,
  kPreferredCompression = 22,
  kKeyserver = 23,
  kPrimaryUserId = 25,
  kKeyFlags = 27,
  kSignersUserId = 28,
  kFeatures = 30,
  kIssuerFingerprint = 33,
  kPreferredAead = 34,
};
constexpr unsigned kCritical = 0x80;
constexpr unsigned kMayCertifyAndSign = 0x03;

/// A subpacket that may stand there, and how many bytes its content has. gpg passes over a
/// signature with one whose length it does not expect.
struct Known {
  unsigned type;
  std::size_t least;
  std::size_t most;
};

constexpr std::size_t kAny = 190;  // what a length of one byte leaves

/// What gpg 2.2 and 2.4 write without being asked for anything: about a document, the user id
/// when the key was named by its mail address; about a user id, what its owner likes.
constexpr Known kAboutDocuments[] = {
    {kCreated, 4, 4}, {kSignersUserId, 1, kAny}, {kIssuerFingerprint, 21, 21}};
constexpr Known kAboutUserIds[] = {{kCreated, 4, 4},
                                   {kPreferredCiphers, 1, kAny},
                                   {kPreferredHashes, 1, kAny},
                                   {kKeyserver, 1, 1},
                                   {kPreferredCompression, 1, kAny},
                                   {kPrimaryUserId, 1, 1},
                                   {kKeyFlags, 1, 1},
                                   {kFeatures, 1, 1},
                                   {kIssuerFingerprint, 21, 21},
                                   {kPreferredAead, 1, kAny}};
constexpr Known kUnhashed[] = {{kIssuer, 8, 8}};

/// Reads a body from its front. The first thing that is wrong is kept and ends the reading.
class Body {
 public:
  Body(std::string_view name, std::string_view bytes) : name_(name), whole_(bytes), rest_(bytes) {}

  std::string_view take(std::size_t count) {
    if (refused_) return {};
    if (rest_.size() < count) {
      refuse(Code::signature_truncated, "it ends early");
      return {};
    }
    const auto taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  unsigned number(std::size_t count) { return static_cast<unsigned>(number_at(take(count))); }

  void refuse(Code code, std::string_view why) {
    if (!refused_) refused_ = Refusal{code, std::string(name_) + ": " + std::string(why)};
  }
  [[nodiscard]] bool done() const { return refused_ || rest_.empty(); }
  [[nodiscard]] std::string_view taken() const {
    return whole_.substr(0, whole_.size() - rest_.size());
  }
  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refused_; }

 private:
  std::string_view name_;
  std::string_view whole_;
  std::string_view rest_;
  std::optional<Refusal> refused_;
};

/// What subpackets say. A content that is not there is empty.
struct Said {
  std::string_view created;
  std::string_view issuer;
  std::string_view fingerprint;
  std::string_view flags;
};

void read_subpackets(Body& body, std::span<const Known> known, Said& said) {
  auto rest = body.take(body.number(2));
  std::uint64_t seen = 0;
  while (!rest.empty()) {
    const auto length = number_at(rest.substr(0, 1));
    if (length == 0 || length >= 192 || length >= rest.size()) {
      body.refuse(Code::signature_subpacket, "the length of a subpacket has another form");
      return;
    }
    const auto type = static_cast<unsigned>(number_at(rest.substr(1, 1)));
    const auto content = rest.substr(2, length - 1);
    rest.remove_prefix(length + 1);
    const auto number = std::to_string(type & ~kCritical);
    const auto rule = std::ranges::find(known, type, &Known::type);
    if ((type & kCritical) != 0) {
      body.refuse(Code::signature_subpacket, "subpacket " + number + " is critical");
    } else if (rule == known.end()) {
      body.refuse(Code::signature_subpacket, "subpacket " + number + " is not accepted");
    } else if (content.size() < rule->least || content.size() > rule->most) {
      body.refuse(Code::signature_subpacket, "subpacket " + number + " has another length");
    } else if ((seen >> type & 1U) != 0) {
      body.refuse(Code::signature_subpacket, "subpacket " + number + " stands twice");
    }
    seen |= std::uint64_t{1} << (type & 63U);
    if (type == kCreated) said.created = content;
    if (type == kIssuer) said.issuer = content;
    if (type == kIssuerFingerprint) said.fingerprint = content;
    if (type == kKeyFlags) said.flags = content;
  }
}

/// An MPI (RFC 9580, 3.2) of up to 256 bits, in 32 bytes.
std::string read_number(Body& body) {
  const auto bits = body.number(2);
  if (bits == 0 || bits > 256) {
    body.refuse(Code::signature_number, "a number has no bits, or more than 256");
    return {};
  }
  const auto bytes = body.take((bits + 7) / 8);
  if (bytes.empty()) return {};
  // The highest byte has the bits that are left, and the first of them is set.
  if (number_at(bytes.substr(0, 1)) >> ((bits - 1) % 8) != 1) {
    body.refuse(Code::signature_number, "a number has not as many bits as it says");
    return {};
  }
  return std::string(32 - bytes.size(), '\0').append(bytes);
}

void take_from(Signature& signature, Body& body, const Said& said, Signed what) {
  if (said.created.size() != 4) {
    body.refuse(Code::signature_subpacket, "it does not say when it was made");
  }
  if (said.fingerprint.size() != 21 || said.fingerprint.front() != 4) {
    body.refuse(Code::signature_subpacket, "it does not name its key by a version 4 fingerprint");
  }
  if (body.refusal()) return;
  signature.created = static_cast<std::uint32_t>(number_at(said.created));
  std::ranges::transform(said.fingerprint.substr(1), signature.issuer.begin(),
                         [](char byte) { return static_cast<unsigned char>(byte); });
  if (said.issuer != said.fingerprint.substr(13)) {
    body.refuse(Code::signature_subpacket, "its key id is not that of its fingerprint");
  }
  if (what == Signed::user_id &&
      (said.flags.empty() || (number_at(said.flags.substr(0, 1)) & 2U) == 0)) {
    body.refuse(Code::signature_subpacket, "it does not allow the key to sign");
  }
}

std::string shown(const Fingerprint& fingerprint) { return "key " + hex(fingerprint); }

const Key* find_key(std::span<const Key> keys, const Fingerprint& wanted) {
  const auto found =
      std::ranges::find_if(keys, [&](const Key& key) { return fingerprint(key) == wanted; });
  return found == keys.end() ? nullptr : &*found;
}

std::string mpi(std::string_view bytes) {
  const auto zeros = std::min(bytes.find_first_not_of('\0'), bytes.size());
  bytes.remove_prefix(zeros);
  if (bytes.empty()) return big_endian(0, 2);
  std::size_t bits = bytes.size() * 8;
  for (auto top = number_at(bytes.substr(0, 1)); (top & 0x80U) == 0; top <<= 1U) --bits;
  return big_endian(bits, 2).append(bytes);
}

std::string subpacket(Subpacket type, std::string_view content) {
  return big_endian(content.size() + 1, 1).append(big_endian(type, 1)).append(content);
}

std::string_view bytes_of(const Fingerprint& fingerprint) {
  return {reinterpret_cast<const char*>(fingerprint.data()), fingerprint.size()};
}

}  // namespace

Checked<Signature> read_signature_body(std::string_view name, std::string_view bytes, Signed what) {
  Body body(name, bytes);
  Signature signature;
  if (body.number(1) != 4) body.refuse(Code::signature_version, "it is not of version 4");
  if (body.number(1) != static_cast<unsigned>(what)) {
    body.refuse(Code::signature_type, what == Signed::document
                                          ? "its type is not 0x00, a binary document"
                                          : "its type is not 0x13, a user id");
  }
  const auto algorithm = body.number(1);
  signature.algorithm = algorithm == kEcdsa ? Algorithm::p256 : Algorithm::ed25519;
  if (algorithm != kEd25519 && algorithm != kEcdsa) {
    body.refuse(Code::signature_algorithm, "its algorithm is neither EdDSA nor ECDSA");
  }
  const auto hash = body.number(1);
  signature.hash = hash == kSha256 ? Hash::sha256 : Hash::sha512;
  if (hash != kSha256 && hash != kSha512) {
    body.refuse(Code::signature_algorithm, "its hash is neither SHA-256 nor SHA-512");
  }
  Said said;
  read_subpackets(body,
                  what == Signed::document ? std::span<const Known>(kAboutDocuments)
                                           : std::span<const Known>(kAboutUserIds),
                  said);
  signature.hashed = body.taken();
  read_subpackets(body, kUnhashed, said);
  signature.left = body.take(2);
  signature.value = read_number(body);
  signature.value += read_number(body);
  if (!body.done()) body.refuse(Code::signature_trailing, "its packet is longer than it is");
  take_from(signature, body, said, what);
  if (body.refusal()) return tl::unexpected(*body.refusal());
  return signature;
}

Checked<Signature> read_signature(std::string_view name, std::string_view bytes) {
  const auto refused = [&](Code code, std::string_view why) {
    return refuse(code, std::string(name) + ": " + std::string(why));
  };
  if (bytes.empty()) return refused(Code::no_signature, "it is empty");
  if (bytes.size() > kMostOfSignature) {
    return refused(Code::not_a_signature, "it has more than 1,024 bytes");
  }
  const auto packet = take_packet(name, bytes);
  if (!packet) return tl::unexpected(packet.error());
  if (packet->tag != static_cast<unsigned>(Tag::signature)) {
    return refused(Code::not_a_signature, "it begins with an OpenPGP packet of kind " +
                                              std::to_string(packet->tag) +
                                              ", not with a signature");
  }
  auto signature = read_signature_body(name, packet->body, Signed::document);
  if (signature && !bytes.empty()) {
    return refused(Code::signature_trailing, "there is more behind the signature");
  }
  return signature;
}

std::string signed_digest(Hashing document, std::string_view hashed) {
  document.update(hashed);
  // RFC 9580, 5.2.4: the version, 0xff and how much of the packet is hashed.
  document.update("\x04\xff"sv);
  document.update(big_endian(hashed.size(), 4));
  return document.finish();
}

std::optional<Refusal> fault_of_signature(std::string_view name, const Signature& signature,
                                          const Key& key, Hashing document, bool pinned) {
  const auto refused = [&](Code code, std::string_view why) {
    return Refusal{code, std::string(name) + ": " + std::string(why)};
  };
  if (signature.algorithm != key.algorithm || (pinned && signature.hash != key.hash)) {
    return refused(Code::key_mismatch,
                   shown(signature.issuer) + " signs with another algorithm or hash");
  }
  if (signature.created < key.created) {
    return refused(Code::signature_time, "it was made before " + shown(signature.issuer) + " was");
  }
  const auto digest = signed_digest(std::move(document), signature.hashed);
  if (!digest.starts_with(signature.left) || !verifies(key, digest, signature.value)) {
    return refused(Code::wrong_signature,
                   "it is not one by " + shown(signature.issuer) + " of what it stands beside");
  }
  return std::nullopt;
}

Checked<SignatureCheck> SignatureCheck::begin(std::string name, std::string_view bytes,
                                              std::span<const Key> keys,
                                              std::span<const Key> revoked) {
  auto signature = read_signature(name, bytes);
  if (!signature) return tl::unexpected(signature.error());
  const auto* key = find_key(keys, signature->issuer);
  if (key == nullptr) {
    const bool known = find_key(revoked, signature->issuer) != nullptr;
    return refuse(known ? Code::revoked_key : Code::unknown_key,
                  name + ": it is by " + shown(signature->issuer));
  }
  return SignatureCheck(std::move(name), *std::move(signature), *key);
}

Checked<Key> SignatureCheck::finish() {
  if (auto fault = fault_of_signature(name_, signature_, key_, std::move(document_), true)) {
    return tl::unexpected(*std::move(fault));
  }
  return key_;
}

Checked<Key> check_signature(std::string name, std::string_view signature,
                             std::string_view document, std::span<const Key> keys,
                             std::span<const Key> revoked) {
  auto check = SignatureCheck::begin(std::move(name), signature, keys, revoked);
  if (!check) return tl::unexpected(check.error());
  check->update(document);
  return check->finish();
}

std::string start_of_signature(const Key& key, std::uint32_t created, Signed what) {
  auto subpackets =
      subpacket(kIssuerFingerprint, "\x04" + std::string(bytes_of(fingerprint(key)))) +
      subpacket(kCreated, big_endian(created, 4));
  if (what == Signed::user_id)
    subpackets += subpacket(kKeyFlags, big_endian(kMayCertifyAndSign, 1));
  return "\x04" + big_endian(static_cast<unsigned>(what), 1) +
         big_endian(key.algorithm == Algorithm::ed25519 ? kEd25519 : kEcdsa, 1) +
         big_endian(key.hash == Hash::sha256 ? kSha256 : kSha512, 1) +
         big_endian(subpackets.size(), 2) + subpackets;
}

std::string write_signature(const Key& key, std::string_view hashed, std::string_view digest,
                            std::string_view value) {
  const auto issuer = subpacket(kIssuer, bytes_of(fingerprint(key)).substr(12));
  return packet(Tag::signature, std::string(hashed) + big_endian(issuer.size(), 2) + issuer +
                                    std::string(digest.substr(0, 2)) + mpi(value.substr(0, 32)) +
                                    mpi(value.substr(32)));
}

}  // namespace caisson::installer

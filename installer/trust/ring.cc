#include "installer/trust/ring.h"

#include <algorithm>
#include <utility>

#include "base/printable.h"
#include "installer/trust/key_packet.h"
#include "installer/trust/packet.h"
#include "installer/trust/signature.h"

namespace caisson::installer {
namespace {

/// The three packets that a ring begins with.
Checked<RingKey> take_key(std::string_view name, std::string_view& ring) {
  const auto begin = ring;
  std::string_view bodies[3];
  constexpr Tag tags[] = {Tag::public_key, Tag::user_id, Tag::signature};
  for (std::size_t i = 0; i < std::size(tags); ++i) {
    const auto packet = take_packet(name, ring);
    if (!packet) return tl::unexpected(packet.error());
    if (packet->tag != static_cast<unsigned>(tags[i])) {
      return refuse(Code::bad_ring, std::string(name) + ": packet of kind " +
                                        std::to_string(packet->tag) +
                                        " where there are a key, its name and a signature of them");
    }
    bodies[i] = packet->body;
  }
  auto key = read_key_body(name, bodies[0]);
  if (!key) return tl::unexpected(key.error());
  if (const auto fault = fault_of_key(*key); !fault.empty()) {
    return refuse(Code::bad_key,
                  std::string(name) + ": a key cannot be used: " + std::string(fault));
  }
  const auto user_id = bodies[1];
  if (const auto fault = fault_of_user_id(user_id); !fault.empty()) {
    return refuse(Code::bad_ring, std::string(name) + ": the name of a key: " + std::string(fault));
  }
  const auto signature = read_signature_body(name, bodies[2], Signed::user_id);
  if (!signature) return tl::unexpected(signature.error());
  if (signature->issuer != fingerprint(*key)) {
    return refuse(Code::bad_ring, std::string(name) + ": a key's name is signed by another key");
  }
  if (auto fault = fault_of_signature(name, *signature, *key,
                                      bound_user_id(signature->hash, *key, user_id), false)) {
    return tl::unexpected(*std::move(fault));
  }
  return RingKey{.key = *std::move(key),
                 .user_id = std::string(user_id),
                 .bytes = std::string(begin.substr(0, begin.size() - ring.size()))};
}

}  // namespace

std::string_view fault_of_user_id(std::string_view user_id) {
  if (user_id.empty() || user_id.size() > 255) return "it has 1 to 255 bytes";
  return fault_of_line(user_id);
}

Hashing bound_user_id(Hash hash, const Key& key, std::string_view user_id) {
  // RFC 9580, 5.2.4.
  const auto body = key_body(key);
  Hashing hashing(hash);
  hashing.update("\x99" + big_endian(body.size(), 2) + body);
  hashing.update("\xb4" + big_endian(user_id.size(), 4));
  hashing.update(user_id);
  return hashing;
}

Checked<std::vector<RingKey>> read_ring(std::string_view name, std::string_view bytes) {
  if (bytes.size() > kMostOfRing) {
    return refuse(Code::text_too_large, std::string(name) + ": it has more than 64 KiB");
  }
  std::vector<RingKey> keys;
  while (!bytes.empty()) {
    auto key = take_key(name, bytes);
    if (!key) return tl::unexpected(key.error());
    const auto same = [&](const RingKey& other) { return other.key.point == key->key.point; };
    if (std::ranges::any_of(keys, same)) {
      return refuse(Code::bad_ring, std::string(name) + ": one key stands twice");
    }
    if (keys.size() == kMostKeys) {
      return refuse(Code::too_many, std::string(name) + ": more than 16 keys");
    }
    keys.push_back(*std::move(key));
  }
  return keys;
}

std::optional<Refusal> fault_of_ring(std::string_view name, std::string_view bytes,
                                     const Root& root) {
  const auto keys = read_ring(name, bytes);
  if (!keys) return keys.error();
  const auto same = [](const RingKey& held, const Key& named) {
    return held.key.algorithm == named.algorithm && held.key.created == named.created &&
           held.key.point == named.point;
  };
  if (std::ranges::equal(*keys, root.releases, same)) return std::nullopt;
  return Refusal{Code::bad_ring, std::string(name) +
                                     ": it does not hold exactly the release keys of root " +
                                     std::to_string(root.version) + ", in their order"};
}

}  // namespace caisson::installer

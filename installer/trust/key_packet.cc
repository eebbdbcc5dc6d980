#include "installer/trust/key_packet.h"

#include <algorithm>
#include <cstdlib>

#include <openssl/evp.h>

#include "base/hex.h"
#include "installer/trust/packet.h"

namespace caisson::installer {
namespace {

using namespace std::string_view_literals;

struct Curve {
  Algorithm algorithm;
  unsigned char number;    ///< of the OpenPGP algorithm
  std::string_view oid;    ///< with its length before it
  std::string_view point;  ///< what stands before the point: its MPI's bits, and 0x40 of EdDSA
};

// RFC 9580, 9.1 and 9.2. The first byte of a point is 0x40 (7 bits) or 0x04 (3 bits).
constexpr Curve kCurves[] = {
    {Algorithm::ed25519, 22, "\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01"sv, "\x01\x07\x40"sv},
    {Algorithm::p256, 19, "\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv, "\x02\x03"sv},
};

std::string start_of(const Curve& curve, std::uint32_t created) {
  std::string body = "\x04";
  body += big_endian(created, 4);
  body += static_cast<char>(curve.number);
  body.append(curve.oid).append(curve.point);
  return body;
}

}  // namespace

std::string key_body(const Key& key) {
  const auto* curve = std::ranges::find(kCurves, key.algorithm, &Curve::algorithm);
  return start_of(*curve, key.created).append(key.point.begin(), key.point.end());
}

Checked<Key> read_key_body(std::string_view name, std::string_view body) {
  if (body.size() >= 5) {
    const auto created = static_cast<std::uint32_t>(number_at(body.substr(1, 4)));
    for (const auto& curve : kCurves) {
      const auto start = start_of(curve, created);
      if (!body.starts_with(start)) continue;
      const auto point = body.substr(start.size());
      if (point.size() != point_size(curve.algorithm)) continue;
      return Key{.algorithm = curve.algorithm,
                 .hash = usual_hash(curve.algorithm),
                 .created = created,
                 .point = {point.begin(), point.end()}};
    }
  }
  return refuse(Code::bad_key,
                std::string(name) + ": a key is not a version 4 key of Ed25519 or NIST P-256");
}

Hash usual_hash(Algorithm algorithm) {
  return algorithm == Algorithm::ed25519 ? Hash::sha512 : Hash::sha256;
}

Fingerprint fingerprint(const Key& key) {
  const auto body = key_body(key);
  const auto packet = "\x99" + big_endian(body.size(), 2) + body;
  Fingerprint out{};
  if (EVP_Digest(packet.data(), packet.size(), out.data(), nullptr, EVP_sha1(), nullptr) != 1) {
    std::abort();
  }
  return out;
}

std::string key_id(const Key& key) { return hex(fingerprint(key)).substr(24); }

}  // namespace caisson::installer

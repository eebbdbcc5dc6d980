#include "installer/trust/ring.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "generator/signing/testing.h"
#include "installer/trust/key_packet.h"
#include "installer/trust/packet.h"
#include "installer/trust/signature.h"

namespace caisson::installer {
namespace {

using signing::PrivateKey;
using signing::ring_key;
using signing::testing::ed25519;
using signing::testing::Gnupg;
using signing::testing::p256;

std::string code_of(const std::optional<Refusal>& refusal) {
  return refusal ? std::string(entry_of(refusal->code).number) : "taken";
}

std::string code_of(Code code) { return std::string(entry_of(code).number); }

Root root_of(std::vector<Key> releases) {
  std::ranges::sort(releases);
  return {.product = "agentik",
          .version = 1,
          .epoch = 1,
          .threshold = 1,
          .keys = {ed25519(9).key()},
          .releases = std::move(releases)};
}

std::string entry(const PrivateKey& key, std::string_view name = "release") {
  return ring_key(key, name).bytes;
}

TEST(Ring, HoldsExactlyTheReleaseKeysAndGpgvVerifiesWithIt) {
  const Gnupg gnupg;
  const auto root = root_of({ed25519(1).key(), ed25519(2).key(), p256(3).key()});
  std::string ring;
  for (const auto& key : root.releases) {
    for (auto* make :
         {+[] { return ed25519(1); }, +[] { return ed25519(2); }, +[] { return p256(3); }}) {
      if (const auto own = make(); own.key() == key) ring += entry(own);
    }
  }
  EXPECT_EQ(code_of(fault_of_ring("keyring.gpg", ring, root)), "taken");
  const std::string sums = "0123  MANIFEST\n";
  for (auto* make :
       {+[] { return ed25519(1); }, +[] { return ed25519(2); }, +[] { return p256(3); }}) {
    const auto signature = signing::signer_of(make())->sign(sums, 1'735'689'600);
    ASSERT_TRUE(signature) << signature.error().text();
    const auto stock = gnupg.gpgv(ring, *signature, sums, "--weak-digest SHA1");
    EXPECT_EQ(stock.code, 0) << stock.text;
    EXPECT_NE(gnupg.gpgv(ring, *signature, sums + "x").code, 0);
  }
}

TEST(Ring, IsRefusedForAnythingMoreOrLess) {
  const auto root = root_of({ed25519(1).key(), ed25519(2).key()});
  const bool first = root.releases[0] == ed25519(1).key();
  const auto a = entry(ed25519(first ? 1 : 2));
  const auto b = entry(ed25519(first ? 2 : 1));
  const auto code = [&](std::string_view ring) { return code_of(fault_of_ring("r", ring, root)); };
  EXPECT_EQ(code(a + b), "taken");
  EXPECT_EQ(code(""), code_of(Code::bad_ring));
  EXPECT_EQ(code(a), code_of(Code::bad_ring));
  EXPECT_EQ(code(b + a), code_of(Code::bad_ring));
  EXPECT_EQ(code(a + a), code_of(Code::bad_ring));
  EXPECT_EQ(code(a + b + entry(ed25519(3))), code_of(Code::bad_ring));
  EXPECT_EQ(code(a + entry(ed25519(3))), code_of(Code::bad_ring));
  EXPECT_EQ(code(a + b + "\xa8\x03PGP"), code_of(Code::bad_ring));
  EXPECT_EQ(code(a + b.substr(0, b.size() - 1)), code_of(Code::signature_truncated));
  EXPECT_EQ(code(a + b + std::string(70'000, 'a')), code_of(Code::text_too_large));
  std::string many;
  for (char each = 10; each < 27; ++each) many += entry(ed25519(each));
  EXPECT_EQ(code(many), code_of(Code::too_many));
}

TEST(Ring, IsRefusedWithAnyBitFlipped) {
  const auto ring = entry(ed25519(1));
  const auto root = root_of({ed25519(1).key()});
  ASSERT_EQ(code_of(fault_of_ring("r", ring, root)), "taken");
  for (std::size_t bit = 0; bit < ring.size() * 8; ++bit) {
    auto other = ring;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
    EXPECT_NE(code_of(fault_of_ring("r", other, root)), "taken") << bit;
  }
}

TEST(Ring, IsRefusedForAPointWithAPartOfSmallOrder) {
  const auto ring = entry(ed25519(1));
  auto key = ed25519(1).key();
  const auto body = key_body(key);
  key.point = {0xe9, 0xc6, 0xaa, 0x47, 0xf2, 0xc1, 0xdc, 0x30, 0xd0, 0x86, 0x79,
               0xfe, 0xb4, 0x51, 0x62, 0xca, 0x38, 0xdf, 0xa1, 0xe5, 0x57, 0xaf,
               0x57, 0x5b, 0x80, 0x3e, 0x03, 0xf3, 0x01, 0x10, 0xef, 0xf5};
  auto other = ring;
  other.replace(other.find(body), body.size(), key_body(key));
  EXPECT_EQ(code_of(fault_of_ring("r", other, root_of({key}))), code_of(Code::bad_key));
}

/// Every kind of subpacket that may stand in a key's own signature, with contents of every length
/// around the right one: gpgv takes every ring that is taken.
TEST(Ring, IsTakenWithNoSubpacketThatGpgvPassesOver) {
  const Gnupg gnupg;
  const auto key = ed25519(1);
  const auto root = root_of({key.key()});
  const auto start = packet(Tag::public_key, key_body(key.key())) + packet(Tag::user_id, "release");
  const std::string sums = "0123  MANIFEST\n";
  const auto signature = signing::signer_of(ed25519(1))->sign(sums, 1'735'689'600);
  ASSERT_TRUE(signature) << signature.error().text();
  const auto sub = [](unsigned type, const std::string& content) {
    return big_endian(content.size() + 1, 1) + big_endian(type, 1) + content;
  };
  struct Usual {
    unsigned type;
    std::string content;
    bool has_to_stand = false;
  };
  const auto issuer = fingerprint(key.key());
  const std::vector<Usual> all{{33, "\x04" + std::string(issuer.begin(), issuer.end()), true},
                               {2, big_endian(signing::kKeyCreated, 4), true},
                               {27, "\x03", true},
                               {11, "\x09\x08\x07\x02"},
                               {21, "\x0a\x09\x08"},
                               {22, "\x02\x03\x01"},
                               {23, "\x80"},
                               {25, "\x01"},
                               {30, "\x01"},
                               {34, "\x02"}};
  int taken = 0;
  for (const auto& each : all) {
    for (std::size_t length = 0; length <= each.content.size() + 2; ++length) {
      auto content = each.content;
      content.resize(length, '\x01');
      std::string area;
      for (const auto& other : all) {
        if (&other != &each && other.has_to_stand) area += sub(other.type, other.content);
      }
      area += sub(each.type, content);
      const auto hashed = std::string("\x04\x13\x16\x0a") + big_endian(area.size(), 2) + area;
      const auto digest = signed_digest(bound_user_id(Hash::sha512, key.key(), "release"), hashed);
      const auto ring = start + write_signature(key.key(), hashed, digest, key.sign(digest));
      const auto fault = fault_of_ring("r", ring, root);
      EXPECT_FALSE(fault && length == each.content.size())
          << each.type << " with " << length << " bytes: " << (fault ? fault->what : "");
      if (fault) continue;
      ++taken;
      const auto stock = gnupg.gpgv(ring, *signature, sums);
      EXPECT_EQ(stock.code, 0) << each.type << " with " << length << " bytes: " << stock.text;
    }
  }
  // Lists of what the owner likes may have other lengths; nothing else may.
  EXPECT_EQ(taken, 6 + 5 + 5 + 3 + 6);
  const auto of_length = [&](std::size_t length) {
    const auto area = sub(33, all[0].content) + sub(2, all[1].content) + sub(27, "\x03") +
                      sub(25, std::string(length, '\x01'));
    const auto hashed = std::string("\x04\x13\x16\x0a") + big_endian(area.size(), 2) + area;
    const auto digest = signed_digest(bound_user_id(Hash::sha512, key.key(), "release"), hashed);
    return start + write_signature(key.key(), hashed, digest, key.sign(digest));
  };
  EXPECT_EQ(code_of(fault_of_ring("r", of_length(0), root)), code_of(Code::signature_subpacket));
  EXPECT_NE(gnupg.gpgv(of_length(0), *signature, sums).code, 0);
}

TEST(Ring, IsRefusedWhereTheKeysOwnSignatureDoesNotLetItSign) {
  const auto key = ed25519(1);
  const auto root = root_of({key.key()});
  const auto start = packet(Tag::public_key, key_body(key.key())) + packet(Tag::user_id, "release");
  const auto code = [&](const PrivateKey& signer, const std::string& hashed) {
    const auto digest = signed_digest(bound_user_id(Hash::sha512, key.key(), "release"), hashed);
    return code_of(fault_of_ring(
        "r", start + write_signature(signer.key(), hashed, digest, signer.sign(digest)), root));
  };
  const auto right = start_of_signature(key.key(), signing::kKeyCreated, Signed::user_id);
  EXPECT_EQ(code(key, right), "taken");
  auto certify_only = right;
  certify_only.back() = 1;
  EXPECT_EQ(code(key, certify_only), code_of(Code::signature_subpacket));
  // A time after which the key expires.
  auto expires = right + std::string("\x05\x09\x00\x00\x00\x01", 6);
  expires[5] = static_cast<char>(expires[5] + 6);
  EXPECT_EQ(code(key, expires), code_of(Code::signature_subpacket));
  EXPECT_EQ(code(key, start_of_signature(key.key(), signing::kKeyCreated, Signed::document)),
            code_of(Code::signature_type));
  const auto other = ed25519(2);
  EXPECT_EQ(code(other, start_of_signature(other.key(), signing::kKeyCreated, Signed::user_id)),
            code_of(Code::bad_ring));
}

}  // namespace
}  // namespace caisson::installer

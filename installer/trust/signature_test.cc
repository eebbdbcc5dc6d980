#include "installer/trust/signature.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "base/hex.h"
#include "generator/signing/testing.h"
#include "installer/trust/packet.h"

namespace caisson::installer {
namespace {

using namespace std::string_literals;
using signing::PrivateKey;
using signing::testing::ed25519;
using signing::testing::Gnupg;
using signing::testing::p256;

constexpr std::uint32_t kDate = 1'735'689'600;  // 2025-01-01
const std::string kDocument = "0123456789abcdef  MANIFEST\nanother line\n";

std::string number_name(const Refusal& refusal) {
  return std::string(entry_of(refusal.code).number);
}

std::string sub(unsigned type, const std::string& content) {
  return big_endian(content.size() + 1, 1) + big_endian(type, 1) + content;
}

std::string number(std::string bytes) {
  bytes.erase(0, std::min(bytes.find_first_not_of('\0'), bytes.size()));
  auto bits = bytes.size() * 8;
  for (auto top = number_at(bytes.substr(0, 1)); !bytes.empty() && (top & 0x80U) == 0; top <<= 1U) {
    --bits;
  }
  return big_endian(bits, 2) + bytes;
}

/// A signature that is made by hand, so that it can say anything and still be signed.
struct Forged {
  unsigned version = 4;
  unsigned type = 0;
  unsigned algorithm = 22;
  unsigned hash = 10;
  std::optional<std::string> hashed{};
  std::string more{};  ///< hashed subpackets besides the usual ones
  std::optional<std::string> unhashed{};
  std::function<std::string(std::string)> numbers{};  ///< of r and s
  std::string behind{};                               ///< in the packet
  bool wrong_left = false;
  std::string document = kDocument;
};

std::string fingerprint_text(const PrivateKey& key) {
  const auto bytes = fingerprint(key.key());
  return {bytes.begin(), bytes.end()};
}

std::string forged(const PrivateKey& key, const Forged& what) {
  const auto issuer = fingerprint_text(key);
  const auto hashed =
      what.hashed.value_or(sub(33, "\x04" + issuer) + sub(2, big_endian(kDate, 4))) + what.more;
  const auto start = big_endian(what.version, 1) + big_endian(what.type, 1) +
                     big_endian(what.algorithm, 1) + big_endian(what.hash, 1) +
                     big_endian(hashed.size(), 2) + hashed;
  const auto trailer = "\x04\xff"s + big_endian(start.size(), 4);
  const auto* algorithm = what.hash == 2   ? EVP_sha1()
                          : what.hash == 8 ? EVP_sha256()
                          : what.hash == 9 ? EVP_sha384()
                                           : EVP_sha512();
  std::string digest(64, '\0');
  unsigned size = 0;
  const auto all = what.document + start + trailer;
  EVP_Digest(all.data(), all.size(), reinterpret_cast<unsigned char*>(digest.data()), &size,
             algorithm, nullptr);
  digest.resize(size);
  const auto value = key.sign(digest);
  const auto unhashed = what.unhashed.value_or(sub(16, issuer.substr(12)));
  auto left = digest.substr(0, 2);
  if (what.wrong_left) left[0] = static_cast<char>(left[0] ^ 1);
  return start + big_endian(unhashed.size(), 2) + unhashed + left +
         (what.numbers ? what.numbers(value)
                       : number(value.substr(0, 32)) + number(value.substr(32))) +
         what.behind;
}

std::string file(const PrivateKey& key, const Forged& what) {
  return packet(Tag::signature, forged(key, what));
}

/// The signature whose r or s begins with a byte of zeros, which its number leaves out.
std::string with_short_number(const PrivateKey& key, Forged what) {
  const auto whole = forged(key, what).size();
  for (std::uint32_t date = kDate;; ++date) {
    what.hashed = sub(33, "\x04" + fingerprint_text(key)) + sub(2, big_endian(date, 4));
    // ECDSA draws anew each time, and Ed25519 with each date.
    if (auto body = forged(key, what); body.size() < whole) return packet(Tag::signature, body);
  }
}

struct Case {
  std::string name;
  std::string signature;
  std::optional<Code> refused;  ///< nothing: it is taken
  bool by_gpgv = false;         ///< whether gpgv takes it
  std::string document = kDocument;
};

std::vector<Case> cases_of(const PrivateKey& key, const PrivateKey& other) {
  const bool ed = key.key().algorithm == Algorithm::ed25519;
  const auto base = [&](Forged what) {
    what.algorithm = ed ? 22 : 19;
    if (what.hash == 10 && !ed) what.hash = 8;
    return what;
  };
  const auto make = [&](Forged what) { return file(key, base(std::move(what))); };
  const auto good = make({});
  const auto issuer = fingerprint_text(key);
  const auto fpr = sub(33, "\x04" + issuer);
  const auto time = sub(2, big_endian(kDate, 4));
  const auto body = forged(key, base({}));
  auto crlf = kDocument;
  for (std::size_t at = 0; (at = crlf.find('\n', at)) != crlf.npos; at += 2) crlf.insert(at, "\r");
  auto flipped = good;
  flipped[flipped.size() - 5] = static_cast<char>(flipped[flipped.size() - 5] ^ 4);
  const auto marker = "\xa8\x03PGP"s;

  return {
      {"good", good, {}, true},
      {"signer's user id, which gpg adds", make({.more = sub(28, "a@b.example")}), {}, true},
      {"signer's user id that is empty", make({.more = sub(28, "")}), Code::signature_subpacket,
       true},
      {"time before the fingerprint", make({.hashed = time + fpr}), {}, true},
      {"new header", "\xc2" + good.substr(1), {}, true},
      {"number with a byte less", with_short_number(key, base({})), {}, true},
      {"empty", "", Code::no_signature},
      {"truncated", good.substr(0, good.size() - 1), Code::signature_truncated},
      {"only a header", good.substr(0, 2), Code::signature_truncated},
      {"trailing byte", good + "\0"s, Code::signature_trailing},
      {"twice", good + good, Code::signature_trailing, true},
      {"a marker before", marker + good, Code::not_a_signature, true},
      {"a marker behind", good + marker, Code::signature_trailing, true},
      {"marker only", marker, Code::not_a_signature},
      {"one bit", flipped, Code::wrong_signature},
      {"wrong first digest bytes", make({.wrong_left = true}), Code::wrong_signature, true},
      {"unknown key", file(other, base({})), Code::unknown_key},
      {"of another document", good, Code::wrong_signature, false, "another\n"},
      {"armored", "-----BEGIN PGP SIGNATURE-----\n\nabc\n", Code::not_a_signature},
      {"inline",
       packet(static_cast<Tag>(4), "\x03\x00\x0a\x16" + issuer.substr(12) + "\x01") +
           packet(static_cast<Tag>(11), "b\0\0\0\0\0" + kDocument) + good,
       Code::not_a_signature},
      {"type 0x01 over a copy with CRLF", make({.type = 1, .document = crlf}), Code::signature_type,
       true},
      {"type 0x10", make({.type = 0x10}), Code::signature_type},
      {"SHA-1", make({.hash = 2}), Code::signature_algorithm, ed},
      {"SHA-384", make({.hash = 9}), Code::signature_algorithm, true},
      {"RSA", packet(Tag::signature, std::string(body).replace(2, 1, "\x01")),
       Code::signature_algorithm},
      {"another hash than the key's", make({.hash = ed ? 8U : 11U}),
       ed ? Code::key_mismatch : Code::signature_algorithm, ed},
      {"version 6", packet(Tag::signature, "\x06" + body.substr(1)), Code::signature_version},
      {"version 3",
       packet(Tag::signature, "\x03\x05\x00" + big_endian(kDate, 4) + issuer.substr(12) +
                                  body.substr(2, 2) + body.substr(body.size() - 70)),
       Code::signature_version},
      {"no time", make({.hashed = fpr}), Code::signature_subpacket, false},
      {"time of three bytes", make({.hashed = fpr + sub(2, big_endian(kDate >> 8, 3))}),
       Code::signature_subpacket},
      {"time of five bytes", make({.hashed = fpr + sub(2, big_endian(kDate, 4) + "a")}),
       Code::signature_subpacket, true},
      {"time twice", make({.more = time}), Code::signature_subpacket, true},
      {"time not hashed", make({.hashed = fpr, .unhashed = time + sub(16, issuer.substr(12))}),
       Code::signature_subpacket},
      {"no fingerprint", make({.hashed = time}), Code::signature_subpacket, true},
      {"fingerprint of version 6", make({.hashed = sub(33, "\x06" + issuer) + time}),
       Code::signature_subpacket, true},
      {"fingerprint with a byte more", make({.hashed = sub(33, "\x04" + issuer + "a") + time}),
       Code::signature_subpacket, true},
      {"fingerprint of another key",
       make({.hashed = sub(33, "\x04" + fingerprint_text(other)) + time}),
       Code::signature_subpacket, true},
      {"issuer of nine bytes", make({.unhashed = sub(16, issuer.substr(11))}),
       Code::signature_subpacket, true},
      {"issuer of seven bytes", make({.unhashed = sub(16, issuer.substr(13))}),
       Code::signature_subpacket},
      {"issuer missing", make({.unhashed = ""}), Code::signature_subpacket, true},
      {"issuer hashed", make({.more = sub(16, issuer.substr(12)), .unhashed = ""}),
       Code::signature_subpacket, true},
      {"something more that is not hashed",
       make({.unhashed = sub(16, issuer.substr(12)) + sub(100, "a")}), Code::signature_subpacket,
       true},
      {"expires in 2055", make({.more = sub(3, big_endian(946'728'000, 4))}),
       Code::signature_subpacket, true},
      {"has expired", make({.more = sub(3, big_endian(1, 4))}), Code::signature_subpacket},
      {"notation", make({.more = sub(20, "\x80\0\0\0\0\x03\0\x01"s + "a@b" + "c")}),
       Code::signature_subpacket, true},
      {"unknown", make({.more = sub(100, "a")}), Code::signature_subpacket, true},
      {"unknown and critical", make({.more = sub(100 | 0x80, "a")}), Code::signature_subpacket},
      {"time, critical", make({.hashed = fpr + sub(2 | 0x80, big_endian(kDate, 4))}),
       Code::signature_subpacket, true},
      {"policy", make({.more = sub(26, "https://example.com")}), Code::signature_subpacket, true},
      {"subpacket length of two bytes", make({.hashed = "\xff\0\0\0\x16\x21\x04"s + issuer + time}),
       Code::signature_subpacket, true},
      {"subpacket that is longer than its area", make({.more = "\x09\x1c"s}),
       Code::signature_subpacket},
      {"number over 256 bits",
       make({.numbers =
                 [](const std::string& v) {
                   return big_endian(264, 2) + "\xff" + v.substr(0, 32) + number(v.substr(32));
                 }}),
       Code::signature_number},
      {"number with a byte of zeros before",
       make({.numbers =
                 [](const std::string& v) {
                   return big_endian(264, 2) + "\0"s + v.substr(0, 32) + number(v.substr(32));
                 }}),
       Code::signature_number, true},
      {"number that is zero",
       make({.numbers =
                 [](const std::string& v) { return number(v.substr(0, 32)) + big_endian(0, 2); }}),
       Code::signature_number},
      {"number missing",
       make({.numbers = [](const std::string& v) { return number(v.substr(0, 32)); }}),
       Code::signature_truncated},
      {"something behind the numbers", make({.behind = "a"}), Code::signature_trailing, true},
      {"older than its key",
       make({.hashed = fpr + sub(2, big_endian(signing::kKeyCreated - 1, 4))}),
       Code::signature_time},
      {"as old as its key",
       make({.hashed = fpr + sub(2, big_endian(signing::kKeyCreated, 4))}),
       {},
       true},
      {"from the future", make({.hashed = fpr + sub(2, big_endian(4'102'444'800, 4))}), {}, true},
      {"more than a KiB", make({.more = std::string()}) + std::string(1000, 'a'),
       Code::not_a_signature},
      {"header with two bytes of length", "\x89" + big_endian(body.size(), 2) + body,
       Code::not_a_signature, true},
      {"header with four bytes of length", "\x8a" + big_endian(body.size(), 4) + body,
       Code::not_a_signature, true},
      {"header without a length", "\x8b" + body, Code::not_a_signature},
  };
}

/// The whole corpus, for both algorithms, also by stock gpgv: what we take gpgv takes, and where
/// gpgv takes more, that is known.
void compare(const PrivateKey& key, const PrivateKey& other) {
  const Gnupg gnupg;
  const auto ring = signing::ring_key(key, "release").bytes;
  const std::vector<Key> keys{key.key()};
  for (const auto& each : cases_of(key, other)) {
    const auto checked = check_signature("SHA256SUMS.gpg", each.signature, each.document, keys);
    const auto stock = gnupg.gpgv(ring, each.signature, each.document);
    EXPECT_EQ(checked ? "taken" : number_name(checked.error()),
              each.refused ? std::string(entry_of(*each.refused).number) : "taken")
        << each.name << ": " << (checked ? "" : checked.error().what);
    EXPECT_EQ(stock.code == 0, each.by_gpgv) << each.name << ": " << stock.text;
    EXPECT_TRUE(!checked || stock.code == 0) << each.name << ": gpgv refuses it: " << stock.text;
  }
}

TEST(Signature, IsTakenOrRefusedAsItShouldBeBesideGpgvWithEd25519) {
  compare(ed25519(), ed25519(2));
}

TEST(Signature, IsTakenOrRefusedAsItShouldBeBesideGpgvWithP256) { compare(p256(), p256(2)); }

TEST(Signature, IsRefusedWithAnyBitFlippedAndAtAnyLength) {
  for (const auto& key : {ed25519(), p256()}) {
    const auto good =
        signing::signer_of(key.key().algorithm == Algorithm::p256 ? p256() : ed25519())
            ->sign(kDocument, kDate);
    ASSERT_TRUE(good) << good.error().text();
    const std::vector<Key> keys{key.key()};
    EXPECT_TRUE(check_signature("s", *good, kDocument, keys));
    for (std::size_t bit = 0; bit < good->size() * 8; ++bit) {
      auto other = *good;
      other[bit / 8] = static_cast<char>(other[bit / 8] ^ 1 << bit % 8);
      EXPECT_FALSE(check_signature("s", other, kDocument, keys)) << bit;
    }
    for (std::size_t size = 0; size < good->size(); ++size) {
      EXPECT_FALSE(check_signature("s", good->substr(0, size), kDocument, keys)) << size;
    }
  }
}

TEST(Signature, OfADocumentInPiecesIsTheSame) {
  const auto key = ed25519();
  const auto good = signing::signer_of(ed25519())->sign(kDocument, kDate);
  ASSERT_TRUE(good);
  const std::vector<Key> keys{key.key()};
  auto check = SignatureCheck::begin("s", *good, keys);
  ASSERT_TRUE(check);
  for (const char each : kDocument) check->update({&each, 1});
  EXPECT_EQ(check->finish().value(), key.key());
}

TEST(Signature, ByARevokedKeySaysSo) {
  const auto good = signing::signer_of(ed25519())->sign(kDocument, kDate);
  const std::vector<Key> now{ed25519(2).key()};
  const std::vector<Key> revoked{ed25519().key()};
  EXPECT_EQ(check_signature("s", *good, kDocument, now, revoked).error().code, Code::revoked_key);
  EXPECT_EQ(check_signature("s", *good, kDocument, now).error().code, Code::unknown_key);
}

}  // namespace
}  // namespace caisson::installer

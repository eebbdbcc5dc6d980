#include "generator/signing/gpg.h"

#include <string>

#include <gtest/gtest.h>

#include "base/hex.h"
#include "generator/signing/testing.h"
#include "installer/trust/key_packet.h"
#include "installer/trust/signature.h"

namespace caisson::signing {
namespace {

using installer::Algorithm;
using installer::fingerprint;
using testing::ed25519;
using testing::Gnupg;
using testing::p256;

constexpr std::uint32_t kDate = 1'735'689'600;
const std::string kDocument = "0123  MANIFEST\n";

std::string shown(const PrivateKey& key) { return hex(fingerprint(key.key())); }

/// Gives gpg the same private key.
void give(const Gnupg& gnupg, const PrivateKey& key, char start) {
  gnupg.write("secret", testing::for_gpg(key, start, "release"));
  const auto imported = gnupg.run("gpg --batch --import secret");
  ASSERT_EQ(imported.code, 0) << imported.text;
}

TEST(Gpg, ImportsThePublicKeysThatAreMadeHere) {
  const Gnupg gnupg;
  for (const auto& key : {ed25519(), p256()}) {
    gnupg.write("public", ring_key(key, "agentik releases").bytes);
    const auto imported = gnupg.run("gpg --batch --import public");
    EXPECT_EQ(imported.code, 0) << imported.text;
    const auto listed = gnupg.run("gpg --batch --with-colons --list-keys " + shown(key));
    EXPECT_EQ(listed.code, 0) << listed.text;
    EXPECT_NE(listed.text.find(":agentik releases:"), std::string::npos) << listed.text;
    EXPECT_NE(listed.text.find(":1577836800:"), std::string::npos) << listed.text;
  }
}

TEST(Gpg, MakesTheSameBytesWithTheSameEd25519Key) {
  const Gnupg gnupg;
  // One whose signature has a number that is a byte shorter is among so many dates.
  const auto key = ed25519();
  give(gnupg, key, 1);
  bool shorter = false;
  std::size_t size = 0;
  for (std::uint32_t date = kDate; date < kDate + 3000 && !shorter; ++date) {
    const auto own = signer_of(ed25519())->sign(kDocument, date);
    ASSERT_TRUE(own) << own.error().text();
    shorter = size != 0 && own->size() < size;
    if (date != kDate && !shorter) continue;
    size = std::max(size, own->size());
    const auto theirs = sign_with_gpg(key.key(), kDocument, date);
    ASSERT_TRUE(theirs) << theirs.error().text();
    EXPECT_EQ(hex({reinterpret_cast<const unsigned char*>(own->data()), own->size()}),
              hex({reinterpret_cast<const unsigned char*>(theirs->data()), theirs->size()}));
  }
  EXPECT_TRUE(shorter);
}

TEST(Gpg, SignsForP256TheSameEachTime) {
  const Gnupg gnupg;
  const auto key = p256();
  give(gnupg, key, 1);
  const auto signer = open_signer("gpg:" + shown(key), {});
  ASSERT_TRUE(signer) << signer.error().text();
  EXPECT_EQ((*signer)->key(), key.key());
  const auto first = (*signer)->sign(kDocument, kDate);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(*first, (*signer)->sign(kDocument, kDate).value());
}

TEST(Gpg, SignsWithAKeyItMadeItselfAndLooksAfter) {
  const Gnupg gnupg;
  for (const auto* kind : {"ed25519", "nistp256"}) {
    const auto made = gnupg.run(
        "gpg --batch --passphrase '' --faked-system-time 20200101T000000 --quick-generate-key "
        "'" +
        std::string(kind) + " release@example.com' " + kind + " sign never");
    ASSERT_EQ(made.code, 0) << made.text;
    const auto listed = gnupg.run("gpg --batch --with-colons --list-keys " + std::string(kind) +
                                  " 2>/dev/null | sed -n 's/^fpr:*\\([^:]*\\):$/\\1/p'");
    const auto id = listed.text.substr(0, 40);
    const auto signer = open_signer("gpg:" + id, {});
    ASSERT_TRUE(signer) << signer.error().text();
    // A configuration of the user's own changes nothing.
    gnupg.write("home/gpg.conf", "sig-notation a@example.com=b\ndefault-sig-expire 10y\narmor\n");
    const auto signature = (*signer)->sign(kDocument, kDate);
    ASSERT_TRUE(signature) << signature.error().text();
    gnupg.write("home/gpg.conf", "");
    const auto exported = export_from_gpg(id);
    ASSERT_TRUE(exported);
    EXPECT_EQ(gnupg.gpgv(exported->bytes, *signature, kDocument).code, 0);
    // What gpg signs when it is told a mail address names the signer, and is taken too.
    ASSERT_EQ(gnupg
                  .run("gpg --batch --yes --digest-algo " +
                       std::string((*signer)->key().hash == installer::Hash::sha512 ? "SHA512"
                                                                                    : "SHA256") +
                       " -u " + id + "! --sender release@example.com -o out.sig -b document")
                  .code,
              0);
    const auto taken = installer::check_signature("s", gnupg.read("out.sig"), kDocument,
                                                  std::span(&(*signer)->key(), 1));
    EXPECT_TRUE(taken) << taken.error().what;
    (void)gnupg.run("gpg --batch --yes --delete-secret-and-public-key " + id);
  }
}

TEST(Gpg, GivesNoKeyThatExpiresIsRevokedOrCannotSign) {
  const Gnupg gnupg;
  const auto made = [&](const std::string& name, const std::string& how) {
    const auto ran = gnupg.run(
        "gpg --batch --passphrase '' --faked-system-time 20200101T000000 --quick-generate-key " +
        name + " " + how);
    EXPECT_EQ(ran.code, 0) << ran.text;
    return gnupg
        .run("gpg --batch --with-colons --list-keys " + name +
             " 2>/dev/null | sed -n 's/^fpr:*\\([^:]*\\):$/\\1/p'")
        .text.substr(0, 40);
  };
  const auto why = [&](const std::string& id) {
    const auto key = export_from_gpg(id);
    return key ? "taken" : key.error().what.substr(key.error().what.find(": ") + 2);
  };
  EXPECT_EQ(why(made("expires", "ed25519 sign 10y")), "subpacket 9 is not accepted");
  EXPECT_EQ(why(made("rsa", "rsa2048 sign never")),
            "a key is not a version 4 key of Ed25519 or NIST P-256");
  EXPECT_EQ(why(made("certifies", "ed25519 cert never")), "it does not allow the key to sign");
  const auto revoked = made("revoked", "ed25519 sign never");
  const auto ring = export_from_gpg(revoked);
  ASSERT_TRUE(ring) << ring.error().text();
  const auto signature = sign_with_gpg(ring->key, kDocument, kDate);
  ASSERT_TRUE(signature) << signature.error().text();
  ASSERT_EQ(gnupg
                .run("sed 's/^:---/---/' home/openpgp-revocs.d/" + revoked +
                     ".rev | gpg --batch --import")
                .code,
            0);
  EXPECT_EQ(why(revoked), "the key or a name of it is revoked");
  // gpgv takes what such a key signs, with what gpg exports: so no ring may hold it.
  ASSERT_EQ(gnupg.run("gpg --batch --export " + revoked + " > revoked.gpg").code, 0);
  EXPECT_EQ(gnupg.gpgv(gnupg.read("revoked.gpg"), *signature, kDocument).code, 0);
  EXPECT_FALSE(installer::read_ring("r", gnupg.read("revoked.gpg")));
  EXPECT_EQ(export_from_gpg("--version").error().what,
            "'--version' is no fingerprint of 40 hexadecimal digits");
  const auto missing = export_from_gpg(std::string(40, 'a'));
  ASSERT_FALSE(missing);
}

}  // namespace
}  // namespace caisson::signing

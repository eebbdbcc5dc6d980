#include "generator/signing/private_key.h"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "generator/signing/testing.h"
#include "installer/trust/public_key.h"

namespace caisson::signing {
namespace {

using installer::Algorithm;
using testing::Gnupg;

AskPassphrase answer(const std::string& passphrase) {
  return [passphrase](const auto&) -> Result<std::string> { return passphrase; };
}

AskPassphrase nobody() {
  return [](const auto&) -> Result<std::string> { return fail("nobody is there"); };
}

TEST(PrivateKey, IsReadAsItWasWritten) {
  const Gnupg scratch;
  for (const auto algorithm : {Algorithm::ed25519, Algorithm::p256}) {
    for (const std::string passphrase : {"", "correct horse"}) {
      const auto file = scratch.path() / ("key" + std::to_string(static_cast<int>(algorithm)) +
                                          std::to_string(passphrase.size()));
      const auto key = PrivateKey::generate(algorithm);
      ASSERT_TRUE(key.write(file, passphrase));
      EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
      const auto read = PrivateKey::read(file, passphrase.empty() ? nobody() : answer(passphrase));
      ASSERT_TRUE(read) << read.error().text();
      EXPECT_EQ(read->key(), key.key());
      const std::string digest(algorithm == Algorithm::p256 ? 32 : 64, 'd');
      EXPECT_TRUE(installer::verifies(key.key(), digest, read->sign(digest)));
      // openssl reads it as well.
      const auto shown = scratch.run("openssl pkey -noout -in " + file.filename().string() +
                                     " -passin 'pass:" + passphrase + "'");
      EXPECT_EQ(shown.code, 0) << shown.text;
      EXPECT_FALSE(key.write(file, passphrase)) << "a key must never be overwritten";
      if (passphrase.empty()) continue;
      EXPECT_EQ(PrivateKey::read(file, answer("wrong")).error().what,
                "the passphrase does not open " + file.string());
      EXPECT_EQ(PrivateKey::read(file, nobody()).error().what, "nobody is there");
      EXPECT_EQ(scratch.read(file.filename().string()).find("BEGIN PRIVATE"), std::string::npos);
    }
  }
}

TEST(PrivateKey, IsRefusedWhereItIsNoneOrOthersMayReadIt) {
  const Gnupg scratch;
  ASSERT_TRUE(PrivateKey::generate(Algorithm::ed25519).write(scratch.path() / "key", ""));
  std::filesystem::permissions(scratch.path() / "key", std::filesystem::perms(0640));
  EXPECT_EQ(PrivateKey::read(scratch.path() / "key", nobody()).error().what,
            "others may read the private key " + (scratch.path() / "key").string());
  scratch.write("text", "not a key\n");
  EXPECT_EQ(PrivateKey::read(scratch.path() / "text", nobody()).error().what,
            (scratch.path() / "text").string() + " holds no private key in PEM");
  ASSERT_EQ(scratch
                .run("umask 077; openssl genpkey -algorithm RSA -out rsa; openssl genpkey "
                     "-algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384")
                .code,
            0);
  EXPECT_EQ(PrivateKey::read(scratch.path() / "rsa", nobody()).error().what,
            (scratch.path() / "rsa").string() + ": it is neither an Ed25519 nor a P-256 key");
  EXPECT_EQ(PrivateKey::read(scratch.path() / "p384", nobody()).error().what,
            (scratch.path() / "p384").string() + ": it is not on the curve P-256");
  EXPECT_FALSE(PrivateKey::read(scratch.path() / "none", nobody()));
}

}  // namespace
}  // namespace caisson::signing

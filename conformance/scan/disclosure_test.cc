#include "conformance/scan/disclosure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conformance/scan/canary.h"

namespace caisson::conformance {
namespace {

std::vector<Disclosure> look(const std::string& text,
                             const std::vector<KnownSecret>& secrets = {}) {
  DisclosureScan scan(secrets);
  scan.look("file", text);
  return scan.findings();
}

const std::string kBody = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";

TEST(Disclosure, FindsPrivateKeysAsTheyAreWritten) {
  for (const std::string label : {"PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
                                  "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"}) {
    const auto begin = "-----BEGIN " + label + "-----";
    EXPECT_EQ(look("x" + begin + "\n" + kBody + "\n").size(), 1U) << label;
    EXPECT_EQ(look(begin + "\r\nProc-Type: 4,ENCRYPTED\r\n\r\n" + kBody + "\r\n").size(), 1U);
    EXPECT_EQ(look("\"" + begin + "\\n" + kBody + "\\n\"").size(), 1U) << "in JSON";
    // What reads keys holds the first line of them.
    EXPECT_TRUE(look(begin + std::string("\0-----END ", 10) + kBody).empty()) << label;
  }
  EXPECT_TRUE(look("-----BEGIN PUBLIC KEY-----\n" + kBody).empty());
  EXPECT_TRUE(look("-----BEGIN CERTIFICATE-----\n" + kBody).empty());
}

TEST(Disclosure, FindsKeysOfOpenPgpAtTheBeginningAlone) {
  // A version 4 secret key packet of 2024, EdDSA (22).
  const std::string packet("\xc5\x58\x04\x66\x00\x00\x00\x16\x09\x2b\x06\x01\x04\x01\xda\x47\x0f",
                           17);
  EXPECT_EQ(look(packet).size(), 1U);
  EXPECT_TRUE(look("x" + packet).empty());
  const std::string old("\x94\x58\x04\x66\x00\x00\x00\x16\x09\x2b\x06\x01\x04\x01\xda\x47\x0f", 17);
  EXPECT_EQ(look(old).size(), 1U);
  const std::string is_public(
      "\x98\x33\x04\x66\x00\x00\x00\x16\x09\x2b\x06\x01\x04\x01\xda\x47\x0f", 17);
  EXPECT_TRUE(look(is_public).empty());
}

TEST(Disclosure, FindsCanaries) {
  const auto canary = make_canary("r1", "globex", "row");
  EXPECT_EQ(look("{\"a\":\"" + canary.text + "\"}").size(), 1U);
  EXPECT_TRUE(look("CAISSON-run-tenant-sink-nonce and CAISSON-").empty());
}

TEST(Disclosure, FindsSecretsInEveryForm) {
  const std::vector<KnownSecret> secrets{{"short", "hunter2"}, {"long", "0123456789abcdefXYZ\n"}};
  EXPECT_EQ(look("..0123456789abcdefXYZ..", secrets).size(), 1U);
  EXPECT_EQ(look("MDEyMzQ1Njc4OWFiY2RlZlhZWg==", secrets).size(), 1U) << "base64";
  EXPECT_TRUE(look("hunter2 0123456789abcdef", secrets).empty());
  EXPECT_EQ(needle_of("hunter2"), "");
}

}  // namespace
}  // namespace caisson::conformance

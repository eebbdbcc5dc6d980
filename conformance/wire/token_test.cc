#include "conformance/wire/token.h"

#include <array>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "base/digest.h"

namespace caisson::conformance {
namespace {

std::string decode(std::string text) {
  for (char& c : text) {
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  const std::size_t padding = (4 - text.size() % 4) % 4;
  text.append(padding, '=');
  std::string out(text.size(), '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

TEST(SigningKey, SurvivesPem) {
  for (const Algorithm algorithm : {Algorithm::ed_dsa, Algorithm::es256, Algorithm::rs256}) {
    const auto key = SigningKey::generate(algorithm);
    ASSERT_TRUE(key);
    const auto again = SigningKey::from_pem(key->private_pem());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->algorithm(), algorithm);
    EXPECT_EQ(again->public_pem(), key->public_pem());
    EXPECT_NE(key->public_pem().find("BEGIN PUBLIC KEY"), std::string::npos);
  }
  EXPECT_FALSE(SigningKey::from_pem("nonsense"));
}

TEST(SigningKey, Ed25519SignaturesVerify) {
  const auto key = SigningKey::generate(Algorithm::ed_dsa);
  const auto signature = key->sign("message");
  ASSERT_TRUE(signature);
  EXPECT_TRUE(verify_ed25519(key->public_raw(), "message", *signature));
  EXPECT_FALSE(verify_ed25519(key->public_raw(), "massage", *signature));
}

TEST(SignToken, HasThreePartsAndTheRightSignatureSize) {
  for (const auto& [algorithm, size] :
       {std::pair{Algorithm::ed_dsa, 64}, {Algorithm::es256, 64}, {Algorithm::rs256, 256}}) {
    const auto key = SigningKey::generate(algorithm);
    const auto token = sign_token(R"({"alg":"x"})", R"({"tid":"a"})", *key);
    ASSERT_TRUE(token);
    const auto first = token->find('.');
    const auto second = token->rfind('.');
    EXPECT_EQ(decode(token->substr(0, first)), R"({"alg":"x"})");
    EXPECT_EQ(decode(token->substr(first + 1, second - first - 1)), R"({"tid":"a"})");
    EXPECT_EQ(decode(token->substr(second + 1)).size(), static_cast<std::size_t>(size));
  }
}

TEST(SignToken, Hs256MatchesRfc7515AppendixA1) {
  const std::string key = decode(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  EXPECT_EQ(sign_token_hs256("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}",
                             "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                             "\"http://example.com/is_root\":true}",
                             key),
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ij"
            "p0cnVlfQ."
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

TEST(Sha256, MatchesTheStandard) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace caisson::conformance

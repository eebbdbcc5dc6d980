#include "runtime/ingress/keys.h"

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "base/base64url.h"
#include "runtime/ingress/test_tokens.h"

namespace caisson::ingress {
namespace {

using context::Algorithm;
const std::set<Algorithm> every_algorithm{Algorithm::eddsa, Algorithm::es256, Algorithm::rs256,
                                          Algorithm::hs256};

std::string decoded(std::string_view text) { return decode_base64url(text).value(); }

// RFC 7515 appendices A.1 to A.3 sign this payload.
constexpr std::string_view payload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";

void expect_vector(const Result<VerificationKey>& key, const std::string& text,
                   std::string_view signature) {
  ASSERT_TRUE(key) << key.error().text();
  std::string bytes = decoded(signature);
  EXPECT_TRUE(key->verify(text, bytes));
  EXPECT_FALSE(key->verify(text + "x", bytes));
  bytes.back() ^= 1;
  EXPECT_FALSE(key->verify(text, bytes));
  EXPECT_FALSE(key->verify(text, ""));
}

TEST(VerificationKey, AcceptsTheHmacOfRfc7515) {
  expect_vector(VerificationKey::secret(
                    decoded("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcg"
                            "UuTwjAzZr1Z9CAow")),
                "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + std::string(payload),
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

TEST(VerificationKey, AcceptsTheRsaSignatureOfRfc7515) {
  expect_vector(
      VerificationKey::rsa(
          decoded(
              "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEz"
              "P1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf6"
              "3kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5Zw"
              "Kh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRW"
              "yuXpoQ"),
          decoded("AQAB")),
      "eyJhbGciOiJSUzI1NiJ9." + std::string(payload),
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
      "O8W2Fp5jujGbds9uJdbF9CU"
      "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
      "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d"
      "O--xi12jzDwusC-"
      "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0i"
      "g"
      "cN_IoypGlUPQGe77Rw");
}

TEST(VerificationKey, AcceptsTheEcdsaSignatureOfRfc7515) {
  expect_vector(
      VerificationKey::p256(decoded("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
                            decoded("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")),
      "eyJhbGciOiJFUzI1NiJ9." + std::string(payload),
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
}

TEST(VerificationKey, AcceptsTheEddsaSignatureOfRfc8037) {
  expect_vector(
      VerificationKey::ed25519(decoded("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")),
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
}

TEST(VerificationKey, RefusesWeakAndForeignKeys) {
  const std::string zeros(32, '\0');
  EXPECT_FALSE(VerificationKey::p256(zeros, zeros)) << "not on the curve";
  EXPECT_FALSE(VerificationKey::p256(zeros.substr(1), zeros));
  EXPECT_FALSE(VerificationKey::ed25519(zeros.substr(1)));
  EXPECT_FALSE(VerificationKey::secret(std::string(31, 'x')));
  EXPECT_FALSE(VerificationKey::rsa(std::string(128, '\xFF'), "\x01\x00\x01")) << "1024 bits";
  EXPECT_FALSE(VerificationKey::rsa(std::string(256, '\xFF'), "\x01"));
  EXPECT_FALSE(VerificationKey::from_pem("hello"));
  EXPECT_FALSE(VerificationKey::secret(TestSigner(Algorithm::rs256).key_file()))
      << "a public key is no secret";
}

TEST(VerificationKey, RefusesTrivialEcdsaSignatures) {
  const TestSigner signer(Algorithm::es256);
  const auto key = VerificationKey::from_pem(signer.key_file());
  ASSERT_TRUE(key);
  EXPECT_FALSE(key->verify("text", std::string(64, '\0'))) << "r = s = 0 (CVE-2022-21449)";
  EXPECT_FALSE(key->verify("text", std::string(64, '\xFF')));
  EXPECT_TRUE(key->verify("text", signer.signature("text")));
  EXPECT_FALSE(key->verify("text", signer.signature("text") + "x"));
}

TEST(ParseJwks, TakesEveryKind) {
  boost::json::array list;
  std::vector<TestSigner> signers;
  for (const Algorithm algorithm : every_algorithm) {
    signers.emplace_back(algorithm);
    list.push_back(signers.back().jwk(std::string(name(algorithm))));
  }
  const auto keys =
      parse_jwks(boost::json::serialize(boost::json::object{{"keys", list}}), every_algorithm);
  ASSERT_TRUE(keys) << keys.error().text();
  ASSERT_EQ(keys->keys().size(), 4);
  for (const TestSigner& signer : signers) {
    const VerificationKey* key =
        keys->find(signer.algorithm(), std::string(name(signer.algorithm())));
    ASSERT_NE(key, nullptr);
    EXPECT_TRUE(key->verify("text", signer.signature("text")));
    EXPECT_EQ(keys->find(signer.algorithm(), "other"), nullptr);
  }
}

TEST(ParseJwks, RefusesDefects) {
  const boost::json::object good = TestSigner(Algorithm::eddsa).jwk("a");
  const auto with = [&](std::string_view key, boost::json::value value) {
    boost::json::object changed = good;
    changed[key] = std::move(value);
    const auto text =
        boost::json::serialize(boost::json::object{{"keys", boost::json::array{changed}}});
    const auto keys = parse_jwks(text, every_algorithm);
    return keys ? std::string("fine") : keys.error().what;
  };
  EXPECT_EQ(with("x5t", "whatever"), "fine");
  EXPECT_EQ(with("d", "secret"),
            "key 0 of the key set: is a private key; give the runtime the public part alone");
  EXPECT_EQ(with("x", "AAAA"), "key 0 of the key set: an Ed25519 key must have 32 bytes");
  EXPECT_EQ(with("kid", boost::json::string(257, 'k')),
            "key 0 of the key set: 'kid' is longer than 256 bytes");
  for (const auto& [key, value] :
       {std::pair{"use", "enc"}, {"alg", "RS256"}, {"kty", "XYZ"}, {"crv", "X25519"}}) {
    EXPECT_EQ(with(key, value), "the key set has no key of an allowed algorithm") << key;
  }
  EXPECT_FALSE(parse_jwks("{}", every_algorithm));
  EXPECT_FALSE(parse_jwks("[]", every_algorithm));
  EXPECT_FALSE(parse_jwks(R"({"keys":[{"kty":"oct","k":"AA","k":"AA"}]})", every_algorithm));
  EXPECT_FALSE(
      parse_jwks(boost::json::serialize(boost::json::object{{"keys", boost::json::array{good}}}),
                 {Algorithm::rs256}))
      << "an algorithm that is not allowed";
}

TEST(KeySet, NeverPicksBetweenKeys) {
  const auto key = [](std::string id) {
    auto made = VerificationKey::from_pem(TestSigner(Algorithm::eddsa).key_file());
    made->set_id(std::move(id));
    return *made;
  };
  const KeySet two({key("a"), key("b")});
  EXPECT_EQ(two.find(Algorithm::eddsa, std::nullopt), nullptr);
  EXPECT_NE(two.find(Algorithm::eddsa, "a"), nullptr);
  EXPECT_EQ(two.find(Algorithm::es256, "a"), nullptr) << "the key pins the algorithm";
  const KeySet same({key("a"), key("a")});
  EXPECT_EQ(same.find(Algorithm::eddsa, "a"), nullptr);
  const KeySet anonymous({key("")});
  EXPECT_NE(anonymous.find(Algorithm::eddsa, "../../etc/passwd"), nullptr)
      << "a key id is compared, never used";
}

RC_GTEST_PROP(Base64url, ReadsBackWhatItWrote, (const std::string& bytes)) {
  RC_ASSERT(decode_base64url(encode_base64url(bytes)) == bytes);
}

RC_GTEST_PROP(Base64url, HasOneSpelling, ()) {
  const auto text =
      *rc::gen::container<std::string>(rc::gen::elementOf(std::string("AQgw-_=+/Zz09.")));
  const auto bytes = decode_base64url(text);
  if (bytes) RC_ASSERT(encode_base64url(*bytes) == text);
}

}  // namespace
}  // namespace caisson::ingress

#include "runtime/ingress/jwt.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "base/base64url.h"
#include "base/digest.h"
#include "base/uuid.h"
#include "runtime/ingress/test_tokens.h"

namespace caisson::ingress {
namespace {

namespace fs = std::filesystem;
using boost::json::object;
using context::Algorithm;

constexpr std::int64_t now_s = 1'700'000'000;

context::TokenSettings settings(Algorithm algorithm, std::int64_t leeway_ms = 0) {
  return {.issuer = "https://id.example",
          .audience = "acme",
          .key_file = {},
          .jwks_file = {},
          .algorithms = {algorithm},
          .tenant_claim = "tid",
          .leeway_ms = leeway_ms};
}

object claims() {
  return {{"iss", "https://id.example"},
          {"aud", "acme"},
          {"sub", "u1"},
          {"tid", "globex"},
          {"exp", now_s + 60}};
}

KeySet keys_of(const TestSigner& signer) {
  auto key = signer.algorithm() == Algorithm::hs256 ? VerificationKey::secret(signer.key_file())
                                                    : VerificationKey::from_pem(signer.key_file());
  return KeySet({std::move(key.value())});
}

/// An issuer and a verifier that know each other.
struct Pair {
  explicit Pair(Algorithm algorithm, std::int64_t leeway_ms = 0)
      : signer(algorithm), keys(keys_of(signer)), rules(settings(algorithm, leeway_ms)) {}

  [[nodiscard]] std::string verdict(std::string_view token,
                                    std::int64_t now_ms = now_s * 1000) const {
    const auto verified = verify_token(token, keys, rules, now_ms);
    return verified ? "accepted" : std::string(verified.error());
  }
  [[nodiscard]] std::string verdict(const object& with) const { return verdict(signer.sign(with)); }
  [[nodiscard]] std::string verdict_of_header(std::string_view header) const {
    return verdict(signer.sign(header, boost::json::serialize(claims())));
  }

  TestSigner signer;
  KeySet keys;
  context::TokenSettings rules;
};

class EveryAlgorithm : public testing::TestWithParam<Algorithm> {};

TEST_P(EveryAlgorithm, AcceptsAToken) {
  const Pair pair(GetParam());
  object with = claims();
  with["scope"] = "read  admin";
  with["iat"] = now_s - 5;
  const auto token = verify_token(pair.signer.sign(with), pair.keys, pair.rules, now_s * 1000);
  ASSERT_TRUE(token) << token.error();
  EXPECT_EQ(token->tenant, "globex");
  EXPECT_EQ(token->caller->subject, "u1");
  EXPECT_EQ(token->caller->scopes, (std::vector<std::string>{"read", "admin"}));
  EXPECT_EQ(token->expires_ms, (now_s + 60) * 1000);
  EXPECT_EQ(token->issued_ms, (now_s - 5) * 1000);
}

TEST_P(EveryAlgorithm, RefusesAnotherIssuersKey) {
  const Pair pair(GetParam());
  if (GetParam() == Algorithm::hs256) return;  // its test secret is the same every time
  EXPECT_EQ(pair.verdict(TestSigner(GetParam()).sign(claims())),
            "the signature is not of an accepted key");
}

TEST_P(EveryAlgorithm, RefusesAnyChangedCharacter) {
  const Pair pair(GetParam());
  const std::string good = pair.signer.sign(claims());
  ASSERT_EQ(pair.verdict(good), "accepted");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_NE(pair.verdict(changed), "accepted") << i;
    changed = good;
    changed.erase(i, 1);
    EXPECT_NE(pair.verdict(changed), "accepted") << i;
  }
  EXPECT_NE(pair.verdict(good + "="), "accepted");
  EXPECT_NE(pair.verdict(good + "."), "accepted");
  EXPECT_NE(pair.verdict(" " + good), "accepted");
}

TEST_P(EveryAlgorithm, TakesNoOtherAlgorithmsName) {
  const Pair pair(GetParam());
  for (const char* other :
       {"none", "None", "NONE", "nOnE", "", "HS256", "RS256", "ES256", "EdDSA", "HS384", "PS256"}) {
    if (name(GetParam()) == std::string_view(other)) continue;
    const std::string header = R"({"alg":")" + std::string(other) + R"("})";
    EXPECT_EQ(pair.verdict_of_header(header), "the signature is not of an accepted key") << other;
    // The same without a signature.
    const std::string token =
        encode_base64url(header) + "." + encode_base64url(boost::json::serialize(claims())) + ".";
    EXPECT_EQ(pair.verdict(token), "the signature is not of an accepted key") << other;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryAlgorithm,
                         testing::Values(Algorithm::eddsa, Algorithm::es256, Algorithm::rs256,
                                         Algorithm::hs256),
                         [](const auto& one) { return std::string(name(one.param)); });

TEST(VerifyToken, RefusesAPublicKeyAsASecret) {
  const TestSigner rsa(Algorithm::rs256);
  const KeySet keys = keys_of(rsa);
  context::TokenSettings both = settings(Algorithm::rs256);
  both.algorithms.insert(Algorithm::hs256);
  const std::string text = encode_base64url(R"({"alg":"HS256"})") + "." +
                           encode_base64url(boost::json::serialize(claims()));
  // What a confused verifier would compute, with and without the line feed at the end of the file.
  for (const std::string& pem :
       {rsa.key_file(), rsa.key_file().substr(0, rsa.key_file().size() - 1)}) {
    const std::string token = text + "." + encode_base64url(bytes_of(hmac_sha256(pem, text)));
    EXPECT_FALSE(verify_token(token, keys, both, now_s * 1000));
  }
}

TEST(VerifyToken, RefusesHeadersThatLeadAstray) {
  const Pair pair(Algorithm::eddsa);
  EXPECT_EQ(pair.verdict_of_header(R"({"alg":"EdDSA"})"), "accepted");
  EXPECT_EQ(
      pair.verdict_of_header(R"({"alg":"EdDSA","typ":"at+JWT","kid":"k","x5t":"a","cty":"b"})"),
      "accepted");
  for (const char* member :
       {R"("jwk":{})", R"("jku":"https://evil")", R"("x5c":[])", R"("x5u":"https://evil")",
        R"("crit":["exp"])", R"("crit":[])", R"("zip":"DEF")"}) {
    EXPECT_EQ(pair.verdict_of_header(R"({"alg":"EdDSA",)" + std::string(member) + "}"),
              "the header brings a key or an extension of its own");
  }
  EXPECT_EQ(pair.verdict_of_header(R"({"alg":"none","alg":"EdDSA"})"),
            "a part is no JSON object with unique keys");
  EXPECT_EQ(pair.verdict_of_header(R"({"typ":"JWT"})"), "the header names no algorithm");
  EXPECT_EQ(pair.verdict_of_header(R"({"alg":["EdDSA"]})"), "the header names no algorithm");
  EXPECT_EQ(pair.verdict_of_header(R"({"alg":"EdDSA","typ":"secevent+jwt"})"),
            "the header names another type of token");
  EXPECT_EQ(pair.verdict_of_header(R"({"alg":"EdDSA","kid":7})"), "the key id is unusable");
  EXPECT_EQ(pair.verdict_of_header(R"({"alg":"EdDSA","kid":")" + std::string(257, 'k') + R"("})"),
            "the key id is unusable");
  for (const char* id : {"../../../dev/null", "' OR 1=1 --", "a\\u0000b", "|/bin/sh"}) {
    EXPECT_EQ(pair.verdict_of_header(R"({"alg":"EdDSA","kid":")" + std::string(id) + R"("})"),
              "accepted")
        << "the only key has no id, and an id is compared alone";
  }
  EXPECT_EQ(pair.verdict_of_header(R"([])"), "a part is no JSON object with unique keys");
}

TEST(VerifyToken, ChecksEveryClaim) {
  const Pair pair(Algorithm::eddsa);
  const auto with = [&](std::string_view key, boost::json::value value) {
    object changed = claims();
    changed[key] = std::move(value);
    return pair.verdict(changed);
  };
  EXPECT_EQ(with("iss", "https://id.example/"), "another issuer");
  EXPECT_EQ(with("iss", nullptr), "another issuer");
  EXPECT_EQ(with("aud", "other"), "another audience");
  EXPECT_EQ(with("aud", boost::json::array{"other", "acme"}), "accepted");
  EXPECT_EQ(with("aud", boost::json::array{"acme", 1}), "another audience");
  EXPECT_EQ(with("aud", boost::json::array{}), "another audience");
  EXPECT_EQ(with("tid", ""), "it names no tenant");
  EXPECT_EQ(with("tid", boost::json::array{"globex"}), "it names no tenant");
  EXPECT_EQ(with("exp", "tomorrow"), "a time is unusable");
  EXPECT_EQ(with("exp", 1e300), "a time is unusable");
  EXPECT_EQ(with("exp", now_s + 0.5), "accepted");
  EXPECT_EQ(with("nbf", now_s), "accepted");
  EXPECT_EQ(with("nbf", now_s + 1), "it has expired or does not hold yet");
  EXPECT_EQ(with("iat", now_s + 1), "it has expired or does not hold yet");
  EXPECT_EQ(with("scope", boost::json::array{"read"}), "the scope is unusable");
  for (const auto& [key, reason] : {std::pair{"iss", "another issuer"},
                                    {"aud", "another audience"},
                                    {"exp", "it never expires"},
                                    {"tid", "it names no tenant"}}) {
    object without = claims();
    without.erase(key);
    EXPECT_EQ(pair.verdict(without), reason);
  }
  EXPECT_EQ(
      pair.verdict(pair.signer.sign(R"({"alg":"EdDSA"})", R"({"tid":"globex","tid":"initech"})")),
      "a part is no JSON object with unique keys");
}

TEST(VerifyToken, KeepsTheClock) {
  const Pair strict(Algorithm::eddsa);
  const std::string token = strict.signer.sign(claims());
  EXPECT_EQ(strict.verdict(token, (now_s + 60) * 1000 - 1), "accepted");
  EXPECT_EQ(strict.verdict(token, (now_s + 60) * 1000), "it has expired or does not hold yet");
  const Pair lenient(Algorithm::eddsa, 5000);
  const std::string other = lenient.signer.sign(claims());
  EXPECT_EQ(lenient.verdict(other, (now_s + 65) * 1000 - 1), "accepted");
  EXPECT_EQ(lenient.verdict(other, (now_s + 65) * 1000), "it has expired or does not hold yet");
}

TEST(VerifyToken, RefusesWhatIsTooLong) {
  const Pair pair(Algorithm::hs256);
  object with = claims();
  with["x"] = std::string(6000, 'x');
  EXPECT_EQ(pair.verdict(with), "it is too long");
}

/// Tokens made by programs that share no code with the verifier: python3's hmac and the openssl
/// command.
class MadeElsewhere : public testing::TestWithParam<Algorithm> {
 protected:
  MadeElsewhere() : directory_(fs::temp_directory_path() / ("caisson-jwt-" + new_uuid(0))) {
    fs::create_directory(directory_);
  }
  ~MadeElsewhere() override { fs::remove_all(directory_); }

  void run(const std::string& command) const {
    ASSERT_EQ(
        std::system(("cd " + directory_.string() + " && { " + command + "; } >out 2>err").c_str()),
        0)
        << command << "\n"
        << read("err");
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream in(directory_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void write(const std::string& name, std::string_view text) const {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }

  fs::path directory_;
};

/// `r || s` of a DER signature as the openssl command writes it.
std::string raw_signature(const std::string& der) {
  std::string raw;
  std::size_t at = 2;
  for (int i = 0; i < 2; ++i) {
    const auto size = static_cast<std::size_t>(der.at(at + 1));
    std::string number = der.substr(at + 2, size);
    at += 2 + size;
    number.erase(0, number.size() > 32 ? number.size() - 32 : 0);
    raw += std::string(32 - number.size(), '\0') + number;
  }
  return raw;
}

TEST_P(MadeElsewhere, IsAccepted) {
  const std::string text =
      encode_base64url(R"({"alg":")" + std::string(name(GetParam())) + R"("})") + "." +
      encode_base64url(boost::json::serialize(claims()));
  write("text", text);
  switch (GetParam()) {
    case Algorithm::hs256:
      write("key", std::string(32, 'k'));
      run("python3 -c \"import hmac,sys;sys.stdout.buffer.write(hmac.new(open('key','rb').read(),"
          "open('text','rb').read(),'sha256').digest())\" > signature");
      break;
    case Algorithm::eddsa:
      run("openssl genpkey -algorithm ed25519 -out private && openssl pkey -in private -pubout "
          "-out key && "
          "openssl pkeyutl -sign -rawin -inkey private -in text -out signature");
      break;
    case Algorithm::es256:
      run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out private && "
          "openssl pkey -in private -pubout -out key && openssl dgst -sha256 -sign private -out "
          "signature text");
      break;
    case Algorithm::rs256:
      run("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out private && "
          "openssl pkey -in private -pubout -out key && openssl dgst -sha256 -sign private -out "
          "signature text");
      break;
  }
  std::string signature = read("signature");
  ASSERT_FALSE(signature.empty());
  if (GetParam() == Algorithm::es256) signature = raw_signature(signature);
  fs::permissions(directory_ / "key", fs::perms::owner_read | fs::perms::owner_write);

  context::TokenSettings rules = settings(GetParam());
  rules.key_file = directory_ / "key";
  const auto keys = load_keys(rules);
  ASSERT_TRUE(keys) << keys.error().text();
  const auto token =
      verify_token(text + "." + encode_base64url(signature), *keys, rules, now_s * 1000);
  ASSERT_TRUE(token) << token.error();
  EXPECT_EQ(token->tenant, "globex");
}

INSTANTIATE_TEST_SUITE_P(All, MadeElsewhere,
                         testing::Values(Algorithm::eddsa, Algorithm::es256, Algorithm::rs256,
                                         Algorithm::hs256),
                         [](const auto& one) { return std::string(name(one.param)); });

}  // namespace
}  // namespace caisson::ingress

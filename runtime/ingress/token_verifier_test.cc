#include "runtime/ingress/token_verifier.h"

#include <filesystem>
#include <fstream>

#include <boost/json/serialize.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/uuid.h"
#include "runtime/ingress/test_tokens.h"

namespace caisson::ingress {
namespace {

namespace fs = std::filesystem;
using boost::json::object;
using context::Algorithm;

class Verifier : public testing::Test {
 protected:
  Verifier() : directory_(fs::temp_directory_path() / ("caisson-verifier-" + new_uuid(0))) {
    fs::create_directory(directory_);
  }
  ~Verifier() override {
    fs::remove_all(directory_);
    ::close(null_);
  }

  void write_jwks(const boost::json::array& keys) const {
    std::ofstream(directory_ / "jwks.json.new") << boost::json::serialize(object{{"keys", keys}});
    fs::rename(directory_ / "jwks.json.new", directory_ / "jwks.json");
  }
  [[nodiscard]] Result<std::unique_ptr<TokenVerifier>> open(std::size_t cache = 4096) const {
    return TokenVerifier::open({.issuer = "i",
                                .audience = "a",
                                .key_file = {},
                                .jwks_file = directory_ / "jwks.json",
                                .algorithms = {Algorithm::eddsa, Algorithm::es256},
                                .tenant_claim = "tid",
                                .leeway_ms = 0},
                               clock_, log_, cache);
  }
  [[nodiscard]] std::string token(const TestSigner& signer, const std::string& tenant = "globex",
                                  int seconds = 60) const {
    return signer.sign(object{
        {"iss", "i"}, {"aud", "a"}, {"tid", tenant}, {"exp", clock_.unix_ms() / 1000 + seconds}});
  }

  fs::path directory_;
  ManualClock clock_;
  int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  observe::Log log_{null_, observe::Level::error, "test", clock_};
};

TEST_F(Verifier, RemembersATokenUntilItExpires) {
  const TestSigner signer(Algorithm::eddsa);
  write_jwks({signer.jwk("k")});
  const auto verifier = open().value();
  const std::string text = token(signer);
  const auto first = verifier->verify(text);
  const auto second = verifier->verify(text);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second) << "the same token is verified once";
  clock_.advance_ms(59'999);
  EXPECT_TRUE(verifier->verify(text));
  clock_.advance_ms(1);
  EXPECT_FALSE(verifier->verify(text));
  clock_.set_unix_ms(clock_.unix_ms() - 10);
  EXPECT_TRUE(verifier->verify(text)) << "a refused token is not remembered as refused";
}

TEST_F(Verifier, NeverMixesTokens) {
  const TestSigner signer(Algorithm::eddsa);
  write_jwks({signer.jwk("k")});
  const auto verifier = open(16).value();
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100; ++i) {
      const std::string tenant = "t" + std::to_string(i);
      const auto verified = verifier->verify(token(signer, tenant));
      ASSERT_TRUE(verified);
      EXPECT_EQ((*verified)->tenant, tenant);
    }
  }
  std::string forged = token(signer, "t1");
  forged.back() = forged.back() == 'A' ? 'Q' : 'A';
  EXPECT_FALSE(verifier->verify(forged));
}

TEST_F(Verifier, FollowsARotationOfKeys) {
  const TestSigner before(Algorithm::eddsa);
  const TestSigner after(Algorithm::es256);
  write_jwks({before.jwk("old")});
  const auto verifier = open().value();
  const std::string old_token = token(before);
  EXPECT_TRUE(verifier->verify(old_token));
  EXPECT_FALSE(verifier->verify(token(after)));

  write_jwks({before.jwk("old"), after.jwk("new")});
  clock_.advance_ms(1000);
  EXPECT_TRUE(verifier->verify(token(after)));
  EXPECT_TRUE(verifier->verify(old_token));

  write_jwks({after.jwk("new")});
  clock_.advance_ms(1000);
  EXPECT_FALSE(verifier->verify(old_token)) << "a remembered token dies with its key";
  EXPECT_TRUE(verifier->verify(token(after)));
}

TEST_F(Verifier, KeepsItsKeysWhenTheFileBreaks) {
  const TestSigner signer(Algorithm::eddsa);
  write_jwks({signer.jwk("k")});
  const auto verifier = open().value();
  std::ofstream(directory_ / "jwks.json") << "{";
  clock_.advance_ms(1000);
  EXPECT_TRUE(verifier->verify(token(signer)));
  fs::remove(directory_ / "jwks.json");
  clock_.advance_ms(1000);
  EXPECT_TRUE(verifier->verify(token(signer)));
}

TEST_F(Verifier, DoesNotStartWithoutKeys) {
  EXPECT_FALSE(open());
  write_jwks({});
  EXPECT_FALSE(open());
}

TEST(TokenCache, IsBounded) {
  TokenCache cache(64);
  for (int i = 0; i < 10'000; ++i)
    cache.put(sha256(std::to_string(i)), 1, std::make_shared<const Token>());
  EXPECT_LE(cache.size(), 64);
  EXPECT_NE(cache.find(sha256("9999"), 1), nullptr);
  EXPECT_EQ(cache.find(sha256("9999"), 2), nullptr) << "other keys";
  EXPECT_EQ(cache.find(sha256("0"), 1), nullptr);
}

}  // namespace
}  // namespace caisson::ingress

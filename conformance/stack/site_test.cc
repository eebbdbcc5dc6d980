#include "conformance/stack/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

/// A folder with a token and certificates, and what is in a right site.json beside them.
class Site : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_);
    ASSERT_TRUE(write_file(folder_ / "token", "0123456789abcdef0123456789abcdef\n", 0600));
    ASSERT_TRUE(write_file(folder_ / "ca.pem", "certificates\n", 0600));
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string refusal(const std::string& text) const {
    const auto site = parse_site(text, folder_);
    return site ? "accepted" : site.error().what;
  }

  /// The right one with `from` replaced.
  [[nodiscard]] static std::string with(const std::string& from, const std::string& to) {
    std::string text = right;
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  }

  static constexpr auto right = R"({
    "format": "caisson-site/1", "deployment": "acme", "target": "systemd",
    "runtimes": [ { "name": "runtime", "data": "unix:/run/acme/runtime/data.sock",
                    "operator": "http://127.0.0.1:9090", "operator-token-file": "token",
                    "metrics": "http://[::1]:9091" } ],
    "edge": { "url": "https://127.0.0.1:443", "server-name": "acme.example", "ca-file": "ca.pem" },
    "dashboard": "http://localhost:3000" })";
  const fs::path folder_ = fs::temp_directory_path() / ("caisson-site-" + std::to_string(getpid()));
};

TEST_F(Site, IsReadWithPathsBesideIt) {
  const auto site = parse_site(right, folder_);
  ASSERT_TRUE(site) << site.error().what;
  EXPECT_EQ(site->deployment, "acme");
  EXPECT_EQ(site->target, "systemd");
  ASSERT_EQ(site->runtimes.size(), 1U);
  EXPECT_EQ(site->runtimes[0].data.socket, "/run/acme/runtime/data.sock");
  EXPECT_EQ(site->runtimes[0].operator_api.port, 9090);
  EXPECT_EQ(site->runtimes[0].metrics->host, "::1");
  EXPECT_EQ(site->runtimes[0].operator_token_file, folder_ / "token");
  EXPECT_TRUE(site->edge->tls);
  EXPECT_EQ(site->edge->server_name, "acme.example");
  EXPECT_EQ(site->edge->ca_file, (folder_ / "ca.pem").string());
  EXPECT_EQ(site->dashboard->port, 3000);
}

TEST_F(Site, TellsEveryDefectWithItsPlace) {
  const std::string told = refusal(R"({"format": "2", "deployment": "../x", "target": "moon",
    "runtimes": [ {"name": "", "data": "ftp://x:1", "operator": "http://127.0.0.1:0",
                   "operator-token-file": "gone", "metrics": 7, "more": 1} ],
    "edge": {"url": "https://192.0.2.1:443"}, "extra": true})");
  for (const char* pointer :
       {"/format must be", "/deployment must be", "/target must be", "/runtimes/0/name must be",
        "/runtimes/0/data must be", "/runtimes/0/operator must be",
        "/runtimes/0/operator-token-file must be", "/runtimes/0/metrics must be",
        "/runtimes/0/more is no member", "/edge/ca-file is missing", "/extra is no member"}) {
    EXPECT_THAT(told, HasSubstr(pointer));
  }
  EXPECT_THAT(told, HasSubstr("has 11 defects"));
}

TEST_F(Site, RefusesWhatIsNoSite) {
  EXPECT_THAT(refusal("[]"), HasSubstr("/ must be an object"));
  EXPECT_THAT(refusal("{"), HasSubstr("is no JSON"));
  EXPECT_THAT(refusal("{}"), HasSubstr("/runtimes must be a list"));
  EXPECT_THAT(refusal(std::string((1U << 20U) + 1, ' ')), HasSubstr("is larger than"));
  for (const char* address : {"http://example.org:80", "http://127.0.0.1", "http://127.0.0.1:80/x",
                              "http://127.0.0.1:65536", "https://127.0.0.1:80", "unix:relative",
                              "http://u:p@127.0.0.1:80", "127.0.0.1:80"}) {
    EXPECT_THAT(refusal(with("http://127.0.0.1:9090", address)),
                HasSubstr("/runtimes/0/operator must be"))
        << address;
  }
  EXPECT_THAT(refusal(with("unix:/run/acme/runtime/data.sock", "unix:/" + std::string(107, 'x'))),
              HasSubstr("/runtimes/0/data must be"));
  EXPECT_THAT(refusal(with("https://127.0.0.1:443", "http://127.0.0.1:80")),
              HasSubstr("/edge/ca-file belongs to"));
}

TEST_F(Site, NeverRepeatsATokenThatStandsWhereItsFileBelongs) {
  const std::string token = "a-token-that-nobody-may-see-0123456789";
  const std::string told = refusal(with("\"token\"", "\"" + token + "\""));
  EXPECT_THAT(told, HasSubstr("/runtimes/0/operator-token-file must be"));
  EXPECT_THAT(told, Not(HasSubstr(token)));
}

TEST_F(Site, ATokenFileHoldsOneLine) {
  ASSERT_TRUE(write_file(folder_ / "site.json", right, 0600));
  const auto stack = read_site(folder_ / "site.json");
  ASSERT_TRUE(stack) << stack.error().text();
  EXPECT_EQ(stack->instance("runtime")->operator_token, "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(stack->attached, (folder_ / "site.json").string());
  ASSERT_TRUE(write_file(folder_ / "token", "one\ntwo\n", 0600));
  const auto broken = read_site(folder_ / "site.json");
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().text(), HasSubstr("does not hold a token"));
}

}  // namespace
}  // namespace caisson::conformance

#include "runtime/ingress/gate.h"

#include <filesystem>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "runtime/ingress/test_request.h"

namespace caisson::ingress {
namespace {

namespace fs = std::filesystem;
using observe::Code;
using testing::HasSubstr;

class Gating : public testing::Test {
 protected:
  Gating() : path_(fs::temp_directory_path() / ("caisson-gate-" + new_uuid(0))) {
    configuration_.domain = "acme.localhost";
    audit_ = observe::Audit::open(path_, clock_, log_, metrics_).value();
    gate_ = std::make_unique<Gate>(resolver_, limiter_, *audit_, metrics_);
    tenancy::Tenant tenant = *directory_.add("globex");
    tenant.limits = {.requests_per_second = 1, .burst = 2, .concurrent = 1, .body_bytes = 10};
    directory_.put(tenant);
    key_ = directory_.add_key(tenant);
  }
  ~Gating() override {
    audit_.reset();
    fs::remove_all(path_);
    ::close(null_);
  }

  [[nodiscard]] tl::expected<Admitted, Turned> admit(const TestRequest& request) {
    return gate_->admit(request.make(), "r-" + std::to_string(++requests_));
  }
  /// The last audit record.
  [[nodiscard]] boost::json::object recorded() {
    const auto records = audit_->refusals().query({.limit = 1000});
    return records.empty() ? boost::json::object() : boost::json::parse(records.back()).as_object();
  }
  static std::string field(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.fields) {
      if (key == name) return value;
    }
    return "";
  }

  fs::path path_;
  ManualClock clock_;
  int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  observe::Log log_{null_, observe::Level::error, "test", clock_};
  observe::Metrics metrics_{"test", "0"};
  context::Configuration configuration_;
  TestDirectory directory_;
  Resolver resolver_{configuration_, directory_, nullptr, clock_};
  policy::Limiter limiter_{clock_};
  std::unique_ptr<observe::Audit> audit_;
  std::unique_ptr<Gate> gate_;
  std::string key_;
  int requests_ = 0;
};

TEST_F(Gating, AdmitsWithinTheLimits) {
  const auto admitted = admit(TestRequest("globex.acme.localhost").bearer(key_));
  ASSERT_TRUE(admitted);
  EXPECT_EQ(admitted->most_body(), 10U);
  EXPECT_EQ(admitted->context.tenant().slug, "globex");
  policy::Fields fields;
  admitted->permit.append_fields(fields);
  EXPECT_EQ(fields.size(), 2);
  EXPECT_TRUE(audit_->refusals().query({}).empty()) << "what is served is not an audit matter";
}

TEST_F(Gating, AnswersARefusalAsDocumented) {
  const auto refused = admit(TestRequest("globex.acme.localhost"));
  ASSERT_FALSE(refused);
  const http::Response& response = refused.error().response;
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(field(response, "Content-Type"), "application/problem+json");
  EXPECT_EQ(field(response, "WWW-Authenticate"), "Bearer");
  EXPECT_EQ(field(response, "Cache-Control"), "no-store");
  EXPECT_EQ(field(response, "Caisson-Request-Id"), "r-1");
  EXPECT_EQ(
      response.body,
      R"({"type":"urn:caisson:problem:unauthenticated","title":"A credential is required","status":401,)"
      R"("detail":"send Authorization: Bearer with a token or an API key","instance":"urn:caisson:request:r-1"})");
}

TEST_F(Gating, RecordsEveryRefusal) {
  ASSERT_FALSE(admit(TestRequest("globex.acme.localhost")));
  EXPECT_EQ(recorded().at("actor").as_string(), "anonymous");
  EXPECT_EQ(recorded().at("action").as_string(), "request.refuse");
  EXPECT_EQ(recorded().at("reason").as_string(), "unauthenticated");
  EXPECT_EQ(recorded().at("request_id").as_string(), "r-1");
  EXPECT_EQ(recorded().at("tenant").as_string(), "");

  ASSERT_FALSE(admit(TestRequest("localhost").bearer("csk_x")));
  EXPECT_EQ(recorded().at("reason").as_string(), "invalid-credential: no such key");

  ASSERT_FALSE(admit(TestRequest("initech.acme.localhost").bearer(key_)));
  EXPECT_EQ(recorded().at("reason").as_string(), "tenant-mismatch");
  EXPECT_EQ(recorded().at("tenant").as_string(), "globex");
  EXPECT_EQ(recorded().at("tenant_id").as_string(),
            std::string_view(directory_.by_slug("globex")->id));
  EXPECT_EQ(recorded().at("actor").as_string(), "api-key:" + key_.substr(4, 22));

  ASSERT_FALSE(admit(TestRequest("localhost").bearer(key_).with("Caisson-Tenant", "a,b")));
  EXPECT_EQ(recorded().at("reason").as_string(), "ambiguous-tenant");
  EXPECT_EQ(recorded().at("seq").as_int64(), 4);
  EXPECT_THAT(metrics_.scrape(), HasSubstr("reason=\"tenant-mismatch\"} 1\n"));
  EXPECT_EQ(boost::json::serialize(recorded()).find(key_.substr(27)), std::string::npos)
      << "no secret in the log";
}

TEST_F(Gating, RefusesBeyondTheLimits) {
  const TestRequest request = TestRequest("localhost").bearer(key_);
  {
    const auto running = admit(request);
    ASSERT_TRUE(running);
    const auto refused = admit(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().response.status, 429);
    EXPECT_EQ(recorded().at("reason").as_string(), "too-many-concurrent");
  }
  ASSERT_TRUE(admit(request));
  const auto refused = admit(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().response.status, 429);
  EXPECT_EQ(field(refused.error().response, "Retry-After"), "1");
  EXPECT_EQ(field(refused.error().response, "RateLimit-Policy"), "\"tenant\";q=2;w=2");
  EXPECT_EQ(field(refused.error().response, "RateLimit"), "\"tenant\";r=0;t=2");
  EXPECT_EQ(recorded().at("reason").as_string(), "rate-limited");
  EXPECT_EQ(refused.error().tenant->slug, "globex") << "whose request it was";
  clock_.advance_ms(1000);
  EXPECT_TRUE(admit(request));
}

TEST_F(Gating, RefusesATenantWhoseAnswersNobodyReads) {
  const TestRequest request = TestRequest("localhost").bearer(key_);
  observe::Charge unread;
  {
    const auto admitted = admit(request);
    ASSERT_TRUE(admitted);
    unread = observe::Charge(admitted->permit.share(), observe::Use::answer);
  }
  ASSERT_TRUE(unread.resize(1));
  EXPECT_FALSE(unread.resize(std::size_t{100} << 20)) << "a third of the budget is a tenant's";
  ASSERT_TRUE(unread.resize(std::size_t{80} << 20));
  unread.set(std::size_t{100} << 20);
  const auto refused = admit(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().response.status, 503);
  EXPECT_EQ(field(refused.error().response, "Retry-After"), "1");
  unread.set(0);
  EXPECT_TRUE(admit(request));
}

TEST_F(Gating, RefusesAfterAdmission) {
  const auto admitted = admit(TestRequest("localhost").bearer(key_));
  ASSERT_TRUE(admitted);
  const http::Response response =
      gate_->refuse(admitted->context, {.code = Code::insufficient_scope});
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(recorded().at("reason").as_string(), "insufficient-scope");
  static_cast<void>(gate_->refuse(admitted->context, {.code = Code::not_found}));
  EXPECT_EQ(recorded().at("reason").as_string(), "insufficient-scope")
      << "a missing record is everyday business";
}

}  // namespace
}  // namespace caisson::ingress

#include "runtime/admin/operator_api.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <set>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/hex.h"
#include "base/uuid.h"
#include "runtime/admin/metrics_api.h"
#include "runtime/admin/routes.h"
#include "runtime/ingress/api_key.h"
#include "runtime/ingress/registry_directory.h"
#include "runtime/ingress/resolver.h"
#include "runtime/modules/records.h"

namespace caisson::admin {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::HasSubstr;

const std::string operator_token(43, 'o');

/// The operator API over a registry and stores on disk.
class Operating : public testing::Test {
 protected:
  Operating() : path_(fs::temp_directory_path() / ("caisson-operator-" + new_uuid(0))) {
    configuration_.deployment = "acme";
    configuration_.instance = "runtime";
    configuration_.domain = "acme.localhost";
    configuration_.operator_token = operator_token;
    configuration_.tiers["free"] = {.isolation = tenancy::Isolation::schema};
    configuration_.tiers["kept"] = {.isolation = tenancy::Isolation::schema,
                                    .retention_ms = 1'000'000};
    configuration_.tiers["own"] = {.isolation = tenancy::Isolation::deployment};
    fs::create_directory(path_);
    fs::permissions(path_, fs::perms::owner_all);
    registry_ = tenancy::Registry::open(path_ / "data", configuration_.tiers, clock_).value();
    tenants_ = tenancy::Tenants::open(
                   {.data = path_ / "data", .schema = modules::Records::schema(), .workers = 2},
                   *registry_)
                   .value();
    audit_ = observe::Audit::open(path_ / "audit", clock_, log_, metrics_).value();
    api_ = std::make_unique<OperatorApi>(
        OperatorApi::Services{.configuration = configuration_,
                              .clock = clock_,
                              .log = log_,
                              .metrics = metrics_,
                              .audit = *audit_,
                              .registry = *registry_,
                              .tenants = *tenants_,
                              .connections = [] { return observe::ConnectionReadings{.open = 3}; },
                              .most = {.body_bytes = 1 << 20, .sockets = 100}});
    metrics_api_ = std::make_unique<MetricsApi>(
        MetricsApi::Services{.configuration = configuration_,
                             .clock = clock_,
                             .metrics = metrics_,
                             .audit = *audit_,
                             .registry = *registry_,
                             .tenants = *tenants_,
                             .connections = [] { return observe::ConnectionReadings{.open = 3}; },
                             .process = process_});
  }
  ~Operating() override {
    api_.reset();
    tenants_.reset();
    registry_.reset();
    audit_.reset();
    fs::remove_all(path_);
    ::close(null_);
  }

  /// A request whose text outlives it.
  struct Text {
    std::string method, target, body, authorization;
    [[nodiscard]] http::Request make() const {
      http::Request request;
      request.method = method;
      const std::size_t question = std::min(target.find('?'), target.size());
      request.path = std::string_view(target).substr(0, question);
      if (question < target.size()) request.query = std::string_view(target).substr(question + 1);
      if (!authorization.empty())
        request.fields.push_back({.name = "Authorization", .value = authorization});
      if (!body.empty())
        request.fields.push_back({.name = "Content-Type", .value = "application/json"});
      request.body = body;
      return request;
    }
  };
  [[nodiscard]] http::Response call(const std::string& method, const std::string& target,
                                    const std::string& body = "",
                                    const std::string& authorization = "Bearer " + operator_token) {
    const Text text{
        .method = method, .target = target, .body = body, .authorization = authorization};
    return api_->answer(text.make());
  }
  /// The answer of the metrics listener, to which the operator's token means nothing.
  [[nodiscard]] http::Response scrape(const std::string& method = "GET",
                                      const std::string& target = "/metrics") const {
    const Text text{.method = method,
                    .target = target,
                    .body = {},
                    .authorization = "Bearer " + operator_token};
    return metrics_api_->answer(text.make());
  }
  /// The body of a call that must answer with `status`.
  [[nodiscard]] json::object expect(int status, const std::string& method,
                                    const std::string& target, const std::string& body = "") {
    const http::Response response = call(method, target, body);
    EXPECT_EQ(response.status, status) << method << " " << target << " " << response.body;
    return response.body.empty() ? json::object() : json::parse(response.body).as_object();
  }
  [[nodiscard]] std::string problem(int status, const std::string& method,
                                    const std::string& target, const std::string& body = "") {
    const json::object answer = expect(status, method, target, body);
    return answer.contains("type") ? std::string(answer.at("type").as_string()).substr(20) : "";
  }
  /// Action, tenant and outcome of the records of a log, without intents.
  [[nodiscard]] static std::vector<std::string> actions_of(observe::AuditLog& log) {
    std::vector<std::string> actions;
    for (const std::string& line : log.query({.limit = 1000})) {
      const json::object record = json::parse(line).as_object();
      if (record.at("outcome").as_string() == observe::intent_outcome) continue;
      actions.push_back(std::string(record.at("action").as_string()) + " " +
                        std::string(record.at("tenant").as_string()) + " " +
                        std::string(record.at("outcome").as_string()));
    }
    return actions;
  }
  [[nodiscard]] std::vector<std::string> audit_actions() {
    return actions_of(audit_->operations());
  }
  [[nodiscard]] fs::path store_of(const std::string& slug) {
    const std::string id = registry_->by_slug(slug)->id;
    return fs::path(hex(sha256(id)).substr(0, 2)) / id / "store.db";
  }
  static std::string text(const json::object& object, std::string_view key) {
    return std::string(object.at(key).as_string());
  }

  fs::path path_;
  SystemClock clock_;
  int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  observe::Log log_{null_, observe::Level::error, "test", clock_};
  observe::Metrics metrics_{"test", "0"};
  const observe::ProcessMeter process_;
  context::Configuration configuration_;
  std::unique_ptr<tenancy::Registry> registry_;
  std::unique_ptr<tenancy::Tenants> tenants_;
  std::unique_ptr<observe::Audit> audit_;
  std::unique_ptr<OperatorApi> api_;
  std::unique_ptr<MetricsApi> metrics_api_;
};

TEST_F(Operating, AnswersToItsTokenAlone) {
  for (const std::string& authorization :
       {std::string("Bearer ") + std::string(43, 'x'), "Bearer " + operator_token + "o",
        "Basic " + operator_token, std::string("Bearer "), operator_token}) {
    const http::Response response = call("GET", "/v1/tenants", "", authorization);
    EXPECT_EQ(response.status, 401) << authorization;
    EXPECT_THAT(response.body, HasSubstr("invalid-credential"));
  }
  EXPECT_THAT(call("GET", "/v1/tenants", "", "").body, HasSubstr("unauthenticated"));
  EXPECT_EQ(call("GET", "/no/such/route", "", "").status, 401) << "routes are not told either";
  EXPECT_EQ(call("GET", "/livez", "", "").status, 200);
  EXPECT_EQ(call("GET", "/metrics", "", "").status, 401) << "they have a listener of their own";
  EXPECT_EQ(call("GET", "/metrics").status, 404);
  EXPECT_EQ(actions_of(audit_->refusals()).size(), 8);
  EXPECT_EQ(actions_of(audit_->refusals())[0], "operator.refuse  refused");
}

TEST_F(Operating, OffersMetricsAloneWhereTheyAreRead) {
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  EXPECT_EQ(scrape().status, 200);
  EXPECT_THAT(scrape().body, HasSubstr("caisson_connections{instance=\"test\"} 3"));
  for (const Entry& entry : entries()) {
    std::string path(entry.path);
    for (auto star = path.find('*'); star != std::string::npos; star = path.find('*'))
      path.replace(star, 1, "globex");
    EXPECT_EQ(scrape(std::string(entry.method), path).status, 404) << entry.method << path;
  }
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    EXPECT_EQ(scrape(method).status, 404) << method;
  }
  EXPECT_EQ(registry_->by_slug("globex")->status, tenancy::Status::active);
}

TEST_F(Operating, WhatItSaysOfALimitHolds) {
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  const std::vector<std::pair<std::string, std::string>> refused = {
      {R"("body":1048577)", "must be at most 1048576, the largest body that this process takes"},
      {R"("sockets":101)", "must be at most 100, which all tenants of this process share"},
      {R"("queue":5)", "nothing enforces it"},
      {R"("egress-connections":5)", "nothing enforces it"}};
  for (const auto& [limit, why] : refused) {
    const std::string limits = R"("limits":{"burst":3,)" + limit + "}}";
    for (const auto& answer :
         {call("PATCH", "/v1/tenants/globex", "{" + limits),
          call("POST", "/v1/tenants", R"({"slug":"hooli","tier":"free",)" + limits)}) {
      EXPECT_EQ(answer.status, 422) << limit;
      EXPECT_THAT(answer.body, HasSubstr(why));
      EXPECT_THAT(answer.body, HasSubstr("/limits/" + limit.substr(1, limit.find(':') - 2)));
    }
  }
  EXPECT_EQ(registry_->by_slug("globex")->limits, tenancy::Limits{}) << "nothing of it is done";
  EXPECT_EQ(registry_->by_slug("hooli"), nullptr);
  EXPECT_EQ(json::serialize(expect(200, "PATCH", "/v1/tenants/globex",
                                   R"({"limits":{"body":1048576,"sockets":100,"queue":null}})")
                                .at("limits")),
            R"({"body":1048576,"sockets":100})");
  // What the configuration says, which may be about to start another process, is shown as it holds.
  const std::vector<tenancy::TenantSpec> specs = {{.slug = "massive",
                                                   .tier = "free",
                                                   .limits = {.burst = 7,
                                                              .body_bytes = 1 << 30,
                                                              .queue_messages = 9,
                                                              .sockets = 1 << 30,
                                                              .egress_connections = 9}}};
  ASSERT_TRUE(tenants_->reconcile(specs));
  const std::string held = R"({"burst":7,"body":1048576,"sockets":100})";
  const auto shown = expect(200, "GET", "/v1/tenants/massive");
  EXPECT_EQ(json::serialize(shown.at("limits")), held);
  EXPECT_EQ(json::serialize(shown.at("from").at("limits")),
            R"({"burst":"configuration","body":"configuration","sockets":"configuration"})");
  EXPECT_EQ(json::serialize(expect(200, "GET", "/v1/tenants/massive/usage").at("limits")), held);
}

TEST_F(Operating, SuggestsTheLimitThatWasMeant) {
  const http::Response refused =
      call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free","limits":{"requests":5}})");
  EXPECT_EQ(refused.status / 100, 4);
  EXPECT_THAT(refused.body, testing::HasSubstr("did you mean 'requests-per-second'?"));
}

TEST_F(Operating, CreatesReadsAndChangesATenant) {
  const http::Response created =
      call("POST", "/v1/tenants",
           R"({"slug":"globex","name":"Globex","tier":"free","owner":"o@globex.example",
      "domains":["shop.globex.example"],"limits":{"requests-per-second":5,"burst":10},"metadata":{"plan":"a"}})");
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_THAT(created.fields, testing::Contains(std::pair<std::string, std::string>(
                                  "Location", "/v1/tenants/globex")));
  const json::object tenant = json::parse(created.body).as_object();
  EXPECT_TRUE(is_uuid(text(tenant, "id")));
  EXPECT_EQ(text(tenant, "status"), "active");
  EXPECT_EQ(text(tenant, "isolation"), "schema");
  EXPECT_EQ(json::serialize(tenant.at("domains")), R"(["shop.globex.example"])");
  EXPECT_EQ(json::serialize(tenant.at("limits")), R"({"requests-per-second":5E0,"burst":10})");
  EXPECT_EQ(json::serialize(tenant.at("metadata")), R"({"plan":"a"})");
  EXPECT_TRUE(parse_rfc3339(text(tenant, "created")));
  EXPECT_EQ(expect(200, "GET", "/v1/tenants/globex"), tenant);
  EXPECT_EQ(registry_->by_domain("shop.globex.example")->slug, "globex");

  const json::object changed =
      expect(200, "PATCH", "/v1/tenants/globex", R"({"name":"G","domains":[]})");
  EXPECT_EQ(text(changed, "name"), "G");
  EXPECT_EQ(text(changed, "owner"), "o@globex.example");
  EXPECT_EQ(registry_->by_domain("shop.globex.example"), nullptr);

  EXPECT_EQ(text(expect(200, "POST", "/v1/tenants/globex/suspend"), "status"), "suspended");
  EXPECT_EQ(text(expect(200, "POST", "/v1/tenants/globex/resume"), "status"), "active");
  EXPECT_THAT(audit_actions(),
              testing::ElementsAre("tenant.create globex ok", "tenant.update globex ok",
                                   "tenant.suspend globex ok", "tenant.resume globex ok"));
}

TEST_F(Operating, RefusesDefectiveTenants) {
  const http::Response response =
      call("POST", "/v1/tenants",
           R"({"slug":"A","tier":"gold","limits":{"burst":0},"domains":["x"],"colour":1,
      "metadata":{"a":1}})");
  EXPECT_EQ(response.status, 422);
  const json::object body = json::parse(response.body).as_object();
  std::vector<std::string> pointers;
  for (const json::value& fault : body.at("errors").as_array()) {
    pointers.push_back(std::string(fault.at("pointer").as_string()));
  }
  EXPECT_THAT(pointers, testing::ElementsAre("/slug", "/tier", "/domains/0", "/limits/burst",
                                             "/metadata/a", "/colour"));
  EXPECT_EQ(problem(422, "POST", "/v1/tenants", R"({"slug":"a","tier":"own"})"), "invalid-record");
  EXPECT_EQ(problem(422, "POST", "/v1/tenants", R"([])"), "invalid-record");
  EXPECT_EQ(problem(400, "POST", "/v1/tenants", R"({"slug":"a","slug":"b","tier":"free"})"),
            "invalid-json");
  EXPECT_EQ(problem(400, "POST", "/v1/tenants", R"({)"), "invalid-json");
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"a","tier":"free"})").status, 201);
  EXPECT_EQ(problem(409, "POST", "/v1/tenants", R"({"slug":"a","tier":"free"})"), "conflict");
  EXPECT_EQ(audit_actions().back(), "tenant.create a failed");
}

TEST_F(Operating, ASyntheticTenantSaysUntilWhenAndLeavesNoTrace) {
  const std::int64_t now = clock_.unix_ms();
  const auto body = [&](std::int64_t from_now_ms) {
    return R"({"slug":"probe","tier":"free","synthetic_until":")" + rfc3339(now + from_now_ms) +
           "\"}";
  };
  EXPECT_EQ(problem(422, "POST", "/v1/tenants", body(-1000)), "invalid-record");
  EXPECT_EQ(problem(422, "POST", "/v1/tenants", body(86'500'000)), "invalid-record");
  EXPECT_EQ(
      problem(422, "POST", "/v1/tenants", R"({"slug":"p","tier":"free","synthetic_until":7})"),
      "invalid-record");
  const json::object made = expect(201, "POST", "/v1/tenants", body(60'000));
  EXPECT_EQ(text(made, "synthetic_until"), rfc3339(now + 60'000));
  EXPECT_EQ(expect(200, "GET", "/v1/tenants").at("tenants").as_array().size(), 1);
  EXPECT_EQ(call("DELETE", "/v1/tenants/probe").status, 204);
  EXPECT_EQ(call("GET", "/v1/tenants/probe").status, 404);
  EXPECT_TRUE(expect(200, "GET", "/v1/tenants").at("tenants").as_array().empty());
}

TEST_F(Operating, ListsInPages) {
  for (int i = 0; i < 7; ++i) {
    const std::string slug = "t" + std::to_string(i);
    ASSERT_EQ(call("POST", "/v1/tenants",
                   R"({"slug":")" + slug + R"(","tier":"free","owner":")" +
                       (i % 2 == 0 ? "even" : "odd") + R"("})")
                  .status,
              201);
  }
  ASSERT_EQ(call("POST", "/v1/tenants/t4/suspend").status, 200);
  std::vector<std::string> slugs;
  std::string cursor;
  do {
    const json::object page = expect(200, "GET", "/v1/tenants?limit=3" + cursor);
    for (const json::value& tenant : page.at("tenants").as_array()) {
      slugs.push_back(std::string(tenant.at("slug").as_string()));
    }
    std::string next = page.at("next").is_null() ? "" : text(page, "next");
    // A slash may stand in a query as it is.
    cursor = next.empty() ? "" : "&cursor=" + next;
  } while (!cursor.empty());
  EXPECT_THAT(slugs, testing::ElementsAre("t0", "t1", "t2", "t3", "t4", "t5", "t6"));
  EXPECT_EQ(expect(200, "GET", "/v1/tenants?owner=even").at("tenants").as_array().size(), 4);
  EXPECT_EQ(
      expect(200, "GET", "/v1/tenants?owner=even&status=suspended").at("tenants").as_array().size(),
      1);
  for (const char* query : {"limit=0", "limit=1001", "limit=x", "status=sleepy", "x=1",
                            "limit=1&limit=2", "owner=%zz"}) {
    EXPECT_EQ(problem(400, "GET", std::string("/v1/tenants?") + query), "invalid-parameter")
        << query;
  }
}

TEST_F(Operating, HandsOutKeysOnce) {
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  const json::object made =
      expect(201, "POST", "/v1/tenants/globex/keys",
             R"({"name":"ci","scopes":["read"],"expires":"2999-01-01T00:00:00Z"})");
  const std::string key = text(made, "key");
  const auto id = ingress::api_key_id(key);
  ASSERT_TRUE(id) << key;
  EXPECT_EQ(*id, text(made, "id"));
  EXPECT_TRUE(ingress::matches(registry_->key(*id), key));
  EXPECT_EQ(text(made, "expires"), "2999-01-01T00:00:00.000Z");

  const http::Response listed = call("GET", "/v1/tenants/globex/keys");
  EXPECT_EQ(listed.body.find(key.substr(27)), std::string::npos);
  EXPECT_EQ(json::parse(listed.body).at("keys").as_array().size(), 1);

  EXPECT_EQ(call("DELETE", "/v1/tenants/globex/keys/" + std::string(*id)).status, 204);
  EXPECT_TRUE(registry_->key(*id)->revoked);
  EXPECT_EQ(problem(404, "DELETE", "/v1/tenants/globex/keys/nosuch"), "not-found");
  EXPECT_EQ(problem(404, "POST", "/v1/tenants/nosuch/keys", "{}"), "unknown-tenant");
  for (const char* body :
       {R"({"scopes":[]})", R"({"scopes":["admin"]})", R"({"expires":"2001-01-01T00:00:00Z"})",
        R"({"expires":1})", R"({"secret":"x"})"}) {
    EXPECT_EQ(problem(422, "POST", "/v1/tenants/globex/keys", body), "invalid-record") << body;
  }
  EXPECT_EQ(expect(201, "POST", "/v1/tenants/globex/keys").at("expires"), nullptr);
  for (const std::string& line : audit_->operations().query({.limit = 1000}))
    EXPECT_EQ(line.find(key.substr(27)), std::string::npos);
}

TEST_F(Operating, KeysThatWereExportedWorkWhereTheyAreImported) {
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  std::vector<std::string> keys;
  for (int i = 0; i < 300; ++i) {
    keys.push_back(
        text(expect(201, "POST", "/v1/tenants/globex/keys", R"({"scopes":["read"]})"), "key"));
  }
  const std::string revoked(*ingress::api_key_id(keys.front()));
  ASSERT_EQ(call("DELETE", "/v1/tenants/globex/keys/" + revoked).status, 204);
  const http::Response exported = call("GET", "/v1/tenants/globex/keys/export");
  ASSERT_EQ(exported.status, 200);
  for (const std::string& key : keys) {
    EXPECT_EQ(exported.body.find(key.substr(27)), std::string::npos) << "a secret is exported";
  }
  EXPECT_EQ(expect(200, "POST", "/v1/tenants/globex/keys/import", exported.body).at("kept"), 300);

  // Nobody gets at the keys of a tenant that is still here.
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"initech","tier":"free"})").status, 201);
  EXPECT_EQ(problem(409, "POST", "/v1/tenants/initech/keys/import", exported.body),
            "foreign-snapshot");
  std::string taken = exported.body;
  taken.insert(1, R"("from":"globex",)");
  EXPECT_EQ(problem(422, "POST", "/v1/tenants/initech/keys/import", taken), "invalid-record");

  // Another place: the same slug, another tenant.
  ASSERT_EQ(call("DELETE", "/v1/tenants/globex").status, 204);
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  EXPECT_EQ(expect(200, "POST", "/v1/tenants/globex/keys/import", exported.body).at("created"),
            300);
  for (const std::string& key : keys) {
    const auto known = registry_->key(*ingress::api_key_id(key));
    ASSERT_TRUE(known && ingress::matches(known, key));
    EXPECT_EQ(known->tenant_id, registry_->by_slug("globex")->id);
    EXPECT_EQ(known->revoked, key == keys.front());
    EXPECT_EQ(known->scopes, std::vector<std::string>{"read"});
  }
  for (
      const char* body :
      {R"({"tenant":"globex"})", R"({"tenant":"globex","keys":[{}]})",
       R"({"tenant":"globex","keys":[{"id":"x","scopes":["read"],"created":"2020-01-01T00:00:00Z","sha256":"x"}]})"}) {
    EXPECT_EQ(problem(422, "POST", "/v1/tenants/globex/keys/import", body), "invalid-record")
        << body;
  }
}

TEST_F(Operating, ARevokedKeyStaysRevokedWhereverItIsImported) {
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  const auto made = [&] { return text(expect(201, "POST", "/v1/tenants/globex/keys"), "id"); };
  const auto revoked = [&](const std::string& id) { return registry_->key(id)->revoked; };
  const std::string here = made();
  const std::string there = made();
  const std::string neither = made();
  const std::string imports = "/v1/tenants/globex/keys/import";
  ASSERT_EQ(call("DELETE", "/v1/tenants/globex/keys/" + there).status, 204);
  const std::string later = call("GET", "/v1/tenants/globex/keys/export").body;
  const std::string before = [&] {
    std::string page = later;
    page.replace(page.find(R"("revoked":true)"), 14, R"("revoked":false)");
    return page;
  }();
  EXPECT_EQ(expect(200, "POST", imports, before).at("revoked"), 0);
  EXPECT_TRUE(revoked(there)) << "an older export revives nothing";
  ASSERT_EQ(call("DELETE", "/v1/tenants/globex/keys/" + here).status, 204);
  EXPECT_EQ(expect(200, "POST", imports, later).at("kept"), 3);
  EXPECT_TRUE(revoked(here) && revoked(there) && !revoked(neither));

  // Where it was not revoked yet: what is imported says it.
  std::string all = later;
  for (auto at = all.find(R"("revoked":false)"); at != std::string::npos;
       at = all.find(R"("revoked":false)"))
    all.replace(at, 15, R"("revoked":true)");
  EXPECT_EQ(expect(200, "POST", imports, all).at("revoked"), 1);
  EXPECT_TRUE(revoked(neither));

  // Keys that the export does not know.
  const std::string unknown = made();
  std::string only = all;
  only.insert(1, R"("existing":"revoke",)");
  EXPECT_EQ(problem(409, "POST", imports, only), "conflict");
  EXPECT_EQ(problem(422, "POST", imports, R"({"existing":"remove",)" + all.substr(1)),
            "invalid-record");
  ASSERT_EQ(call("POST", "/v1/tenants/globex/suspend").status, 200);
  EXPECT_EQ(expect(200, "POST", imports, only).at("revoked"), 1);
  EXPECT_TRUE(revoked(unknown));
}

TEST_F(Operating, TakesKeysOverFromTheDeletedTenantOfTheSameSlug) {
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"kept"})").status, 201);
  const std::string id = text(expect(201, "POST", "/v1/tenants/globex/keys"), "id");
  const std::string exported = call("GET", "/v1/tenants/globex/keys/export").body;
  ASSERT_EQ(call("DELETE", "/v1/tenants/globex").status, 204);
  ASSERT_NE(registry_->key(id), nullptr) << "it is kept for a while";
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"kept"})").status, 201);
  EXPECT_EQ(expect(200, "POST", "/v1/tenants/globex/keys/import", exported).at("kept"), 1);
  EXPECT_EQ(registry_->key(id)->tenant_id, registry_->by_slug("globex")->id);
}

TEST_F(Operating, WhatItChangesHoldsForTheNextRequest) {
  const ingress::RegistryDirectory directory(*registry_);
  const ingress::Resolver resolver(configuration_, directory, nullptr, clock_);
  const auto outcome = [&](const std::string& key) {
    const std::string authorization = "Bearer " + key;
    http::Request request;
    request.host = "globex.acme.localhost";
    request.fields.push_back({.name = "Authorization", .value = authorization});
    const auto context = resolver.resolve(request, "r");
    return context ? context->tenant().slug : std::string(info(context.error().problem.code).name);
  };
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  const std::string first = text(expect(201, "POST", "/v1/tenants/globex/keys"), "key");
  const std::string second = text(expect(201, "POST", "/v1/tenants/globex/keys"), "key");
  EXPECT_EQ(outcome(first), "globex");
  ASSERT_EQ(
      call("DELETE", "/v1/tenants/globex/keys/" + std::string(*ingress::api_key_id(first))).status,
      204);
  EXPECT_EQ(outcome(first), "invalid-credential");
  EXPECT_EQ(outcome(second), "globex");
  ASSERT_EQ(call("POST", "/v1/tenants/globex/suspend").status, 200);
  EXPECT_EQ(outcome(second), "tenant-suspended");
  ASSERT_EQ(call("POST", "/v1/tenants/globex/resume").status, 200);
  EXPECT_EQ(outcome(second), "globex");
  ASSERT_EQ(call("DELETE", "/v1/tenants/globex").status, 204);
  EXPECT_EQ(outcome(second), "invalid-credential");
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  EXPECT_EQ(outcome(second), "invalid-credential") << "a recreated tenant inherits nothing";
}

TEST_F(Operating, SnapshotsAndRestores) {
  for (const char* slug : {"globex", "initech"}) {
    ASSERT_EQ(
        call("POST", "/v1/tenants", R"({"slug":")" + std::string(slug) + R"(","tier":"free"})")
            .status,
        201);
  }
  const json::object made = expect(201, "POST", "/v1/tenants/globex/snapshots");
  const std::string id = text(made, "id");
  EXPECT_EQ(text(made, "tenant"), "globex");
  EXPECT_EQ(text(made, "sha256").size(), 64);
  const json::object listed = expect(200, "GET", "/v1/tenants/globex/snapshots");
  EXPECT_EQ(listed.at("snapshots").as_array().size(), 1);
  EXPECT_EQ(listed.at("snapshots").as_array()[0], json::value(made));

  const std::string body = R"({"snapshot":")" + id + R"("})";
  EXPECT_EQ(text(expect(200, "POST", "/v1/tenants/globex/restore", body), "snapshot"), id);
  EXPECT_EQ(problem(409, "POST", "/v1/tenants/initech/restore", body), "foreign-snapshot");
  EXPECT_EQ(
      call("POST", "/v1/tenants/initech/restore", R"({"snapshot":")" + id + R"(","from":"globex"})")
          .status,
      200);
  EXPECT_EQ(problem(404, "POST", "/v1/tenants/globex/restore",
                    R"({"snapshot":"01980123-4567-7abc-8def-0123456789ab"})"),
            "not-found");
  EXPECT_EQ(problem(422, "POST", "/v1/tenants/globex/restore", "{}"), "invalid-record");
}

TEST_F(Operating, SnapshotsAreDeletedAndBounded) {
  for (const char* slug : {"globex", "initech"}) {
    ASSERT_EQ(
        call("POST", "/v1/tenants", R"({"slug":")" + std::string(slug) + R"(","tier":"free"})")
            .status,
        201);
  }
  const std::string first = text(expect(201, "POST", "/v1/tenants/globex/snapshots"), "id");
  const std::string second = text(expect(201, "POST", "/v1/tenants/globex/snapshots"), "id");
  EXPECT_EQ(problem(409, "DELETE", "/v1/tenants/initech/snapshots/" + first), "foreign-snapshot");
  EXPECT_EQ(call("DELETE", "/v1/tenants/globex/snapshots/" + first).status, 204);
  EXPECT_EQ(problem(404, "DELETE", "/v1/tenants/globex/snapshots/" + first), "not-found");
  const json::object left = expect(200, "GET", "/v1/tenants/globex/snapshots");
  ASSERT_EQ(left.at("snapshots").as_array().size(), 1);
  EXPECT_EQ(text(left.at("snapshots").as_array()[0].as_object(), "id"), second);
  const fs::path directory = path_ / "data/snapshots" / registry_->by_slug("globex")->id;
  EXPECT_FALSE(fs::exists(directory / (first + ".db")));
  EXPECT_EQ(
      problem(404, "POST", "/v1/tenants/globex/restore", R"({"snapshot":")" + first + R"("})"),
      "not-found");

  // As many as it keeps: files suffice, only their number is looked at.
  for (std::size_t i = 1; i < tenancy::Tenants::most_snapshots; ++i) {
    fs::copy_file(directory / (second + ".json"), directory / (std::to_string(i) + ".json"));
  }
  const auto full = call("POST", "/v1/tenants/globex/snapshots");
  EXPECT_EQ(full.status, 409);
  EXPECT_NE(full.body.find("delete some"), std::string::npos) << full.body;
  fs::remove(directory / "1.json");
  EXPECT_EQ(call("POST", "/v1/tenants/globex/snapshots").status, 201);
}

TEST_F(Operating, TheAuditLogIsReadFromItsEnd) {
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(
        call("POST", "/v1/tenants", R"({"slug":"t)" + std::to_string(i) + R"(","tier":"free"})")
            .status,
        201);
  }
  const auto seqs = [&](const std::string& query) {
    const json::object page = expect(200, "GET", "/v1/audit?" + query);
    std::vector<std::int64_t> found;
    for (const auto& record : page.at("records").as_array())
      found.push_back(record.at("seq").as_int64());
    EXPECT_TRUE(page.at("next").is_null() || query.find("newest") == std::string::npos);
    return found;
  };
  const auto all = seqs("limit=1000");
  ASSERT_GE(all.size(), 600U);
  EXPECT_EQ(seqs("newest=7"), std::vector(all.end() - 7, all.end()));
  EXPECT_EQ(seqs("newest=1000"), all);
  const auto of_one = seqs("tenant=t7&limit=1000");
  EXPECT_EQ(seqs("tenant=t7&newest=1"), std::vector(of_one.end() - 1, of_one.end()));
  EXPECT_EQ(problem(400, "GET", "/v1/audit?newest=7&limit=3"), "invalid-parameter");
  EXPECT_EQ(problem(400, "GET", "/v1/audit?newest=0"), "invalid-parameter");
}

/// A page of three records of globex; numbers that no double holds, text that JSON escapes.
constexpr std::string_view three_records =
    R"({"tenant":"globex","records":[)"
    R"({"id":"01980123-4567-7abc-8def-0123456789ab","collection":"notes","version":7,)"
    R"("created":"2026-01-02T03:04:05.678Z","updated":"2026-02-03T04:05:06.789Z",)"
    R"("value":{"n":12345678901234567890.10,"t":"\u0000\"é"}},)"
    R"({"id":"01980123-4567-7abc-8def-0123456789ac","collection":"notes","version":1,)"
    R"("created":"2026-01-02T03:04:05.678Z","updated":"2026-01-02T03:04:05.678Z","value":{}},)"
    R"({"id":"01980123-4567-7abc-8def-0123456789ab","collection":"orders","version":1,)"
    R"("created":"2026-01-02T03:04:05.678Z","updated":"2026-01-02T03:04:05.678Z",)"
    R"("value":{"a":[1,[2]]}}],"next":null})";

TEST_F(Operating, ExportsASnapshotAndImportsIt) {
  for (const char* slug : {"globex", "initech"}) {
    ASSERT_EQ(
        call("POST", "/v1/tenants", R"({"slug":")" + std::string(slug) + R"(","tier":"free"})")
            .status,
        201);
  }
  const std::string page(three_records);
  EXPECT_EQ(json::serialize(expect(200, "POST", "/v1/tenants/globex/records", page)),
            R"({"tenant":"globex","created":3,"replaced":0,"kept":0,"removed":0})");
  const std::string id = text(expect(201, "POST", "/v1/tenants/globex/snapshots"), "id");
  const std::string records = "/v1/tenants/globex/snapshots/" + id + "/records";
  EXPECT_EQ(call("GET", records).body, page) << "byte for byte";

  const json::object first = expect(200, "GET", records + "?limit=2");
  EXPECT_EQ(first.at("records").as_array().size(), 2);
  EXPECT_EQ(text(first, "next"), "notes/01980123-4567-7abc-8def-0123456789ac");
  const json::object second = expect(200, "GET", records + "?limit=2&after=" + text(first, "next"));
  EXPECT_EQ(second.at("records").as_array().size(), 1);
  EXPECT_TRUE(second.at("next").is_null());
  EXPECT_EQ(problem(400, "GET", records + "?after=notes"), "invalid-parameter");
  EXPECT_EQ(problem(404, "GET", "/v1/tenants/globex/snapshots/x/records"), "not-found");
  EXPECT_EQ(problem(409, "GET", "/v1/tenants/initech/snapshots/" + id + "/records"),
            "foreign-snapshot");

  EXPECT_EQ(problem(409, "POST", "/v1/tenants/initech/records", page), "foreign-snapshot");
  const std::string named = page.substr(0, page.size() - 1) + R"(,"from":"globex"})";
  EXPECT_EQ(expect(200, "POST", "/v1/tenants/initech/records", named).at("created"), 3);
  EXPECT_THAT(audit_actions(), testing::Contains("records.import initech ok"));
  EXPECT_THAT(audit_actions(), testing::Contains("records.export globex ok"));
}

TEST_F(Operating, ImportsInThePlaceOfAllThatASuspendedTenantHas) {
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  const std::string old =
      R"({"tenant":"globex","records":[{"id":"01980123-4567-7abc-8def-0123456789aa",)"
      R"("collection":"notes","version":1,"created":"2026-01-02T03:04:05.000Z",)"
      R"("updated":"2026-01-02T03:04:05.000Z","value":{"old":true}}],"next":null})";
  ASSERT_EQ(expect(200, "POST", "/v1/tenants/globex/records", old).at("created"), 1);
  const std::string page(three_records);
  const std::string anew = page.substr(0, page.size() - 1) + R"(,"existing":"remove"})";
  EXPECT_EQ(problem(409, "POST", "/v1/tenants/globex/records", anew), "conflict")
      << "somebody may be using what is there";
  ASSERT_EQ(call("POST", "/v1/tenants/globex/suspend").status, 200);
  EXPECT_EQ(json::serialize(expect(200, "POST", "/v1/tenants/globex/records", anew)),
            R"({"tenant":"globex","created":3,"replaced":0,"kept":0,"removed":1})");
  EXPECT_EQ(expect(200, "POST", "/v1/tenants/globex/records", anew).at("removed"), 3) << "again";
  const std::string id = text(expect(201, "POST", "/v1/tenants/globex/snapshots"), "id");
  EXPECT_EQ(call("GET", "/v1/tenants/globex/snapshots/" + id + "/records").body, page);
  EXPECT_EQ(expect(200, "POST", "/v1/tenants/globex/records",
                   R"({"tenant":"globex","records":[],"existing":"remove"})")
                .at("removed"),
            3);
}

TEST_F(Operating, ImportsAllOrNothing) {
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  const std::string page(three_records);
  const auto with = [&](const std::string& more) {
    return page.substr(0, page.size() - 1) + "," + more + "}";
  };
  const auto one = [](const std::string& member, const std::string& value) {
    std::string record =
        R"({"tenant":"globex","records":[{"id":"01980123-4567-7abc-8def-0123456789aa",)"
        R"("collection":"notes","version":1,"created":"2026-01-02T03:04:05Z",)"
        R"("updated":"2026-01-02T03:04:05Z","value":{}}]})";
    const std::size_t at = record.find('"' + member + "\":", 20) + member.size() + 3;
    const std::size_t end = member == "value" ? at + 2 : record.find(',', at);
    return record.replace(at, end - at, value);
  };
  ASSERT_EQ(expect(200, "POST", "/v1/tenants/globex/records", one("version", "1")).at("created"),
            1);
  ASSERT_EQ(expect(200, "POST", "/v1/tenants/globex/records", page).at("created"), 3);

  const json::object conflict = expect(409, "POST", "/v1/tenants/globex/records", page);
  EXPECT_EQ(conflict.at("errors").at(0).at("pointer").as_string(), "/records/0");
  EXPECT_EQ(json::serialize(
                expect(200, "POST", "/v1/tenants/globex/records", with(R"("existing":"keep")"))),
            R"({"tenant":"globex","created":0,"replaced":0,"kept":3,"removed":0})");
  EXPECT_EQ(expect(200, "POST", "/v1/tenants/globex/records", with(R"("existing":"replace")"))
                .at("replaced"),
            3);
  for (const auto& [member, value] :
       std::vector<std::pair<std::string, std::string>>{{"id", R"("01980123")"},
                                                        {"collection", R"("No")"},
                                                        {"version", "0"},
                                                        {"created", R"("yesterday")"},
                                                        {"updated", "1"},
                                                        {"value", "[]"}}) {
    const json::object refused =
        expect(422, "POST", "/v1/tenants/globex/records", one(member, value));
    EXPECT_EQ(refused.at("errors").at(0).at("pointer").as_string(), "/records/0/" + member);
  }
  for (const std::string& body :
       {std::string("{}"), std::string("[]"), with(R"("existing":"merge")"), with(R"("from":"")"),
        with(R"("colour":1)"), std::string(R"({"tenant":"globex","records":{}})")}) {
    EXPECT_EQ(problem(422, "POST", "/v1/tenants/globex/records", body), "invalid-record") << body;
  }
  EXPECT_EQ(problem(400, "POST", "/v1/tenants/globex/records", "{"), "invalid-json");
}

TEST_F(Operating, ImportsRecordsWhoseKeysAreEscaped) {
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  EXPECT_EQ(expect(200, "POST", "/v1/tenants/globex/records",
                   R"({"ten\u0061nt":"globex","record\u0073":[{"i\u0064":)"
                   R"("01980123-4567-7abc-8def-0123456789aa","\u0063ollection":"notes",)"
                   R"("v\u0065rsion":3,"cre\u0061ted":"2026-01-02T03:04:05Z",)"
                   R"("\u0075pdated":"2026-01-02T03:04:05Z","v\u0061lue":{"n":1.10}}]})")
                .at("created"),
            1);
  const std::string id = text(expect(201, "POST", "/v1/tenants/globex/snapshots"), "id");
  const auto page = call("GET", "/v1/tenants/globex/snapshots/" + id + "/records");
  EXPECT_NE(page.body.find(R"("collection":"notes","version":3,)"), std::string::npos) << page.body;
  EXPECT_NE(page.body.find(R"("value":{"n":1.10}}])"), std::string::npos) << page.body;
}

TEST_F(Operating, ExportsNoDamagedSnapshot) {
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  const std::string id = text(expect(201, "POST", "/v1/tenants/globex/snapshots"), "id");
  const fs::path file = path_ / "data/snapshots" / registry_->by_slug("globex")->id / (id + ".db");
  {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(5000);
    bytes.put('x');
  }
  EXPECT_EQ(problem(409, "GET", "/v1/tenants/globex/snapshots/" + id + "/records"), "conflict");
}

TEST_F(Operating, TellsUsageAndMigrates) {
  for (const char* slug : {"globex", "initech", "umbrella"}) {
    ASSERT_EQ(
        call("POST", "/v1/tenants", R"({"slug":")" + std::string(slug) + R"(","tier":"free"})")
            .status,
        201);
    // Its first use makes the store.
    ASSERT_EQ(call("POST", "/v1/tenants/" + std::string(slug) + "/snapshots").status, 201);
  }
  const json::object usage = expect(200, "GET", "/v1/tenants/globex/usage");
  EXPECT_GT(usage.at("store_bytes").as_int64(), 0);
  EXPECT_GT(usage.at("snapshot_bytes").as_int64(), 0);
  EXPECT_EQ(usage.at("snapshots"), 1);
  EXPECT_EQ(problem(404, "GET", "/v1/tenants/nobody/usage"), "unknown-tenant");

  const auto newest = modules::Records::schema().size();
  EXPECT_EQ(expect(200, "GET", "/v1/migrations").at("stores"), newest);
  ASSERT_EQ(call("POST", "/v1/tenants/initech/suspend").status, 200);  // closes the store
  fs::resize_file(path_ / "data/tenants" / store_of("initech"), 100);
  const json::object first = expect(200, "POST", "/v1/migrations?limit=2");
  EXPECT_EQ(first.at("migrated"), 1);
  EXPECT_EQ(json::serialize(first.at("failed")), R"(["initech"])");
  const json::object rest = expect(200, "POST", "/v1/migrations?after=" + text(first, "next"));
  EXPECT_EQ(rest.at("migrated"), 1);
  EXPECT_TRUE(rest.at("next").is_null());
  EXPECT_THAT(audit_actions(), testing::Contains("migrations.run  ok"));
}

TEST(OperatorRoutes, HaveEachACommandOfItsOwn) {
  std::set<std::string_view> commands;
  for (const Entry& entry : entries()) {
    EXPECT_TRUE(commands.insert(entry.command).second) << entry.command;
    EXPECT_EQ(std::ranges::count(entry.command, ' '), 1) << entry.command;
    const bool changes = entry.method != "GET" && entry.command != "audit verify";
    EXPECT_TRUE(!changes || !entry.action.empty()) << entry.path << " leaves no record";
  }
}

TEST_F(Operating, DeletesATenant) {
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  const std::string key = text(expect(201, "POST", "/v1/tenants/globex/keys"), "key");
  metrics_.request("globex", 200, 0);
  EXPECT_THAT(scrape().body, HasSubstr("tenant=\"globex\""));
  EXPECT_EQ(call("DELETE", "/v1/tenants/globex").status, 204);
  EXPECT_EQ(problem(404, "GET", "/v1/tenants/globex"), "unknown-tenant");
  EXPECT_EQ(problem(404, "DELETE", "/v1/tenants/globex"), "unknown-tenant");
  EXPECT_EQ(problem(404, "POST", "/v1/tenants/globex/resume"), "unknown-tenant");
  EXPECT_EQ(scrape().body.find("globex"), std::string::npos);
  EXPECT_EQ(registry_->key(*ingress::api_key_id(key)), nullptr);
  EXPECT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
}

TEST_F(Operating, ShowsAndVerifiesTheAuditLog) {
  for (const char* slug : {"globex", "initech"}) {
    ASSERT_EQ(
        call("POST", "/v1/tenants", R"({"slug":")" + std::string(slug) + R"(","tier":"free"})")
            .status,
        201);
    ASSERT_EQ(call("POST", "/v1/tenants/" + std::string(slug) + "/suspend").status, 200);
  }
  const json::object all = expect(200, "GET", "/v1/audit");
  EXPECT_EQ(all.at("records").as_array().size(), 8) << "an intent and an outcome each";
  EXPECT_TRUE(all.at("next").is_null());
  const json::object first = expect(200, "GET", "/v1/audit?limit=3");
  EXPECT_EQ(first.at("next"), 3);
  EXPECT_EQ(expect(200, "GET", "/v1/audit?limit=3&after=6").at("records").as_array().size(), 2);
  const json::object one = expect(200, "GET", "/v1/audit?tenant=initech");
  ASSERT_EQ(one.at("records").as_array().size(), 4);
  EXPECT_EQ(one.at("records").at(0).at("outcome"), "intent");
  EXPECT_EQ(one.at("records").at(1).at("outcome"), "ok");
  EXPECT_EQ(one.at("records").at(1).at("intent"), one.at("records").at(0).at("seq"));
  EXPECT_EQ(one.at("records").at(1).at("actor"), "operator");
  EXPECT_EQ(one.at("records").at(0).at("action").as_string(), "tenant.create");
  EXPECT_EQ(one.at("records").at(0).at("tenant_id").as_string(),
            std::string_view(registry_->by_slug("initech")->id));
  EXPECT_EQ(call("GET", "/v1/audit", "", "Bearer x").status, 401);
  const json::object verified = expect(200, "POST", "/v1/audit/verify");
  EXPECT_EQ(verified.at("valid"), true);
  const json::value& operations = verified.at("operations");
  EXPECT_EQ(operations.at("records"), 8);
  EXPECT_EQ(operations.at("first"), 1);
  EXPECT_EQ(operations.at("from"), all.at("records").at(0).at("time"));
  EXPECT_EQ(operations.at("to"), all.at("records").at(7).at("time"));
  EXPECT_EQ(operations.at("retired"), 0);
  EXPECT_TRUE(operations.at("broken_at").is_null());
  EXPECT_EQ(verified.at("refusals").at("records"), 1);
  const json::object refusals = expect(200, "GET", "/v1/audit?log=refusals");
  EXPECT_EQ(refusals.at("records").at(0).at("action"), "operator.refuse");
  // Whoever reads needs not wait for the minute in which refusals are counted to end.
  for (int i = 0; i < 3000; ++i) {
    audit_->refuse({.action = "request", .outcome = "refused", .reason = "unauthenticated"});
  }
  const json::object counted = expect(200, "GET", "/v1/audit?log=refusals&after=2001&limit=1000");
  ASSERT_EQ(counted.at("records").as_array().size(), 1);
  EXPECT_EQ(counted.at("records").at(0).at("count"), 1000);
  EXPECT_EQ(problem(400, "GET", "/v1/audit?log=x"), "invalid-parameter");
  EXPECT_EQ(problem(400, "GET", "/v1/audit?after=-1"), "invalid-parameter");
}

TEST_F(Operating, KnowsItsRoutes) {
  EXPECT_EQ(problem(404, "GET", "/"), "not-found");
  EXPECT_EQ(problem(404, "GET", "/v1/tenants/"), "not-found");
  EXPECT_EQ(problem(404, "GET", "/v1/tenants/globex/nosuch"), "not-found");
  EXPECT_EQ(problem(404, "GET", "/v1/tenants/globex/keys/a/b"), "not-found");
  const http::Response response = call("PUT", "/v1/tenants/globex");
  EXPECT_EQ(response.status, 405);
  EXPECT_THAT(response.fields, testing::Contains(std::pair<std::string, std::string>(
                                   "Allow", "GET, PATCH, DELETE")));
  const json::object status = expect(200, "GET", "/v1/status");
  EXPECT_EQ(text(status, "deployment"), "acme");
  EXPECT_EQ(status.at("connections"), 3);
  EXPECT_EQ(status.at("audit_healthy"), true);
}

TEST_F(Operating, AnnouncesEveryChangeBeforeItBegins) {
  // Of every call that was done, the intent comes before its outcome, and each has exactly one.
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  ASSERT_EQ(call("PATCH", "/v1/tenants/globex", R"({"name":"G"})").status, 200);
  const json::object key = expect(201, "POST", "/v1/tenants/globex/keys");
  const http::Response keys = call("GET", "/v1/tenants/globex/keys/export");
  ASSERT_EQ(keys.status, 200);
  ASSERT_EQ(call("POST", "/v1/tenants/globex/keys/import", keys.body).status, 200);
  ASSERT_EQ(call("DELETE", "/v1/tenants/globex/keys/" + text(key, "id")).status, 204);
  const json::object snapshot = expect(201, "POST", "/v1/tenants/globex/snapshots");
  const std::string id = text(snapshot, "id");
  const http::Response page = call("GET", "/v1/tenants/globex/snapshots/" + id + "/records");
  ASSERT_EQ(page.status, 200);
  ASSERT_EQ(call("POST", "/v1/tenants/globex/records", page.body).status, 200);
  ASSERT_EQ(call("POST", "/v1/tenants/globex/restore", R"({"snapshot":")" + id + R"("})").status,
            200);
  ASSERT_EQ(call("DELETE", "/v1/tenants/globex/snapshots/" + id).status, 204);
  ASSERT_EQ(call("POST", "/v1/tenants/globex/suspend").status, 200);
  ASSERT_EQ(call("POST", "/v1/tenants/globex/resume").status, 200);
  ASSERT_EQ(call("POST", "/v1/migrations").status, 200);
  ASSERT_EQ(call("DELETE", "/v1/tenants/globex").status, 204);
  std::set<std::string> announced;
  std::map<std::int64_t, std::string> open;
  for (const std::string& line : audit_->operations().query({.limit = 1000})) {
    const json::object record = json::parse(line).as_object();
    if (record.at("outcome").as_string() == observe::intent_outcome) {
      open[record.at("seq").as_int64()] = text(record, "action");
      continue;
    }
    const auto intent = open.find(record.at("intent").as_int64());
    ASSERT_NE(intent, open.end()) << line;
    EXPECT_EQ(intent->second, text(record, "action"));
    EXPECT_EQ(record.at("outcome"), "ok") << line;
    announced.insert(intent->second);
    open.erase(intent);
  }
  EXPECT_TRUE(open.empty());
  for (const Entry& entry : entries()) {
    EXPECT_TRUE(entry.action.empty() || announced.contains(std::string(entry.action)))
        << entry.action;
  }
}

TEST_F(Operating, AnswersWhileSnapshotsAreTaken) {
  // As many tenants as a backup goes through, and a store that is busy for as long as we like.
  constexpr int tenants = 300;
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  std::atomic<int> held{0};
  std::vector<std::future<void>> done;
  for (int i = 0; i < 2; ++i) {
    const std::string slug = "t" + std::to_string(i);
    ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":")" + slug + R"(","tier":"free"})").status,
              201);
    auto finished = std::make_shared<std::promise<void>>();
    done.push_back(finished->get_future());
    tenants_->submit(
        *registry_->by_slug(slug), storage::Access::write, tenancy::Deadline::max(),
        [&held, released](storage::TenantStore&) {
          held.fetch_add(1);
          held.notify_all();
          released.wait();
          return 0;
        },
        [finished](const tl::expected<int, tenancy::Refusal>&) { finished->set_value(); });
  }
  for (int seen = held; seen < 2; seen = held) held.wait(seen);

  std::vector<std::future<int>> snapshots;
  std::vector<std::unique_ptr<Text>> texts;
  const auto ask = [&](const std::string& method, const std::string& target) {
    texts.push_back(std::make_unique<Text>(Text{.method = method,
                                                .target = target,
                                                .body = {},
                                                .authorization = "Bearer " + operator_token}));
    auto promise = std::make_shared<std::promise<int>>();
    auto status = promise->get_future();
    api_->handle(texts.back()->make(), http::reply_to([promise](const http::Response& response) {
                   promise->set_value(response.status);
                 }));
    return status;
  };
  int refused = 0;
  for (int i = 0; i < tenants; ++i) {
    auto answer = ask("POST", "/v1/tenants/t" + std::to_string(i % 2) + "/snapshots");
    if (answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
      EXPECT_EQ(answer.get(), 503);
      ++refused;
    } else {
      snapshots.push_back(std::move(answer));
    }
  }
  EXPECT_GT(refused, 200) << "what waits is bounded";
  EXPECT_EQ(ask("GET", "/livez").get(), 200);
  EXPECT_EQ(ask("GET", "/v1/status").get(), 200);
  EXPECT_EQ(ask("GET", "/v1/tenants/t0").get(), 200);
  EXPECT_EQ(ask("GET", "/v1/tenants").get(), 200);
  auto suspended = ask("POST", "/v1/tenants/t0/suspend");  // waits for its turn, and holds nobody
  EXPECT_EQ(ask("GET", "/v1/status").get(), 200);
  release.set_value();
  for (auto& one : done) one.get();
  for (auto& snapshot : snapshots) EXPECT_EQ(snapshot.get(), 201);
  EXPECT_EQ(suspended.get(), 200);
}

TEST_F(Operating, AnswersOnItsOwnThreads) {
  std::promise<http::Response> promise;
  const Text text{.method = "GET",
                  .target = "/v1/status",
                  .body = {},
                  .authorization = "Bearer " + operator_token};
  api_->handle(text.make(), http::reply_to([&](http::Response response) {
                 promise.set_value(std::move(response));
               }));
  EXPECT_EQ(promise.get_future().get().status, 200);

  std::atomic<int> answered{0};
  for (int i = 0; i < 1000; ++i) {
    api_->handle(text.make(), http::reply_to([&](const http::Response& response) {
                   if (response.status == 200 || response.status == 503) answered.fetch_add(1);
                 }));
  }
  api_.reset();
  EXPECT_EQ(answered.load(), 1000) << "every request has an answer";
}

TEST_F(Operating, ACallThatIsInterruptedHasAnOutcome) {
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"initech","tier":"free"})").status, 201);
  registry_->listen({.tenant = [](const tenancy::Tenant&) { throw std::runtime_error("none"); }});
  EXPECT_THROW(static_cast<void>(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})")),
               std::runtime_error);
  EXPECT_THROW(static_cast<void>(call("PATCH", "/v1/tenants/initech", R"({"name":"I"})")),
               std::runtime_error);
  registry_->listen({});
  std::map<std::uint64_t, std::string> outcomes;
  for (const std::string& line : audit_->operations().query({.limit = 100})) {
    const observe::AuditRecord record = observe::read_record(line);
    if (record.outcome == observe::intent_outcome)
      outcomes[record.seq] = "";
    else
      outcomes[record.intent] += record.outcome + " " + record.reason + ";";
  }
  std::vector<std::string> found;
  for (const auto& [seq, outcome] : outcomes) found.push_back(outcome);
  const std::string unknown = "unknown unknown whether it was done: it was interrupted;";
  EXPECT_THAT(found, testing::ElementsAre("ok ;", unknown, unknown));
}

TEST_F(Operating, AKeyThatIsNotThereIsNoActBegun) {
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"globex","tier":"free"})").status, 201);
  ASSERT_EQ(call("POST", "/v1/tenants", R"({"slug":"initech","tier":"free"})").status, 201);
  const json::object key = expect(201, "POST", "/v1/tenants/initech/keys", R"({"name":"k"})");
  ASSERT_EQ(call("DELETE", "/v1/tenants/globex/keys/" + text(key, "id")).status, 404);
  ASSERT_EQ(call("DELETE", "/v1/tenants/initech/keys/" + text(key, "id")).status, 204);
  ASSERT_EQ(call("DELETE", "/v1/tenants/initech/keys/" + text(key, "id")).status, 404);
  int begun = 0;
  for (const std::string& line : audit_->operations().query({.limit = 100})) {
    const observe::AuditRecord record = observe::read_record(line);
    if (record.action == "key.revoke" && record.outcome == observe::intent_outcome) ++begun;
  }
  EXPECT_EQ(begun, 1);
}

}  // namespace
}  // namespace caisson::admin

#include "runtime/application.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include "base/time.h"
#include "runtime/http/test_client.h"
#include "runtime/storage/database.h"
#include "runtime/test_deployment.h"

namespace caisson::runtime {
namespace {

using http::TestClient;
using testing::HasSubstr;

std::string code_of(const TestClient::Answer& answer) {
  const auto type = boost::json::parse(answer.body).at("type").as_string();
  return std::string(type).substr(std::string_view("urn:caisson:problem:").size());
}

std::string id_of(const TestClient::Answer& answer) {
  return std::string(boost::json::parse(answer.body).at("id").as_string());
}

class Serving : public testing::Test {
 protected:
  TestDeployment deployment_;
  std::unique_ptr<Application> application_ = deployment_.start();
  TestClient client_{application_->data_port()};

  TestClient::Answer ask(std::string_view request) {
    auto answer = client_.ask(request);
    if (!answer) throw std::runtime_error("no answer");
    return std::move(*answer);
  }
};

TEST_F(Serving, Health) {
  EXPECT_EQ(ask("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
  const auto ready = ask("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.field("Caisson-Request-Id").size(), 36U);
}

TEST_F(Serving, AskKnowsTheDomainsOfActiveTenants) {
  const auto status = [this](const std::string& domain) {
    return ask("GET /ask?domain=" + domain + " HTTP/1.1\r\nHost: x\r\n\r\n").status;
  };
  EXPECT_EQ(status("globex.acme.localhost"), 200);
  EXPECT_EQ(status("initech.test"), 200);
  EXPECT_EQ(status("hooli.acme.localhost"), 404);
  EXPECT_EQ(status("hooli.test"), 404);
  EXPECT_EQ(status(""), 404);
}

TEST_F(Serving, WhoAmI) {
  const auto answer = ask(tenant_request("globex", "GET", "/v1/whoami"));
  ASSERT_EQ(answer.status, 200);
  const auto body = boost::json::parse(answer.body);
  EXPECT_EQ(body.at("tenant").as_string(), "globex");
  EXPECT_EQ(body.at("subject").as_string(), "alice");
  EXPECT_EQ(body.at("credential").as_string(), "token");
  EXPECT_EQ(body.at("request_id").as_string(), answer.field("Caisson-Request-Id"));
}

TEST_F(Serving, RecordsFromCreationToDeletion) {
  const auto made = ask(tenant_request("globex", "POST", "/v1/records/notes", R"({"text":"hi"})"));
  ASSERT_EQ(made.status, 201);
  const std::string path = "/v1/records/notes/" + id_of(made);
  EXPECT_EQ(made.field("Location"), path);
  const auto read = ask(tenant_request("globex", "GET", path));
  ASSERT_EQ(read.status, 200);
  EXPECT_EQ(boost::json::parse(read.body).at("value").at("text").as_string(), "hi");
  EXPECT_EQ(ask(tenant_request("globex", "GET", path, "",
                               "If-None-Match: " + read.field("ETag") + "\r\n"))
                .status,
            304);
  EXPECT_EQ(
      ask(tenant_request("globex", "PUT", path, R"({"text":"ho"})", "If-Match: \"x\"\r\n")).status,
      412);
  EXPECT_EQ(ask(tenant_request("globex", "PUT", path, R"({"text":"ho"})",
                               "If-Match: " + read.field("ETag") + "\r\n"))
                .status,
            200);
  EXPECT_EQ(ask(tenant_request("globex", "DELETE", path)).status, 204);
  EXPECT_EQ(ask(tenant_request("globex", "GET", path)).status, 404);
}

TEST_F(Serving, KeepsTenantsApart) {
  const auto made = ask(tenant_request("globex", "POST", "/v1/records/notes", R"({"text":"hi"})"));
  ASSERT_EQ(made.status, 201);
  const auto theirs = ask(tenant_request("initech", "GET", "/v1/records/notes/" + id_of(made)));
  const auto nobodys = ask(
      tenant_request("initech", "GET", "/v1/records/notes/01900000-0000-7000-8000-000000000000"));
  EXPECT_EQ(theirs.status, 404);
  EXPECT_EQ(nobodys.status, 404);
  EXPECT_EQ(theirs.body.size(), nobodys.body.size());
  const auto listed = ask(tenant_request("initech", "GET", "/v1/records/notes"));
  EXPECT_EQ(boost::json::parse(listed.body).at("records").as_array().size(), 0U);
}

TEST_F(Serving, TellsInItsLogWhichTenantCouldNotBeRecovered) {
  namespace fs = std::filesystem;
  ASSERT_EQ(ask(tenant_request("globex", "POST", "/v1/records/notes", "{}")).status, 201);
  application_.reset();
  const fs::path data = deployment_.directory() / "data";
  fs::path store;
  for (const auto& entry : fs::recursive_directory_iterator(data / "tenants")) {
    if (entry.path().filename() == "store.db") store = entry.path();
  }
  const std::string id = store.parent_path().filename();
  {
    auto registry = storage::Database::open(data / "registry.db", {}).value();
    ASSERT_TRUE(registry.prepare("INSERT INTO journal VALUES(?,2,0)").text(id).run());
  }
  // What was prepared cannot take the store's place.
  fs::remove(store);
  fs::create_directories(store / "in the way");
  for (const char* prepared : {"store.db.restore", "restored.db.new"}) {
    std::ofstream(store.parent_path() / prepared).flush();
  }
  application_ = deployment_.start();
  EXPECT_THAT(deployment_.log(), HasSubstr(R"("message":"a tenant's store failed","tenant_id":")" +
                                           id + R"(","reason":"cannot restore in)"));
}

/// Nobody's body is read, and nobody is told to send it, before it is known who asks.
TEST_F(Serving, ReadsNoBodyBeforeTheCredentialHolds) {
  const std::string body(500'000, 'x');
  const std::string expecting =
      "Expect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  TestClient stranger(application_->data_port());
  EXPECT_EQ(stranger
                .ask("POST /v1/records/notes HTTP/1.1\r\nHost: globex.acme.localhost\r\n" +
                     expecting + "\r\n")
                ->status,
            401);
  EXPECT_TRUE(stranger.closed());
  TestClient operator_client(application_->operator_port());
  EXPECT_EQ(
      operator_client.ask("POST /v1/tenants HTTP/1.1\r\nHost: x\r\n" + expecting + "\r\n")->status,
      401);
  EXPECT_TRUE(operator_client.closed());
  const std::string json = "Content-Type: application/json\r\n";
  EXPECT_EQ(ask(tenant_request("globex", "POST", "/v1/records/notes", "", json + expecting)).status,
            100);
  EXPECT_EQ(ask(R"({"text":")" + std::string(body.size() - 11, 'x') + "\"}").status, 201);
}

/// A test's tenant is served like any other, and is nobody's: no use is counted, no certificate
/// made, nothing said of it where alerts look.
TEST_F(Serving, CountsNothingOfASyntheticTenant) {
  TestClient admin(application_->operator_port());
  const auto order = [&](const std::string& method, const std::string& path,
                         const std::string& body) {
    return *admin.ask(operator_request(method, path, body));
  };
  const std::string until = rfc3339(unix_ms_now() + 600'000);
  ASSERT_EQ(order("POST", "/v1/tenants",
                  R"({"slug":"probe","tier":"free","synthetic_until":")" + until + "\"}")
                .status,
            201);
  EXPECT_EQ(ask(tenant_request("probe", "POST", "/v1/records/notes", R"({"text":"x"})")).status,
            201);
  EXPECT_EQ(ask(tenant_request("globex", "GET", "/v1/whoami")).status, 200);
  EXPECT_EQ(ask("GET /ask?domain=probe.acme.localhost HTTP/1.1\r\nHost: x\r\n\r\n").status, 404);
  const auto metrics =
      TestClient(application_->metrics_port()).ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(metrics->body, HasSubstr("\"globex\""));
  EXPECT_THAT(metrics->body, testing::Not(HasSubstr("probe")));
  EXPECT_THAT(order("GET", "/v1/status", "").body, HasSubstr("\"tenants\":2,"));
  EXPECT_EQ(order("DELETE", "/v1/tenants/probe", "").status, 204);
  EXPECT_EQ(order("GET", "/v1/tenants/probe", "").status, 404);
  EXPECT_THAT(order("GET", "/v1/tenants?status=deleted", "").body,
              testing::Not(HasSubstr("probe")));
}

/// Who may read metrics may not order anything, and the operator reads them where they are read.
TEST_F(Serving, HasAListenerForMetricsAlone) {
  const auto ask_at = [](std::uint16_t port, const std::string& method, const std::string& path) {
    return TestClient(port)
        .ask(method + " " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
             std::string(TestDeployment::operator_token) + "\r\nContent-Length: 0\r\n\r\n")
        ->status;
  };
  EXPECT_EQ(ask_at(application_->metrics_port(), "GET", "/metrics"), 200);
  EXPECT_EQ(ask_at(application_->operator_port(), "GET", "/metrics"), 404);
  EXPECT_EQ(ask_at(application_->operator_port(), "GET", "/v1/tenants"), 200);
  for (const auto& [method, path] :
       {std::pair{"GET", "/v1/tenants"}, std::pair{"POST", "/v1/tenants/globex/suspend"},
        std::pair{"DELETE", "/v1/tenants/globex"}, std::pair{"GET", "/v1/records"},
        std::pair{"GET", "/v1/whoami"}, std::pair{"GET", "/livez"}}) {
    EXPECT_EQ(ask_at(application_->metrics_port(), method, path), 404) << path;
  }
  EXPECT_EQ(ask(tenant_request("globex", "GET", "/v1/whoami")).status, 200);
}

/// More than may be connected, who send half a head, nothing, or many questions whose answers they
/// do not read.
TEST_F(Serving, AScrapeAndAnOperatorGetInPastThoseWhoOnlyConnect) {
  const std::string scrape = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  std::string scrapes;
  for (int i = 0; i < 64; ++i) scrapes += scrape;
  const auto in = [](std::uint16_t port, const std::string& request) {
    const auto answer = TestClient(port).ask(request);
    return answer ? answer->status : 0;
  };
  std::vector<TestClient> clients;
  for (int i = 0; i < 300; ++i) {
    clients.emplace_back(application_->metrics_port());
    if (i % 3 > 0) clients.back().send(i % 3 == 1 ? "GET /met" : scrapes);
    if (i % 20 != 19) continue;
    ASSERT_EQ(in(application_->metrics_port(), scrape), 200) << i;
  }
  for (int i = 0; i < 1200; ++i) {
    clients.emplace_back(application_->operator_port());
    clients.back().send("GET /v1/ten");
  }
  EXPECT_EQ(in(application_->operator_port(),
               "GET /v1/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                   std::string(TestDeployment::operator_token) + "\r\n\r\n"),
            200);
}

/// A tenant's place is taken until its answer is read, and free for whoever has read it. However
/// long that takes here: the deadlines that end a peer that does not read are hours away.
TEST(ServingWithoutDeadlines, HoldsAPermitUntilTheAnswerIsSent) {
  const TestDeployment deployment(
      R"("limits": {"body-timeout-ms": 36000000, "request-timeout-ms": 36000000}, )");
  const auto application = deployment.start();
  TestClient client(application->data_port());
  const std::string value = R"({"text":")" + std::string(900'000, 'x') + "\"}";
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(client.ask(tenant_request("globex", "POST", "/v1/records/notes", value))->status,
              201);
  }
  const std::string limits = R"({"limits":{"concurrent":1}})";
  TestClient operator_client(application->operator_port());
  ASSERT_EQ(operator_client
                .ask("PATCH /v1/tenants/globex HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                     std::string(TestDeployment::operator_token) +
                     "\r\nContent-Type: application/json\r\nContent-Length: " +
                     std::to_string(limits.size()) + "\r\n\r\n" + limits)
                ->status,
            200);
  const std::string list = tenant_request("globex", "GET", "/v1/records/notes?limit=1000");
  const std::string small = tenant_request("globex", "GET", "/v1/whoami");
  TestClient slow(application->data_port());
  slow.send(list);
  std::string begun;
  ASSERT_TRUE(slow.receive_some(begun)) << "the answer is made";
  for (int i = 0; i < 20; ++i) {
    const auto refused = client.ask(small);
    ASSERT_TRUE(refused);
    ASSERT_EQ(refused->status, 429);
    ASSERT_EQ(code_of(*refused), "too-many-concurrent");
  }
  const std::size_t head = begun.find("\r\n\r\n") + 4;
  const std::size_t size = std::stoul(begun.substr(begun.find("Content-Length: ") + 16));
  while (begun.size() < head + size) ASSERT_TRUE(slow.receive_some(begun));
  for (int i = 0; i < 100; ++i) {
    const auto answer = client.ask(i % 20 == 0 ? list : small);
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->status, 200) << i;
  }
}

TEST_F(Serving, AnswersAlikeAtHostsOfOthersAndOfNobody) {
  const auto shape = [](const std::optional<TestClient::Answer>& answer) {
    if (!answer) return std::string("no answer");
    std::string text = std::to_string(answer->status);
    const std::string id = answer->field("Caisson-Request-Id");
    for (const auto& [name, value] : answer->fields)
      if (value != id && name != "Date") text.append("\n").append(name).append(": ").append(value);
    text += "\n" + answer->body;
    for (auto at = text.find(id); at != std::string::npos; at = text.find(id, at))
      text.erase(at, id.size());
    return text;
  };
  const std::string handshake =
      "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const auto at = [&](const std::string& host, const std::string& method, const std::string& path,
                      const std::string& credential) {
    TestClient client(application_->data_port());
    client.send(method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + credential +
                (path == "/v1/watch" ? handshake : "") + "\r\n");
    return shape(client.receive(method == "HEAD"));
  };
  const std::string mine = "Authorization: Bearer " + token_for("globex") + "\r\n";
  for (const std::string& credential :
       {mine, std::string(), std::string("Authorization: Bearer x\r\n")}) {
    for (const std::string method : {"GET", "HEAD", "DELETE"}) {
      for (const std::string path : {"/v1/whoami", "/v1/records", "/v1/watch", "/v1/nothing"}) {
        const std::string nobodys = at("nobody.test", method, path, credential);
        EXPECT_EQ(nobodys.substr(0, 3), credential == mine ? "403" : "401") << nobodys;
        for (const char* host : {"initech.test", "initech.acme.localhost", "nosuch.acme.localhost"})
          EXPECT_EQ(at(host, method, path, credential), nobodys) << method << " " << host << path;
      }
    }
  }
}

TEST_F(Serving, TheAuditLogSaysWhichKindOfCredentialItWas) {
  const std::string credential = token_for("globex", "read write", "operator");
  EXPECT_EQ(ask("GET /v1/whoami HTTP/1.1\r\nHost: initech.test\r\nAuthorization: Bearer " +
                credential + "\r\n\r\n")
                .status,
            403);
  application_.reset();  // refusals are on the disk when it is gone
  const auto read = [&](const char* file) {
    std::ifstream in(deployment_.directory() / "data/audit" / file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  };
  EXPECT_THAT(read("refusals/audit.ndjson"),
              HasSubstr(R"("actor":"token:operator","action":"request.refuse")"));
  EXPECT_THAT(read("refusals/audit.ndjson"), testing::Not(HasSubstr(R"("actor":"operator")")));
  EXPECT_THAT(read("audit.ndjson"),
              HasSubstr(R"("actor":"configuration","action":"tenant.create")"));
}

TEST_F(Serving, RefusesWhatDoesNotFit) {
  const auto anonymous = ask("GET /v1/records HTTP/1.1\r\nHost: globex.acme.localhost\r\n\r\n");
  EXPECT_EQ(anonymous.status, 401);
  EXPECT_EQ(anonymous.field("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(code_of(anonymous), "unauthenticated");
  const auto mismatch =
      ask(tenant_request("globex", "GET", "/v1/whoami", "", "Caisson-Tenant: initech\r\n"));
  EXPECT_EQ(mismatch.status, 403);
  EXPECT_EQ(code_of(mismatch), "tenant-mismatch");
  EXPECT_EQ(code_of(ask(tenant_request("globex", "GET", "/v1/nothing"))), "not-found");
  for (const auto* path : {"/v1/records/Orders", "/v1/records/", "/v1/records/a/b/c"}) {
    EXPECT_EQ(code_of(ask(tenant_request("globex", "GET", path))), "not-found") << path;
  }
  const auto patched = ask(tenant_request("globex", "PATCH", "/v1/records/orders"));
  EXPECT_EQ(code_of(patched), "method-not-allowed");
  EXPECT_EQ(patched.field("Allow"), "GET, HEAD, POST");
  EXPECT_EQ(ask(tenant_request("globex", "DELETE", "/v1/whoami")).field("Allow"), "GET, HEAD");
  const auto twice = ask(tenant_request("globex", "POST", "/v1/records/notes", "{}",
                                        "Idempotency-Key: a\r\nIdempotency-Key: b\r\n"));
  EXPECT_EQ(code_of(twice), "invalid-parameter");
  const auto malformed = ask("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(malformed.status, 400);
  EXPECT_EQ(code_of(malformed), "malformed-request");
  EXPECT_EQ(malformed.field("Caisson-Request-Id").size(), 36U);
}

TEST_F(Serving, RefusesWriteWithoutTheScope) {
  const std::string request =
      "POST /v1/records/notes HTTP/1.1\r\nHost: globex.acme.localhost\r\n"
      "Authorization: Bearer " +
      token_for("globex", "read") +
      "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
  EXPECT_EQ(code_of(ask(request)), "insufficient-scope");
}

TEST_F(Serving, RefusesByTheHeadBeforeABodyIsSent) {
  const std::string head = " HTTP/1.1\r\nHost: globex.acme.localhost\r\nAuthorization: Bearer " +
                           token_for("globex", "read") +
                           "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                           "Expect: 100-continue\r\n\r\n";
  const auto refused = [&](const std::string& target) {
    TestClient client(application_->data_port());
    const auto answer = client.ask("POST " + target + head);
    return answer ? code_of(*answer) : std::string();
  };
  EXPECT_EQ(refused("/v1/records/notes"), "insufficient-scope");
  EXPECT_EQ(refused("/v1/batches"), "not-found");
  EXPECT_EQ(refused("/v1/whoami"), "method-not-allowed");
}

TEST_F(Serving, RefusesStepsOfABatchWithoutTheirScope) {
  const auto made =
      ask(tenant_request("globex", "POST", "/v1/records/notes", R"({"secret":true})"));
  ASSERT_EQ(made.status, 201);
  const std::string body = R"({"operations":[{"op":"create","collection":"notes","value":{}},)"
                           R"({"op":"read","collection":"notes","id":")" +
                           id_of(made) + "\"}]}";
  const auto refused =
      ask("POST /v1/batch HTTP/1.1\r\nHost: globex.acme.localhost\r\nAuthorization: Bearer " +
          token_for("globex", "write") + "\r\nContent-Type: application/json\r\nContent-Length: " +
          std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(code_of(refused), "insufficient-scope");
  EXPECT_EQ(boost::json::parse(refused.body).at("errors").at(0).at("pointer"), "/operations/1");
  EXPECT_EQ(refused.body.find("secret"), std::string::npos);
  const auto list = ask(tenant_request("globex", "GET", "/v1/records/notes"));
  EXPECT_EQ(boost::json::parse(list.body).at("records").as_array().size(), 1U);
}

TEST_F(Serving, AnswersABoundedNumberOfDefects) {
  std::string query = "/v1/records/notes?";
  while (query.size() < 7900) query += "a&";
  const auto refused = ask(tenant_request("globex", "GET", query));
  EXPECT_EQ(code_of(refused), "invalid-parameter");
  EXPECT_EQ(boost::json::parse(refused.body).at("errors").as_array().size(), 65U);
  EXPECT_LT(refused.body.size(), 16U * 1024);
}

TEST_F(Serving, KeepsAcknowledgedRecordsOverARestart) {
  std::set<std::string> made;
  for (int i = 0; i < 20; ++i) {
    const auto answer = ask(tenant_request("globex", "POST", "/v1/records/notes", R"({"n":1})"));
    ASSERT_EQ(answer.status, 201);
    made.insert(id_of(answer));
  }
  application_->stop(true);
  application_.reset();
  application_ = deployment_.start();
  TestClient client(application_->data_port());
  for (const auto& id : made) {
    EXPECT_EQ(client.ask(tenant_request("globex", "GET", "/v1/records/notes/" + id))->status, 200);
  }
}

TEST_F(Serving, NothingIsPurgedBeforeWhatTheLastProcessLeftIsSettled) {
  application_.reset();
  const auto data = deployment_.directory() / "data";
  const SystemClock clock;
  const observe::Log log(STDERR_FILENO, observe::Level::error, "test", clock);
  observe::Metrics metrics("test", "0");
  std::string id;
  {
    const auto registry =
        tenancy::Registry::open(data, {{"free", {.retention_ms = 1}}}, clock).value();
    const auto tenants =
        tenancy::Tenants::open({.data = data, .schema = modules::Records::schema()}, *registry)
            .value();
    id = tenants->create({.slug = "late", .tier = "free"}).value()->id;
    ASSERT_TRUE(tenants->remove("late"));
    const auto audit = observe::Audit::open(data / "audit", clock, log, metrics).value();
    ASSERT_NE(audit->begin({.actor = {.kind = observe::Actor::Kind::runtime},
                            .action = "tenant.purge",
                            .tenant = "late",
                            .tenant_id = id}),
              0);
  }
  application_ = deployment_.start();
  application_.reset();
  const auto audit = observe::Audit::open(data / "audit", clock, log, metrics).value();
  std::vector<std::string> outcomes;
  for (const std::string& line : audit->operations().query({.tenant = "late"}))
    outcomes.push_back(observe::read_record(line).outcome);
  EXPECT_THAT(outcomes, testing::ElementsAre("intent", "failed", "intent", "ok"));
}

/// Whoever routes by readiness hears at once; everybody else is served as before until the drain,
/// which tells those who come then to come back.
TEST_F(Serving, ServesOnAsALameDuckAndThenSaysWhenToComeBack) {
  const std::string ready = "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string create = tenant_request("globex", "POST", "/v1/records/notes", R"({"a":1})");
  const auto fresh = [this](const std::string& request) {
    return *TestClient(application_->data_port()).ask(request);
  };
  EXPECT_EQ(fresh(ready).status, 200);
  application_->begin_to_leave();
  EXPECT_EQ(fresh(ready).status, 503);
  EXPECT_EQ(fresh("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
  const auto served = fresh(create);
  EXPECT_EQ(served.status, 201);
  EXPECT_EQ(served.field("Connection"), "close");
  TestClient slow(application_->data_port());
  slow.send(create.substr(0, create.size() - 3));
  std::thread drain([this] { application_->stop(true); });
  auto late = fresh(create);
  while (late.status == 201) late = fresh(create);
  EXPECT_EQ(late.status, 503);
  EXPECT_EQ(late.field("Retry-After"), "1");
  EXPECT_EQ(late.field("Connection"), "close");
  EXPECT_NE(late.body.find("urn:caisson:problem:draining"), std::string::npos);
  slow.send(create.substr(create.size() - 3));
  const auto answer = slow.receive();
  drain.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201);
}

TEST_F(Serving, DrainAnswersWhatHasBegunAndThenCloses) {
  TestClient slow(application_->data_port());
  const std::string request = tenant_request("globex", "POST", "/v1/records/notes", R"({"a":1})");
  slow.send(request.substr(0, request.size() - 3));
  EXPECT_EQ(ask("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
  std::thread drain([this] { application_->stop(true); });
  EXPECT_TRUE(client_.closed());
  slow.send(request.substr(request.size() - 3));
  const auto answer = slow.receive();
  drain.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->field("Connection"), "close");
}

/// A request of any kind, also a broken one: whatever one client sends, another tenant's requests
/// on other connections are answered as if nothing had happened.
TEST(Property06_ErrorIsolation, OneFailureNeverTouchesAnother) {
  const TestDeployment deployment;
  const auto application = deployment.start();
  TestClient well(application->data_port());
  const auto made = well.ask(tenant_request("initech", "POST", "/v1/records/notes", R"({"a":1})"));
  ASSERT_TRUE(made);
  const std::string path = "/v1/records/notes/" + id_of(*made);
  const std::string good = tenant_request("initech", "GET", path);
  const std::string seed =
      tenant_request("globex", "POST", "/v1/records/notes", R"({"a":[1,{"b":2}]})",
                     "If-Match: x\r\nIdempotency-Key: k\r\n");
  EXPECT_TRUE(rc::check([&] {
    std::string bad = seed;
    const auto changes = *rc::gen::inRange(1, 6);
    for (int i = 0; i < changes; ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, bad.size());
      switch (*rc::gen::inRange(0, 3)) {
        case 0:
          bad[at] = static_cast<char>(*rc::gen::inRange(0, 256));
          break;
        case 1:
          bad.erase(at, *rc::gen::inRange<std::size_t>(1, 20));
          break;
        default:
          bad.insert(at, bad.substr(*rc::gen::inRange<std::size_t>(0, bad.size()), 20));
          break;
      }
      if (bad.empty()) bad = "x";
    }
    TestClient ill(application->data_port());
    ill.send(bad);
    ill.shut_sending();
    const auto answer = well.ask(good);
    RC_ASSERT(answer.has_value());
    RC_ASSERT(answer->status == 200);
    RC_ASSERT(id_of(*answer) == id_of(*made));
    RC_ASSERT(ill.receive_all().find(id_of(*made)) == std::string::npos);
  }));
}

/// Ids of answered requests from many connections at once never repeat.
TEST(Property03_RequestIds, AreUnique) {
  const TestDeployment deployment;
  const auto application = deployment.start();
  constexpr std::size_t clients = 4;
  constexpr std::size_t requests = 1000;
  std::vector<std::vector<std::string>> seen(clients);
  std::vector<std::thread> threads;
  for (auto& ids : seen) {
    threads.emplace_back([&ids, port = application->data_port()] {
      TestClient client(port);
      const std::string batch =
          "GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/x HTTP/1.1\r\nHost: x\r\n\r\n";
      for (std::size_t i = 0; i < requests / 2; ++i) {
        client.send(batch);
        for (int answer = 0; answer < 2; ++answer) {
          if (const auto got = client.receive()) ids.push_back(got->field("Caisson-Request-Id"));
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& ids : seen) {
    EXPECT_EQ(ids.size(), requests);
    all.insert(ids.begin(), ids.end());
  }
  EXPECT_EQ(all.size(), clients * requests);
}

}  // namespace
}  // namespace caisson::runtime

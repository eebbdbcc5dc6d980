// The change feed of docs/runtime.md, "Watch", over real sockets.

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/http/test_socket.h"
#include "runtime/test_deployment.h"

namespace caisson::runtime {
namespace {

using http::handshake_fields;
using http::Opcode;
using http::TestClient;
using http::TestSocket;
using testing::HasSubstr;

namespace json = boost::json;

std::string opening(std::string_view tenant, const std::string& query = "",
                    const std::string& fields = "") {
  return tenant_request(tenant, "GET", "/v1/watch" + query, "",
                        std::string(handshake_fields) + fields);
}

std::string code_of(const TestClient::Answer& answer) {
  const auto type = json::parse(answer.body).at("type").as_string();
  return std::string(type).substr(std::string_view("urn:caisson:problem:").size());
}

class WatchingTenants : public testing::Test {
 protected:
  explicit WatchingTenants(std::string_view extra = "") : deployment_(extra) {}

  [[nodiscard]] std::uint16_t port() const { return application_->data_port(); }
  TestSocket watch(std::string_view tenant, const std::string& query = "",
                   const std::string& fields = "") const {
    return {port(), opening(tenant, query, fields)};
  }
  [[nodiscard]] TestClient::Answer ask(std::string_view request) const {
    auto answer = TestClient(port()).ask(request);
    if (!answer) throw std::runtime_error("no answer");
    return std::move(*answer);
  }
  std::string create(std::string_view tenant, std::string_view collection = "notes") const {
    const auto made =
        ask(tenant_request(tenant, "POST", "/v1/records/" + std::string(collection), R"({"a":1})"));
    return std::string(json::parse(made.body).at("id").as_string());
  }
  [[nodiscard]] TestClient::Answer order(const std::string& method, const std::string& target,
                                         const std::string& body = "") const {
    auto answer =
        TestClient(application_->operator_port()).ask(operator_request(method, target, body));
    if (!answer) throw std::runtime_error("no answer of the operator API");
    return std::move(*answer);
  }
  [[nodiscard]] std::string metrics() const {
    const auto answer =
        TestClient(application_->metrics_port()).ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    return answer ? answer->body : "";
  }
  /// A key of globex, as `{"id","key"}`.
  [[nodiscard]] json::value make_key(const std::string& expires = "") const {
    return json::parse(order("POST", "/v1/tenants/globex/keys",
                             R"({"name":"k","scopes":["read"])" +
                                 (expires.empty() ? "" : R"(,"expires":")" + expires + '"') + "}")
                           .body);
  }
  [[nodiscard]] TestSocket watch_with(std::string_view credential,
                                      const std::string& fields = "") const {
    std::string request = "GET /v1/watch HTTP/1.1\r\nHost: globex.acme.localhost\r\n";
    if (!credential.empty()) request.append("Authorization: Bearer ").append(credential) += "\r\n";
    return {port(), request.append(handshake_fields).append(fields).append("\r\n")};
  }

  TestDeployment deployment_;
  std::unique_ptr<Application> application_ = deployment_.start();
};

TEST_F(WatchingTenants, FollowsEveryChangeOfItsOwn) {
  TestSocket socket = watch("globex");
  ASSERT_EQ(socket.answer().status, 101);
  EXPECT_EQ(socket.answer().field("Caisson-Request-Id").size(), 36U);
  const auto start = json::parse(socket.text());
  EXPECT_FALSE(start.at("gap").as_bool());
  std::int64_t sequence = start.at("sequence").as_int64();

  create("initech");
  const std::string id = create("globex");
  const std::string path = "/v1/records/notes/" + id;
  EXPECT_EQ(ask(tenant_request("globex", "PUT", path, R"({"a":2})")).status, 200);
  EXPECT_EQ(ask(tenant_request("globex", "DELETE", path)).status, 204);
  EXPECT_EQ(ask(tenant_request("globex", "POST", "/v1/batch",
                               R"({"operations":[{"op":"create","collection":"tasks","value":{}},
                                  {"op":"read","collection":"tasks","id":"x"}]})"))
                .status,
            404);  // undone: never told
  create("globex", "tasks");

  const std::vector<std::pair<std::string, std::int64_t>> expected{
      {"created", 1}, {"replaced", 2}, {"deleted", 2}, {"created", 1}};
  for (const auto& [op, version] : expected) {
    const auto change = json::parse(socket.text());
    EXPECT_EQ(change.at("sequence").as_int64(), ++sequence);
    EXPECT_EQ(change.at("op").as_string(), op);
    EXPECT_EQ(change.at("version").as_int64(), version);
    EXPECT_EQ(change.at("time").as_string().size(), 24U);
    if (change.at("collection").as_string() == "notes") {
      EXPECT_EQ(change.at("id").as_string(), id);
    }
  }
  socket.send(Opcode::close, "\x03\xe8");
  EXPECT_EQ(socket.close_code(), 1000);
}

TEST_F(WatchingTenants, ResumesAfterADisconnect) {
  std::int64_t seen = 0;
  {
    TestSocket socket = watch("globex");
    seen = json::parse(socket.text()).at("sequence").as_int64();
  }
  create("globex");
  create("globex", "tasks");
  TestSocket again = watch("globex", "?collection=tasks&after=" + std::to_string(seen));
  EXPECT_FALSE(json::parse(again.text()).at("gap").as_bool());
  EXPECT_EQ(json::parse(again.text()).at("sequence").as_int64(), seen + 2);
  TestSocket stranger = watch("initech", "?after=" + std::to_string(seen));
  EXPECT_TRUE(json::parse(stranger.text()).at("gap").as_bool());
}

TEST_F(WatchingTenants, SaysThatARestartLosesTheWindow) {
  std::int64_t seen = 0;
  {
    TestSocket socket = watch("globex");
    seen = json::parse(socket.text()).at("sequence").as_int64();
  }
  application_.reset();
  application_ = deployment_.start();
  TestSocket again = watch("globex", "?after=" + std::to_string(seen));
  const auto start = json::parse(again.text());
  EXPECT_TRUE(start.at("gap").as_bool());
  EXPECT_GT(start.at("sequence").as_int64(), seen);
}

TEST_F(WatchingTenants, SaysThatARestoreChangedAnything) {
  create("globex");
  const auto snapshot = json::parse(order("POST", "/v1/tenants/globex/snapshots").body);
  TestSocket socket = watch("globex");
  EXPECT_FALSE(json::parse(socket.text()).at("gap").as_bool());
  ASSERT_EQ(order("POST", "/v1/tenants/globex/restore",
                  R"({"snapshot":")" + std::string(snapshot.at("id").as_string()) + R"("})")
                .status,
            200);
  EXPECT_TRUE(json::parse(socket.text()).at("gap").as_bool());
}

TEST_F(WatchingTenants, RefusesAsAnyOtherRequest) {
  const auto status = [this](const std::string& request) { return ask(request).status; };
  EXPECT_EQ(status("GET /v1/watch HTTP/1.1\r\nHost: globex.acme.localhost\r\n" +
                   std::string(handshake_fields) + "\r\n"),
            401);
  const auto mismatch = ask(opening("globex", "", "Caisson-Tenant: initech\r\n"));
  EXPECT_EQ(mismatch.status, 403);
  EXPECT_EQ(code_of(mismatch), "tenant-mismatch");
  const auto plain = ask(tenant_request("globex", "GET", "/v1/watch"));
  EXPECT_EQ(plain.status, 426);
  EXPECT_EQ(plain.field("Upgrade"), "websocket");
  EXPECT_EQ(plain.field("Sec-WebSocket-Version"), "13");
  EXPECT_EQ(ask(tenant_request("globex", "POST", "/v1/watch", "{}")).field("Allow"), "GET");
  EXPECT_EQ(status(opening("globex", "?after=x")), 400);
  EXPECT_EQ(status(opening("globex", "?after=1&after=2")), 400);
  EXPECT_EQ(status(opening("globex", "?collection=No")), 400);
  EXPECT_EQ(status(opening("globex", "?token=secret")), 400);
  EXPECT_EQ(status(opening("globex", "", "Sec-WebSocket-Protocol: chat\r\n")), 400);
}

TEST_F(WatchingTenants, ChecksTheOriginOfPages) {
  const auto from = [this](const std::string& origin, const std::string& tenant = "initech") {
    return watch(tenant, "", "Origin: " + origin + "\r\n").answer();
  };
  EXPECT_EQ(from("https://initech.acme.localhost").status, 101);
  EXPECT_EQ(from("http://initech.acme.localhost:18080").status, 101);
  EXPECT_EQ(from("https://initech.test").status, 101);
  for (const std::string foreign :
       {"https://globex.acme.localhost", "https://evil.test",
        "https://initech.acme.localhost.evil.test", "null", "initech.test",
        "https://initech.test:x", "ftp://initech.test"}) {
    const auto refused = from(foreign);
    EXPECT_EQ(refused.status, 403) << foreign;
    EXPECT_EQ(code_of(refused), "foreign-origin");
  }
  EXPECT_EQ(from("https://initech.test", "globex").status, 403);
  const auto audit = order("GET", "/v1/audit?log=refusals&tenant=initech&limit=100").body;
  EXPECT_THAT(audit, HasSubstr("foreign-origin"));
}

TEST_F(WatchingTenants, TakesATicketOnce) {
  const auto issued = ask(tenant_request("globex", "POST", "/v1/watch/tickets"));
  ASSERT_EQ(issued.status, 201);
  const std::string ticket(json::parse(issued.body).at("ticket").as_string());
  const std::string offer =
      "Sec-WebSocket-Protocol: caisson.watch.v1, caisson.ticket." + ticket + "\r\n";
  TestSocket socket = watch_with("", offer + "Origin: https://globex.acme.localhost\r\n");
  ASSERT_EQ(socket.answer().status, 101);
  EXPECT_EQ(socket.answer().field("Sec-WebSocket-Protocol"), "caisson.watch.v1");
  EXPECT_THAT(socket.text(), HasSubstr("sequence"));
  EXPECT_EQ(watch_with("", offer).answer().status, 401);  // used
  EXPECT_THAT(deployment_.log(), testing::Not(HasSubstr(ticket)));
}

TEST_F(WatchingTenants, TakesATicketForNothingElse) {
  const auto issue = [this] {
    const auto issued = ask(tenant_request("globex", "POST", "/v1/watch/tickets"));
    return "Sec-WebSocket-Protocol: caisson.watch.v1, caisson.ticket." +
           std::string(json::parse(issued.body).at("ticket").as_string()) + "\r\n";
  };
  const std::string offer = issue();
  EXPECT_EQ(ask("GET /v1/records HTTP/1.1\r\nHost: globex.acme.localhost\r\n" +
                std::string(handshake_fields) + offer + "\r\n")
                .status,
            401);
  // For another tenant's host it is used up and refused.
  EXPECT_EQ(ask("GET /v1/watch HTTP/1.1\r\nHost: initech.acme.localhost\r\n" +
                std::string(handshake_fields) + offer + "\r\n")
                .status,
            403);
  EXPECT_EQ(watch_with("", offer).answer().status, 401);
  EXPECT_EQ(watch("globex", "", issue()).answer().status, 401);  // two credentials
  const auto key = make_key();
  const auto by_key =
      ask("POST /v1/watch/tickets HTTP/1.1\r\nHost: globex.acme.localhost\r\n"
          "Content-Length: 0\r\nAuthorization: Bearer " +
          std::string(key.at("key").as_string()) + "\r\n\r\n");
  ASSERT_EQ(by_key.status, 201);
  EXPECT_EQ(
      order("DELETE", "/v1/tenants/globex/keys/" + std::string(key.at("id").as_string())).status,
      204);
  EXPECT_EQ(
      watch_with("", "Sec-WebSocket-Protocol: caisson.watch.v1, caisson.ticket." +
                         std::string(json::parse(by_key.body).at("ticket").as_string()) + "\r\n")
          .answer()
          .status,
      401);
}

TEST_F(WatchingTenants, EndsWhenTheKeyIsRevoked) {
  const auto key = make_key();
  TestSocket socket = watch_with(key.at("key").as_string());
  TestSocket other = watch("globex");
  EXPECT_FALSE(socket.text().empty());
  EXPECT_FALSE(other.text().empty());
  EXPECT_EQ(
      order("DELETE", "/v1/tenants/globex/keys/" + std::string(key.at("id").as_string())).status,
      204);
  EXPECT_EQ(socket.close_code(), 4401);
  create("globex");
  EXPECT_THAT(other.text(), HasSubstr("created"));
  socket.send(Opcode::close, "\x11\x31");
  EXPECT_TRUE(socket.closed());
  EXPECT_THAT(order("GET", "/v1/audit?log=refusals&tenant=globex&limit=100").body,
              HasSubstr("close code 4401"));
}

TEST_F(WatchingTenants, EndsWhenTheKeyExpires) {
  const auto soon = std::chrono::system_clock::now() + std::chrono::seconds(2);
  const auto key = make_key(rfc3339(
      std::chrono::duration_cast<std::chrono::milliseconds>(soon.time_since_epoch()).count()));
  TestSocket socket = watch_with(key.at("key").as_string());
  ASSERT_EQ(socket.answer().status, 101);
  EXPECT_EQ(socket.close_code(), 4401);
}

TEST_F(WatchingTenants, EndsWithItsTenant) {
  TestSocket suspended = watch("globex");
  TestSocket deleted = watch("initech");
  EXPECT_FALSE(suspended.text().empty());
  EXPECT_FALSE(deleted.text().empty());
  EXPECT_EQ(order("POST", "/v1/tenants/globex/suspend").status, 200);
  EXPECT_EQ(suspended.close_code(), 4403);
  EXPECT_EQ(order("DELETE", "/v1/tenants/initech").status, 204);
  EXPECT_EQ(deleted.close_code(), 4410);
}

TEST_F(WatchingTenants, EndsWhenTheRuntimeStops) {
  TestSocket socket = watch("globex");
  EXPECT_FALSE(socket.text().empty());
  std::thread stop([this] { application_->stop(true); });
  EXPECT_EQ(socket.close_code(), 1001);
  socket.send(Opcode::close, "\x03\xe9");
  EXPECT_TRUE(socket.closed());
  stop.join();
}

TEST_F(WatchingTenants, CountsSockets) {
  TestSocket socket = watch("globex");
  EXPECT_FALSE(socket.text().empty());
  {
    TestSocket brief = watch("initech");
    EXPECT_FALSE(brief.text().empty());
    brief.send(Opcode::close, "\x03\xe8");
    EXPECT_EQ(brief.close_code(), 1000);
  }
  const auto scraped = metrics();
  EXPECT_THAT(scraped, HasSubstr(R"(caisson_sockets{instance="runtime",tenant="globex"} 1)"));
  EXPECT_THAT(scraped,
              HasSubstr(R"(caisson_socket_closes_total{instance="runtime",code="1000"} 1)"));
  EXPECT_THAT(scraped, HasSubstr(R"(caisson_socket_messages_total{instance="runtime"} 2)"));
}

TEST_F(WatchingTenants, KeepsToTheLimitOfSockets) {
  EXPECT_EQ(order("PATCH", "/v1/tenants/globex", R"({"limits":{"sockets":2}})").status, 200);
  TestSocket first = watch("globex");
  {
    TestSocket second = watch("globex");
    EXPECT_FALSE(second.text().empty());
    const auto refused = watch("globex").answer();
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(code_of(refused), "too-many-sockets");
    EXPECT_EQ(refused.field("Retry-After"), "1");
    EXPECT_EQ(watch("initech").answer().status, 101);
    second.send(Opcode::close);
    EXPECT_NE(second.close_code(), 0);
    EXPECT_TRUE(second.closed());
  }
  // The place is free once the server has seen the end of the connection.
  int status = 0;
  for (int i = 0; i < 100 && status != 101; ++i) {
    status = watch("globex").answer().status;
    if (status != 101) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(status, 101);
}

class WatchingFewStores : public WatchingTenants {
 protected:
  WatchingFewStores() : WatchingTenants(R"("limits": {"open-tenants": 1},)") {}
};

TEST_F(WatchingFewStores, HoldsNoStoreOpen) {
  TestSocket socket = watch("globex");
  EXPECT_FALSE(socket.text().empty());
  create("globex");
  EXPECT_THAT(socket.text(), HasSubstr("created"));
  create("initech");  // takes the only place
  EXPECT_THAT(metrics(), HasSubstr(R"(caisson_tenant_evictions_total{instance="runtime"} 1)"));
  create("globex");
  EXPECT_THAT(socket.text(), HasSubstr("created"));
}

TEST_F(WatchingTenants, KeepsTracesInLogAndAudit) {
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const auto status = [this](const std::string& fields) {
    return ask(tenant_request("globex", "GET", "/v1/whoami", "", fields)).status;
  };
  const std::string valid = "traceparent: 00-" + trace + "-00f067aa0ba902b7-01\r\n";
  const std::string invalid =
      "traceparent: 00-" + std::string(32, 'f') + "-00f067aa0ba902b7-0x\r\n";
  EXPECT_EQ(status(valid + "tracestate: a=1\r\n"), 200);
  EXPECT_THAT(deployment_.log(), HasSubstr(R"("trace_id":")" + trace + R"(","parent_id":)"));
  EXPECT_THAT(deployment_.log(), HasSubstr(R"("tracestate":"a=1")"));
  EXPECT_EQ(status(valid + "Caisson-Tenant: initech\r\n"), 403);
  EXPECT_EQ(status(invalid + "Caisson-Tenant: initech\r\n"), 403);
  const auto audit = order("GET", "/v1/audit?log=refusals&tenant=globex&limit=100").body;
  EXPECT_THAT(audit, HasSubstr(R"("trace_id":")" + trace));
  EXPECT_THAT(audit, testing::Not(HasSubstr(std::string(32, 'f'))));
  EXPECT_THAT(order("POST", "/v1/audit/verify").body, HasSubstr(R"("valid":true)"));
}

}  // namespace
}  // namespace caisson::runtime

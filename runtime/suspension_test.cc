// What becomes of requests that were let in before their tenant was suspended, or their credential
// withdrawn, over real connections.

#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/http/test_client.h"
#include "runtime/test_deployment.h"

namespace caisson::runtime {
namespace {

namespace json = boost::json;
using http::TestClient;
using testing::HasSubstr;

class Suspension : public testing::Test {
 protected:
  [[nodiscard]] TestClient::Answer order(const std::string& method, const std::string& target,
                                         const std::string& body = "") const {
    auto answer =
        TestClient(application_->operator_port()).ask(operator_request(method, target, body));
    if (!answer) throw std::runtime_error("no answer of the operator API");
    return std::move(*answer);
  }

  /// Ids of all records that globex has in a snapshot that is taken now.
  [[nodiscard]] std::set<std::string> records_now() const {
    const auto made = order("POST", "/v1/tenants/globex/snapshots");
    const std::string snapshot(json::parse(made.body).at("id").as_string());
    std::set<std::string> ids;
    std::string after;
    do {
      const auto page = json::parse(
          order("GET", "/v1/tenants/globex/snapshots/" + snapshot + "/records" + after).body);
      for (const auto& record : page.at("records").as_array())
        ids.emplace(record.at("id").as_string());
      const auto* next = page.at("next").if_string();
      after = next == nullptr ? "" : "?after=" + std::string(*next);
    } while (!after.empty());
    return ids;
  }

  /// Sends a request but for the end of its body, and that once `meanwhile` has happened.
  [[nodiscard]] TestClient::Answer late(std::string_view request,
                                        const std::function<void()>& meanwhile) const {
    TestClient client(application_->data_port());
    const std::size_t held = request.size() - 3;
    const std::size_t head = request.find("\r\n\r\n") + 4;
    client.send(request.substr(0, head));
    const auto interim = client.receive();
    if (!interim || interim->status != 100) throw std::runtime_error("it was not let in");
    client.send(request.substr(head, held - head));
    meanwhile();
    client.send(request.substr(held));
    auto answer = client.receive();
    if (!answer) throw std::runtime_error("no answer");
    return std::move(*answer);
  }

  static std::string post(std::string_view credential) {
    return "POST /v1/records/notes HTTP/1.1\r\nHost: globex.acme.localhost\r\nAuthorization: "
           "Bearer " +
           std::string(credential) +
           "\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 15"
           "\r\n\r\n{\"text\":\"late\"}";
  }

  TestDeployment deployment_;
  std::unique_ptr<Application> application_ = deployment_.start();
};

TEST_F(Suspension, RefusesARequestWhoseBodyComesAfterIt) {
  std::set<std::string> then;
  const auto answer = late(post(token_for("globex")), [&] {
    EXPECT_EQ(order("POST", "/v1/tenants/globex/suspend").status, 200);
    then = records_now();
  });
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("tenant-suspended"));
  EXPECT_EQ(records_now(), then);
  EXPECT_THAT(order("GET", "/v1/audit?log=refusals&newest=1").body, HasSubstr("tenant-suspended"));
}

TEST_F(Suspension, AsOfADeletedTenant) {
  const auto answer = late(post(token_for("globex")),
                           [&] { EXPECT_EQ(order("DELETE", "/v1/tenants/globex").status, 204); });
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("tenant-deleted"));
}

TEST_F(Suspension, AsOfARevokedKey) {
  const auto key = json::parse(
      order("POST", "/v1/tenants/globex/keys", R"({"name":"k","scopes":["read","write"]})").body);
  const auto answer = late(post(key.at("key").as_string()), [&] {
    const std::string id(key.at("id").as_string());
    EXPECT_EQ(order("DELETE", "/v1/tenants/globex/keys/" + id).status, 204);
  });
  EXPECT_EQ(answer.status, 401);
  EXPECT_THAT(answer.body, HasSubstr("invalid-credential"));
  EXPECT_TRUE(records_now().empty());
}

TEST_F(Suspension, AsOfATokenWhoseKeyIsReplaced) {
  const std::string token = token_for("globex");
  const auto answer = late(post(token), [&] {
    std::ofstream(deployment_.directory() / "token.key")
        << "another secret of the test deployment, as long as the first";
    while (true) {
      const auto asked = TestClient(application_->data_port())
                             .ask(
                                 "GET /v1/whoami HTTP/1.1\r\nHost: globex.acme.localhost\r\n"
                                 "Authorization: Bearer " +
                                 token + "\r\n\r\n");
      if (asked && asked->status == 401) break;
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(answer.status, 401);
  EXPECT_TRUE(records_now().empty());
}

/// Each request computes for longer than a tenant may at a time, so that many wait for the store
/// when the suspension comes.
TEST_F(Suspension, AWriteThatWasAcceptedIsInEveryLaterSnapshot) {
  constexpr int rounds = 2;
  constexpr int connections = 24;
  constexpr int operations = 200;
  std::string body = R"({"operations":[)";
  for (int i = 0; i < operations; ++i) {
    if (i > 0) body += ',';
    body += R"({"op":"create","collection":"notes","value":{"n":1}})";
  }
  body += "]}";
  const std::string request = tenant_request("globex", "POST", "/v1/batch", body);
  for (int round = 0; round < rounds; ++round) {
    std::atomic<int> accepted = 0;
    std::mutex mutex;
    std::vector<std::string> ids;  // one of each that was accepted, before or after
    std::vector<std::jthread> clients;
    for (int i = 0; i < connections; ++i) {
      clients.emplace_back([&] {
        TestClient client(application_->data_port());
        while (true) {
          const auto answer = client.ask(request);
          if (!answer || answer->status != 200) return;
          ++accepted;
          const auto results = json::parse(answer->body).at("results");
          const std::scoped_lock lock(mutex);
          ids.emplace_back(results.at(0).at("id").as_string());
        }
      });
    }
    while (accepted < connections) std::this_thread::yield();
    EXPECT_EQ(order("POST", "/v1/tenants/globex/suspend").status, 200);
    const auto then = records_now();
    clients.clear();
    EXPECT_GE(ids.size(), std::size_t{connections});
    for (const auto& id : ids) EXPECT_TRUE(then.contains(id)) << "round " << round;
    EXPECT_EQ(records_now().size(), then.size()) << "nothing is written any more";
    EXPECT_EQ(order("POST", "/v1/tenants/globex/resume").status, 200);
  }
}

}  // namespace
}  // namespace caisson::runtime

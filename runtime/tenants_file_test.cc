#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
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

namespace fs = std::filesystem;
namespace json = boost::json;
using http::TestClient;
using testing::HasSubstr;

/// A deployment whose 400 tenants are in a file, as a ConfigMap shows one: a link to a link into a
/// directory, which is replaced as a whole.
class TenantsInAFile : public testing::Test {
 protected:
  TenantsInAFile() {
    for (int i = 0; i < 400; ++i) tenants_["t" + std::to_string(i)] = "";
    tenants_["globex"] = "";
    fs::create_directory(directory() / "tenants");
    write(text());
    fs::create_symlink("..data/tenants.ndjson", directory() / "tenants/tenants.ndjson");
    std::ifstream in(deployment_.configuration_file());
    auto configuration =
        json::parse(std::string(std::istreambuf_iterator<char>(in), {})).as_object();
    configuration.erase("tenants");
    configuration["tenants-file"] = "tenants/tenants.ndjson";
    std::ofstream(deployment_.configuration_file()) << json::serialize(configuration);
    application_ = deployment_.start();
  }

  [[nodiscard]] const fs::path& directory() const { return deployment_.directory(); }

  /// From now on the tiers are in the file too, as `tiers`.
  void move_tiers(const std::string& tiers) {
    application_.reset();
    std::ifstream in(deployment_.configuration_file());
    auto configuration =
        json::parse(std::string(std::istreambuf_iterator<char>(in), {})).as_object();
    configuration.erase("tiers");
    std::ofstream(deployment_.configuration_file()) << json::serialize(configuration);
    tiers_ = tiers;
    write(text());
    application_ = deployment_.start();
  }

  void restart() {
    application_.reset();
    application_ = deployment_.start();
  }

  [[nodiscard]] std::string text() const {
    std::string text = tiers_.empty() ? "" : R"({"tiers":)" + tiers_ + "}\n";
    for (const auto& [slug, more] : tenants_) {
      text += R"({"slug":")" + slug + R"(","tier":"free")" + more + "}\n";
    }
    return text;
  }

  /// As the kubelet does it: a new directory, and one rename of a link.
  void write(const std::string& text) {
    const auto version = "..v" + std::to_string(++versions_);
    fs::create_directory(directory() / "tenants" / version);
    std::ofstream(directory() / "tenants" / version / "tenants.ndjson") << text;
    fs::create_symlink(version, directory() / "tenants/..next");
    fs::rename(directory() / "tenants/..next", directory() / "tenants/..data");
  }

  int status(const std::string& slug) {
    TestClient client(application_->data_port());
    const auto answer = client.ask(tenant_request(slug, "GET", "/v1/records/notes"));
    return answer ? answer->status : 0;
  }

  std::string ask_operator(const std::string& method, const std::string& target,
                           const std::string& body = "") {
    TestClient client(application_->operator_port());
    const auto answer = client.ask(
        method + " " + target + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
        std::string(TestDeployment::operator_token) + "\r\nContent-Type: application/json" +
        "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return answer ? answer->body : "";
  }

  /// Waits for what has to come, which ctest's own limit ends.
  static void wait_for(const std::function<bool()>& done) {
    while (!done()) std::this_thread::yield();
  }

  bool current() {
    const auto answer =
        TestClient(application_->metrics_port()).ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    return answer && answer->body.find(R"(caisson_tenants_current{instance="runtime"} 1)") !=
                         std::string::npos;
  }

  TestDeployment deployment_;
  std::map<std::string, std::string> tenants_;  ///< what each says besides slug and tier
  std::string tiers_;                           ///< as JSON; empty: in the configuration
  int versions_ = 0;
  std::unique_ptr<Application> application_;
};

TEST_F(TenantsInAFile, ChangesHoldWithoutARequestLost) {
  std::atomic<bool> stop = false;
  std::atomic<int> lost = 0;
  std::vector<std::jthread> clients;
  for (const std::string slug : {"globex", "t0", "t399"}) {
    clients.emplace_back([&, slug] {
      TestClient client(application_->data_port());
      while (!stop) {
        const auto answer =
            client.ask(tenant_request(slug, "POST", "/v1/records/notes", R"({"n":1})"));
        lost += answer && answer->status == 201 ? 0 : 1;
      }
    });
  }
  EXPECT_NE(status("hooli"), 200);
  tenants_["hooli"] = "";
  tenants_["t1"] = R"(,"status":"suspended")";
  tenants_["t2"] = R"(,"limits":{"body":3})";
  tenants_["globex"] = R"(,"limits":{"storage":1000000000})";  // its open store takes it on
  write(text());
  wait_for([&] { return status("hooli") == 200; });
  EXPECT_EQ(status("t1"), 403);
  EXPECT_THAT(ask_operator("GET", "/v1/tenants/t2"), HasSubstr(R"("limits":{"body":3})"));
  tenants_.erase("t3");
  tenants_["t1"] = "";
  write(text());
  wait_for([&] { return status("t1") == 200; });
  EXPECT_EQ(status("t3"), 200) << "a tenant that leaves the file is kept";
  stop = true;
  clients.clear();
  EXPECT_EQ(lost, 0);
}

TEST_F(TenantsInAFile, ABrokenFileChangesNothingAndIsSeen) {
  wait_for([&] { return status("globex") == 200; });
  const auto good = text();
  for (const std::string& broken :
       {good + "{", good + R"({"slug":"t0","tier":"free"})" + "\n",
        good + R"({"slug":"hooli","tier":"gold"})" + "\n",
        good + R"({"slug":"hooli","tier":"free","domains":["a.example"]})" + "\n" +
            R"({"slug":"massive","tier":"free","domains":["a.example"]})" + "\n"}) {
    write(broken);
    wait_for([&] { return !current(); });
    EXPECT_EQ(status("globex"), 200);
    EXPECT_NE(status("hooli"), 200);
    EXPECT_THAT(ask_operator("GET", "/v1/status"), HasSubstr(R"("tenants_current":false)"));
    TestClient client(application_->data_port());
    EXPECT_EQ(client.ask("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")->status, 200);
    write(good);
    wait_for([&] { return current(); });
  }
  EXPECT_THAT(deployment_.log(), HasSubstr("the tenants file cannot be applied"));
  EXPECT_THAT(deployment_.log(), HasSubstr("tenants.ndjson:402"));
}

TEST_F(TenantsInAFile, WhatTheOperatorDidStaysUntilTheFileSaysOtherwiseOfThatTenant) {
  ask_operator("POST", "/v1/tenants/globex/suspend");
  EXPECT_EQ(status("globex"), 403);
  tenants_["hooli"] = "";
  write(text());
  wait_for([&] { return status("hooli") == 200; });
  EXPECT_EQ(status("globex"), 403);
  restart();
  EXPECT_EQ(status("globex"), 403);
  EXPECT_THAT(ask_operator("GET", "/v1/tenants/globex"),
              HasSubstr(R"("from":{"status":"operator","limits":{}})"));
  tenants_["globex"] = R"(,"status":"suspended")";
  tenants_["t1"] = R"(,"name":"seen")";
  write(text());
  wait_for([&] { return ask_operator("GET", "/v1/tenants/t1").find("seen") != std::string::npos; });
  EXPECT_THAT(ask_operator("GET", "/v1/tenants/globex"),
              HasSubstr(R"("from":{"status":"configuration","limits":{}})"));
  EXPECT_THAT(ask_operator("POST", "/v1/tenants/globex/resume"), HasSubstr("set its 'status'"));
  tenants_["globex"] = "";
  write(text());
  wait_for([&] { return status("globex") == 200; });
}

TEST_F(TenantsInAFile, LimitsOfAnEmergencyOutliveEverythingButTheirOwnChange) {
  tenants_["globex"] = R"(,"limits":{"burst":40,"sockets":9})";
  write(text());
  const auto globex = [&] { return ask_operator("GET", "/v1/tenants/globex"); };
  const auto says = [&](const char* text) {
    return [&globex, text] { return globex().find(text) != std::string::npos; };
  };
  wait_for(says(R"("limits":{"burst":40,"sockets":9})"));
  EXPECT_THAT(ask_operator("PATCH", "/v1/tenants/globex", R"({"limits":{"burst":4}})"),
              HasSubstr(R"("limits":{"burst":4,"sockets":9})"));
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_THAT(globex(), HasSubstr(R"("limits":{"burst":4,"sockets":9})"));
    EXPECT_THAT(globex(), HasSubstr(R"("limits":{"burst":"operator","sockets":"configuration"})"));
    restart();
  }
  tenants_["globex"] = R"(,"limits":{"burst":40,"sockets":8})";
  write(text());
  wait_for(says(R"("limits":{"burst":4,"sockets":8})"));
  EXPECT_THAT(ask_operator("PATCH", "/v1/tenants/globex", R"({"limits":{"burst":null}})"),
              HasSubstr(R"("limits":{"burst":40,"sockets":8})"));
  ask_operator("PATCH", "/v1/tenants/globex", R"({"limits":{"burst":4}})");
  tenants_["globex"] = R"(,"limits":{"burst":41,"sockets":8})";
  write(text());
  wait_for(says(R"("limits":{"burst":41,"sockets":8})"));
}

TEST_F(TenantsInAFile, ASuspensionHoldsForRequestsWhoseBodyIsStillOnItsWay) {
  TestClient client(application_->data_port());
  const auto request = tenant_request("globex", "POST", "/v1/records/notes", R"({"n":1})",
                                      "Expect: 100-continue\r\n");
  const std::size_t head = request.find("\r\n\r\n") + 4;
  client.send(request.substr(0, head));
  ASSERT_EQ(client.receive()->status, 100);
  tenants_["globex"] = R"(,"status":"suspended")";
  write(text());
  wait_for([&] { return status("globex") == 403; });
  client.send(request.substr(head));
  EXPECT_EQ(client.receive()->status, 403);
  tenants_["globex"] = "";
  write(text());
  wait_for([&] { return status("globex") == 200; });
  TestClient reader(application_->data_port());
  EXPECT_THAT(reader.ask(tenant_request("globex", "GET", "/v1/records/notes"))->body,
              HasSubstr(R"("records":[])"));
}

TEST_F(TenantsInAFile, ADomainGoesToWhomTheFileNamesAndNobodyElseIsHeldUp) {
  move_tiers(R"({"free":{"retention-ms":3600000}})");
  const auto shows = [&](const std::string& slug, const std::string& domains) {
    return ask_operator("GET", "/v1/tenants/" + slug).find(R"("domains":)" + domains) !=
           std::string::npos;
  };
  tenants_["globex"] = R"(,"domains":["shop.example.net"])";
  write(text());
  wait_for([&] { return shows("globex", R"(["shop.example.net"])"); });
  ask_operator("POST", "/v1/tenants",
               R"({"slug":"made","tier":"free","domains":["made.example.net"]})");
  // The slug is renamed, a tenant that the operator made has what another gets, and one is
  // suspended by the way.
  tenants_.erase("globex");
  tenants_["globex-eu"] = R"(,"domains":["shop.example.net"])";
  tenants_["t2"] = R"(,"domains":["made.example.net"])";
  tenants_["t1"] = R"(,"status":"suspended")";
  write(text());
  wait_for([&] { return status("t1") == 403; });
  EXPECT_TRUE(current());
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_TRUE(shows("globex-eu", R"(["shop.example.net"])"));
    EXPECT_TRUE(shows("t2", R"(["made.example.net"])"));
    EXPECT_TRUE(shows("globex", "[]"));
    EXPECT_TRUE(shows("made", "[]"));
    restart();
  }
  const auto records = ask_operator("GET", "/v1/audit?tenant=globex&newest=10");
  EXPECT_THAT(records, HasSubstr("the configuration gives shop.example.net to tenant globex-eu"));
  EXPECT_THAT(deployment_.log(),
              HasSubstr(R"("domain":"shop.example.net","from":"globex","to":"globex-eu")"));
  // The same at a start alone: what changed while nobody ran.
  application_.reset();
  tenants_.erase("globex-eu");
  tenants_["globex"] = R"(,"domains":["shop.example.net"])";
  write(text());
  application_ = deployment_.start();
  EXPECT_TRUE(shows("globex", R"(["shop.example.net"])"));
  // Two tenants swap.
  tenants_["globex"] = R"(,"domains":["made.example.net"])";
  tenants_["t2"] = R"(,"domains":["shop.example.net"])";
  write(text());
  wait_for([&] { return shows("t2", R"(["shop.example.net"])"); });
  EXPECT_TRUE(shows("globex", R"(["made.example.net"])"));
  // A tenant that is deleted keeps its data for a while, and its domains not at all.
  ask_operator("DELETE", "/v1/tenants/t2");
  EXPECT_THAT(ask_operator("GET", "/v1/audit?tenant=t2&newest=2"),
              HasSubstr(R"("reason":"gives up shop.example.net")"));
  EXPECT_THAT(ask_operator("PATCH", "/v1/tenants/made", R"({"domains":["shop.example.net"]})"),
              HasSubstr("the configuration gives shop.example.net to tenant t2"));
  tenants_.erase("t2");
  tenants_["t3"] = R"(,"domains":["shop.example.net"])";
  write(text());
  wait_for([&] { return shows("t3", R"(["shop.example.net"])"); });
  EXPECT_TRUE(current());
}

TEST_F(TenantsInAFile, TiersInTheFileChangeWithoutARestart) {
  move_tiers(R"({"free":{"isolation":"schema","limits":{"burst":50}}})");
  EXPECT_THAT(ask_operator("GET", "/v1/tenants/t7"), HasSubstr(R"("limits":{"burst":50})"));
  ask_operator("PATCH", "/v1/tenants/globex", R"({"limits":{"burst":4}})");
  ask_operator("POST", "/v1/tenants", R"({"slug":"visitor","tier":"free"})");
  tiers_ = R"({"free":{"limits":{"burst":60}},"pro":{"limits":{"burst":600}}})";
  tenants_["hooli"] = "";
  write(text());
  wait_for([&] { return status("hooli") == 200; });
  for (const char* slug : {"t0", "t399", "visitor", "hooli"}) {
    EXPECT_THAT(ask_operator("GET", "/v1/tenants/" + std::string(slug)),
                HasSubstr(R"("limits":{"burst":60})"));
  }
  EXPECT_THAT(ask_operator("GET", "/v1/tenants/globex"), HasSubstr(R"("limits":{"burst":4})"));
  EXPECT_THAT(ask_operator("POST", "/v1/tenants", R"({"slug":"guest","tier":"pro"})"),
              HasSubstr(R"("limits":{"burst":600})"));
  const auto records = ask_operator("GET", "/v1/audit?newest=10");
  EXPECT_THAT(records, HasSubstr("1 created, 0 updated, tiers changed for 401 more"));
  // Nobody's own line changes, and what is refused changes nothing.
  tiers_ = R"({"free":{"limits":{"burst":70}},"pro":{}})";
  write(text());
  wait_for([&] {
    return ask_operator("GET", "/v1/tenants/t9").find(R"("burst":70)") != std::string::npos;
  });
  const auto cut_off = text().substr(text().find('\n') + 1);
  for (const auto& broken :
       {std::string(), std::string("\n"), cut_off, text() + R"({"tiers":{}})" + "\n",
        R"({"tiers":{"gold":{}}})" + ("\n" + text()),
        std::string(R"({"tiers":{"free":{"limits":{"burst":-1}}}})"
                    "\n")}) {
    write(broken);
    wait_for([&] { return !current(); });
    EXPECT_THAT(ask_operator("GET", "/v1/tenants/t9"), HasSubstr(R"("burst":70)"));
    write(text());
    wait_for([&] { return current(); });
  }
  EXPECT_THAT(deployment_.log(), HasSubstr("tiers must be in the first line"));
}

TEST_F(TenantsInAFile, WhoOnlyAsksIsNotKeptFromItByABrokenFile) {
  write("{");
  EXPECT_FALSE(context::load_configuration(deployment_.configuration_file()));
  EXPECT_TRUE(
      context::load_configuration(deployment_.configuration_file(), context::Beside::secrets));
}

}  // namespace
}  // namespace caisson::runtime

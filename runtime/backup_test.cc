#include "runtime/client/backup.h"

#include <fstream>
#include <set>
#include <string>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"
#include "runtime/http/test_client.h"
#include "runtime/modules/records.h"
#include "runtime/storage/files.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/tenants.h"
#include "runtime/test_deployment.h"

namespace caisson::runtime {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class BackingUp : public testing::Test {
 protected:
  BackingUp() { fs::create_directory(settings_.to); }

  /// The names below a directory.
  static std::set<std::string> names(const fs::path& directory) {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(directory)) {
      found.insert(entry.path().filename().string());
    }
    return found;
  }

  client::BackupReport save() const {
    auto report = client::back_up(settings_);
    if (!report) throw std::runtime_error(report.error().text());
    return *report;
  }

  void restart() {
    application_.reset();
    application_ = deployment_.start();
    settings_.operator_address = "127.0.0.1:" + std::to_string(application_->operator_port());
  }

  http::TestClient::Answer operate(std::string_view method, const std::string& target,
                                   std::string_view body = "") const {
    http::TestClient operators(application_->operator_port());
    return operators.ask(operator_request(method, target, body)).value();
  }
  http::TestClient::Answer restore(const std::string& slug, std::string_view body) const {
    return operate("POST", "/v1/tenants/" + slug + "/restore", body);
  }

  std::string id_of(const std::string& slug) const {
    const auto shown = boost::json::parse(operate("GET", "/v1/tenants/" + slug).body);
    return std::string(shown.at("id").as_string());
  }

  /// Puts the one copy of the tenant to where its runtime looks for snapshots; its id.
  std::string bring_back(const std::string& slug) const {
    const auto place = settings_.data / "snapshots" / id_of(slug);
    fs::create_directories(place);
    fs::copy(settings_.to / slug, place);
    return fs::directory_iterator(settings_.to / slug)->path().stem().string();
  }

  TestDeployment deployment_;
  std::unique_ptr<Application> application_ = deployment_.start();
  client::BackupSettings settings_{
      .operator_address = "127.0.0.1:" + std::to_string(application_->operator_port()),
      .token = std::string(TestDeployment::operator_token),
      .data = deployment_.directory() / "data",
      .to = deployment_.directory() / "backups",
      .keep = 2};
};

/// A listing of tenants has 100 a page here, and deleted ones that are still kept are in it.
TEST_F(BackingUp, FindsTheTenantsBeyondAPage) {
  application_.reset();
  {
    const SystemClock clock;
    const auto registry =
        tenancy::Registry::open(settings_.data, {{"free", {.retention_ms = 3'600'000}}}, clock);
    const auto tenants = tenancy::Tenants::open(
        {.data = settings_.data, .schema = modules::Records::schema()}, **registry);
    for (int i = 0; i < 250; ++i) {
      const std::string slug = "a" + std::to_string(i);
      ASSERT_TRUE((*tenants)->create({.slug = slug, .tier = "free"}));
      ASSERT_TRUE((*tenants)->remove(slug));
    }
  }
  restart();
  const auto report = save();
  EXPECT_EQ(report.saved, 2);
  EXPECT_THAT(report.problems, testing::IsEmpty());
  EXPECT_EQ(names(settings_.to), (std::set<std::string>{"globex", "initech"}));
}

TEST_F(BackingUp, MovesASnapshotOfEveryTenantAndKeepsTheNewest) {
  std::set<std::string> before;
  for (int round = 0; round < 4; ++round) {
    const auto report = save();
    EXPECT_EQ(report.saved, 2);
    EXPECT_THAT(report.problems, testing::IsEmpty());
    EXPECT_EQ(names(settings_.to), (std::set<std::string>{"globex", "initech"}));
    const auto now = names(settings_.to / "globex");
    EXPECT_EQ(now.size(), round == 0 ? 2 : 4) << "each is a database and a description";
    EXPECT_NE(now, before);
    before = now;
  }
  for (const auto& tenant : fs::directory_iterator(settings_.data / "snapshots")) {
    EXPECT_TRUE(fs::is_empty(tenant.path())) << tenant.path() << " was left with the data";
  }
}

/// Its copies would outlive it for ever.
TEST_F(BackingUp, LeavesOutSyntheticTenants) {
  http::TestClient admin(application_->operator_port());
  const std::string body = R"({"slug":"probe","tier":"free","synthetic_until":")" +
                           rfc3339(unix_ms_now() + 600'000) + "\"}";
  const auto made = admin.ask("POST /v1/tenants HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                              std::string(TestDeployment::operator_token) +
                              "\r\nContent-Type: application/json\r\nContent-Length: " +
                              std::to_string(body.size()) + "\r\n\r\n" + body);
  ASSERT_EQ(made->status, 201) << made->body;
  const auto report = save();
  EXPECT_EQ(report.saved, 2);
  EXPECT_EQ(names(settings_.to), (std::set<std::string>{"globex", "initech"}));
}

TEST_F(BackingUp, WhatWasSavedCanBeRestored) {
  http::TestClient client(application_->data_port());
  const auto made =
      client.ask(tenant_request("globex", "POST", "/v1/records/orders", R"({"n":1})"));
  ASSERT_TRUE(made && made->status == 201);
  const auto place = made->field("Location");
  save();
  ASSERT_EQ(client.ask(tenant_request("globex", "DELETE", place))->status, 204);

  const auto id = bring_back("globex");
  EXPECT_EQ(restore("globex", R"({"snapshot":")" + id + R"("})").status, 200);
  EXPECT_EQ(client.ask(tenant_request("globex", "GET", place))->status, 200);
}

/// The registry went with the data, and with it the ids of the tenants.
TEST_F(BackingUp, WhatWasSavedCanBeRestoredOnceTheDataAreLost) {
  const std::string order = R"({"n":1})";
  const auto made = http::TestClient(application_->data_port())
                        .ask(tenant_request("globex", "POST", "/v1/records/orders", order));
  ASSERT_TRUE(made && made->status == 201);
  const auto place = made->field("Location");
  const std::string old = id_of("globex");
  save();
  application_.reset();
  fs::remove_all(settings_.data);
  restart();
  http::TestClient client(application_->data_port());
  ASSERT_EQ(client.ask(tenant_request("globex", "GET", place))->status, 404);

  const auto id = bring_back("globex");
  const std::string snapshot = R"("snapshot":")" + id + "\"";
  const auto unnamed = restore("globex", "{" + snapshot + "}");
  EXPECT_EQ(unnamed.status, 409);
  EXPECT_THAT(unnamed.body, HasSubstr("was called 'globex' then"));
  EXPECT_THAT(unnamed.body, HasSubstr("say from=" + old));
  const auto other = restore("initech", "{" + snapshot + R"(,"from":")" + id_of("globex") + "\"}");
  EXPECT_EQ(other.status, 409);
  EXPECT_THAT(other.body, HasSubstr("say from=globex"));
  const auto restored = restore("globex", "{" + snapshot + R"(,"from":")" + old + "\"}");
  EXPECT_EQ(restored.status, 200) << restored.body;
  EXPECT_EQ(client.ask(tenant_request("globex", "GET", place))->status, 200);
  EXPECT_EQ(client.ask(tenant_request("initech", "GET", place))->status, 404);
  const auto audit = read_file(settings_.data / "audit/audit.ndjson", std::size_t{1} << 20);
  EXPECT_THAT(audit.value(), HasSubstr(id + " of " + old));
}

TEST_F(BackingUp, ACopyIsRestoredInOneStepOnceTheDataAreLost) {
  const std::string order = R"({"n":1})";
  const auto made = http::TestClient(application_->data_port())
                        .ask(tenant_request("globex", "POST", "/v1/records/orders", order));
  ASSERT_TRUE(made && made->status == 201);
  save();
  const auto restored = client::restore_copy(settings_, {.slug = "globex", .id = {}});
  ASSERT_TRUE(restored) << restored.error().text();
  application_.reset();
  fs::remove_all(settings_.data);
  restart();

  // Somebody else may have the slug by now, so that has to be said.
  const auto unsaid = client::restore_copy(settings_, {.slug = "globex", .id = {}});
  ASSERT_FALSE(unsaid);
  EXPECT_THAT(unsaid.error().text(), HasSubstr("is of an earlier tenant 'globex'"));
  EXPECT_THAT(unsaid.error().text(), HasSubstr("--by-slug"));
  for (const auto& wrong : {client::CopyToRestore{.slug = "globex", .id = "no-such"},
                            {.slug = "hooli", .id = {}},
                            {.slug = "../globex", .id = {}}}) {
    EXPECT_FALSE(client::restore_copy(settings_, wrong)) << wrong.slug;
  }
  const auto again =
      client::restore_copy(settings_, {.slug = "globex", .id = *restored, .by_slug = true});
  ASSERT_TRUE(again) << again.error().text();
  http::TestClient client(application_->data_port());
  EXPECT_EQ(client.ask(tenant_request("globex", "GET", made->field("Location")))->status, 200);
  EXPECT_TRUE(fs::is_empty(settings_.data / "snapshots" / id_of("globex"))) << "it was a guest";
  EXPECT_EQ(names(settings_.to / "globex").size(), 2U);

  // A copy that lies with another tenant's says whose it is.
  fs::copy(settings_.to / "globex", settings_.to / "initech", fs::copy_options::recursive);
  const auto astray =
      client::restore_copy(settings_, {.slug = "initech", .id = *restored, .by_slug = true});
  ASSERT_FALSE(astray);
  EXPECT_THAT(astray.error().text(), HasSubstr("is of another tenant"));
}

TEST_F(BackingUp, WhatAKilledBackupLeftGoes) {
  save();
  const auto to = settings_.to / "globex";
  const auto files = std::distance(fs::directory_iterator(to), {});
  const std::string id = "0190b6a0-7e2a-7c3d-8e4f-0123456789ab";
  for (const char* half : {".db.new", ".json.new", ".db"})
    std::ofstream(to / (id + half)) << "half";
  save();
  EXPECT_EQ(std::distance(fs::directory_iterator(to), {}), files + 2);
}

TEST_F(BackingUp, OneTenantsFailureStopsNoOther) {
  std::ofstream(settings_.to / "globex") << "in the way";
  const auto report = save();
  EXPECT_EQ(report.saved, 1);
  ASSERT_EQ(report.problems.size(), 1);
  EXPECT_THAT(report.problems.front(), HasSubstr("tenant globex: "));
}

TEST_F(BackingUp, FailsOnAWrongTokenAndOnADeadRuntime) {
  settings_.token = std::string(40, 'x');
  auto refused = client::back_up(settings_);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("GET /v1/tenants?limit=100 was answered 401"));
  EXPECT_THAT(refused.error().text(), testing::Not(HasSubstr("xxxx")));
  application_.reset();
  auto dead = client::back_up(settings_);
  ASSERT_FALSE(dead);
  EXPECT_THAT(dead.error().text(), HasSubstr("nobody answers at the operator listener"));
}

TEST(LoadBackupSettings, NamesEveryDefect) {
  const TestDeployment deployment;
  const auto file = deployment.directory() / "backup.json";
  std::ofstream(file) << R"({"operator":"","keep":0,"extra":1})";
  const auto settings = client::load_backup_settings(file);
  ASSERT_FALSE(settings);
  for (const char* key : {"/operator", "/token-file", "/data", "/to", "/keep", "/extra"}) {
    EXPECT_THAT(settings.error().text(), HasSubstr(key));
  }
}

}  // namespace
}  // namespace caisson::runtime

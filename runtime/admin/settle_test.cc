#include "runtime/admin/settle.h"

#include <filesystem>
#include <functional>
#include <future>
#include <map>

#include <boost/json/parse.hpp>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/uuid.h"
#include "runtime/modules/records.h"
#include "runtime/storage/store.h"

namespace caisson::admin {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr observe::Actor by_operator{.kind = observe::Actor::Kind::operator_};

/// A data directory whose process ends between an act and its outcome, as often as we like.
class Settling : public testing::Test {
 protected:
  Settling() : path_(fs::temp_directory_path() / ("caisson-settle-" + new_uuid(0))) {
    fs::create_directory(path_);
    fs::permissions(path_, fs::perms::owner_all);
    tiers_["free"] = {.isolation = tenancy::Isolation::schema};
    tiers_["brief"] = {.isolation = tenancy::Isolation::schema, .retention_ms = 1};
    tiers_["kept"] = {.isolation = tenancy::Isolation::schema, .retention_ms = 1'000'000};
    start();
  }
  ~Settling() override {
    stop();
    fs::remove_all(path_);
    ::close(null_);
  }

  void start() {
    registry_ = tenancy::Registry::open(path_ / "data", tiers_, clock_).value();
    audit_ = observe::Audit::open(path_ / "data/audit",
                                  earlier_ ? static_cast<const Clock&>(earlier_clock_) : clock_,
                                  log_, metrics_)
                 .value();
    tenants_ = tenancy::Tenants::open(
                   {.data = path_ / "data", .schema = modules::Records::schema(), .workers = 2},
                   *registry_)
                   .value();
  }
  void stop() {
    tenants_.reset();
    audit_.reset();
    registry_.reset();
  }
  tenancy::TenantPtr make(const std::string& slug, const std::string& tier = "free") {
    return tenants_->create({.slug = slug, .tier = tier}).value();
  }
  /// The intent of an act on `tenant`, as the operator API records it.
  void begin(std::string_view action, const tenancy::Tenant& tenant,
             std::string_view request_id = "r-1", std::string_view reason = {}) {
    ASSERT_NE(audit_->begin({.actor = by_operator,
                             .action = action,
                             .tenant = tenant.slug,
                             .tenant_id = tenant.id,
                             .request_id = request_id,
                             .reason = reason}),
              0);
  }
  /// From now on the audit log has times of an hour ago.
  void set_clock_back() {
    earlier_ = true;
    stop();
    start();
  }
  /// Starts again, and tells the last record: the outcome of the one act that was going on.
  std::string settled() {
    stop();
    start();
    EXPECT_EQ(settle(*audit_, *registry_, *tenants_), 1);
    const auto lines = audit_->operations().query({.limit = 1000});
    const json::object record = json::parse(lines.back()).as_object();
    EXPECT_EQ(record.at("actor"), "runtime");
    EXPECT_GT(record.at("intent").as_int64(), 0);
    stop();
    start();
    EXPECT_EQ(settle(*audit_, *registry_, *tenants_), 0) << "once and for all";
    EXPECT_TRUE(audit_->verify().valid());
    return std::string(record.at("outcome").as_string()) + " " +
           std::string(record.at("reason").as_string());
  }

  fs::path path_;
  SystemClock clock_;
  ManualClock earlier_clock_;
  bool earlier_ = false;
  int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  observe::Log log_{null_, observe::Level::error, "test", clock_};
  observe::Metrics metrics_{"test", "0"};
  tenancy::Tiers tiers_;
  std::unique_ptr<tenancy::Registry> registry_;
  std::unique_ptr<observe::Audit> audit_;
  std::unique_ptr<tenancy::Tenants> tenants_;
};

constexpr std::string_view done = "ok done; the process ended before it could say so";
constexpr std::string_view not_done = "failed not done: the process ended before";
constexpr std::string_view unknown =
    "unknown unknown whether it was done: the process ended before it could say so";

TEST_F(Settling, Creations) {
  const tenancy::Tenant announced = [] {
    tenancy::Tenant tenant;
    tenant.slug = "globex";
    tenant.id = new_uuid(1'700'000'000'000);
    return tenant;
  }();
  begin("tenant.create", announced);
  EXPECT_EQ(settled(), not_done);
  begin("tenant.create", announced);
  ASSERT_TRUE(tenants_->create({.slug = "globex", .tier = "free", .id = announced.id}));
  EXPECT_EQ(settled(), done);
  // Another tenant of that slug is no proof.
  tenancy::Tenant second = announced;
  second.id = new_uuid(1'700'000'000'001);
  begin("tenant.create", second);
  EXPECT_EQ(settled(), not_done);
}

TEST_F(Settling, Changes) {
  const auto tenant = make("globex");
  begin("tenant.suspend", *tenant);
  EXPECT_EQ(settled(), not_done);
  begin("tenant.suspend", *tenant);
  ASSERT_TRUE(tenants_->suspend("globex"));
  EXPECT_EQ(settled(), done);
  begin("tenant.resume", *tenant);
  EXPECT_EQ(settled(), not_done);
  begin("tenant.resume", *tenant);
  ASSERT_TRUE(tenants_->resume("globex"));
  EXPECT_EQ(settled(), done);
  begin("tenant.update", *tenant);
  EXPECT_EQ(settled(), not_done);
  begin("tenant.update", *tenant);
  ASSERT_TRUE(tenants_->update("globex", {.name = "G"}));
  EXPECT_EQ(settled(), done);
}

TEST_F(Settling, Deletions) {
  for (const char* tier : {"free", "kept"}) {
    const auto tenant = make("globex", tier);
    begin("tenant.delete", *tenant);
    EXPECT_EQ(settled(), not_done);
    begin("tenant.delete", *tenant);
    ASSERT_TRUE(tenants_->remove("globex"));
    EXPECT_EQ(settled(), done);
  }
}

TEST_F(Settling, Purges) {
  const auto kept = make("kept", "kept");
  ASSERT_TRUE(tenants_->remove("kept"));
  begin("tenant.purge", *kept);
  EXPECT_EQ(settled(), not_done);
  const auto brief = make("brief", "brief");
  ASSERT_TRUE(tenants_->remove("brief"));
  begin("tenant.purge", *brief);
  while (!registry_->by_id(brief->id)->tier.empty()) tenants_->sweep();
  EXPECT_EQ(settled(), done);
}

TEST_F(Settling, WhatNothingTells) {
  // Others changed the tenant since, so that its state is not the act's: both ways.
  const auto globex = make("globex");
  const auto other_act = [&](std::string_view action) {
    const observe::AuditEvent event{.actor = by_operator,
                                    .action = action,
                                    .tenant = globex->slug,
                                    .tenant_id = globex->id,
                                    .outcome = "ok"};
    const std::uint64_t begun = audit_->begin(event);
    ASSERT_TRUE(audit_->end(begun, event));
  };
  begin("tenant.suspend", *globex);
  ASSERT_TRUE(tenants_->suspend("globex"));
  ASSERT_TRUE(tenants_->resume("globex"));
  other_act("tenant.resume");
  EXPECT_EQ(settled(), unknown);
  begin("snapshot.create", *globex);
  ASSERT_TRUE(tenants_->snapshot("globex"));
  other_act("snapshot.create");
  EXPECT_EQ(settled(), unknown);
  // The clock was set back: what was made before looks as if it had been made since.
  const auto initech = make("initech");
  ASSERT_TRUE(registry_->create_key("initech", "", {"read"}, 0));
  ASSERT_TRUE(registry_->create_key("initech", "", {"read"}, 0));
  set_clock_back();
  begin("key.create", *initech);
  EXPECT_EQ(settled(), unknown);
  // Nothing is left of it, whether it was done or not.
  begin("records.export", *globex);
  EXPECT_EQ(settled(), unknown);
  begin("key.revoke", *globex, "r-1", "nosuch");
  EXPECT_EQ(settled(),
            "unknown nosuch: unknown whether it was done: the process ended before it "
            "could say so");
  // A store that cannot be read tells nothing.
  const auto hooli = make("hooli", "kept");
  ASSERT_TRUE(tenants_->remove("hooli"));
  begin("records.import", *hooli, "r-1");
  EXPECT_EQ(settled(), unknown);
}

TEST_F(Settling, Keys) {
  const auto tenant = make("globex");
  const auto before = registry_->create_key("globex", "", {"read"}, 0);
  begin("key.revoke", *tenant, "r-1", before->key->id);
  EXPECT_EQ(settled(), "failed " + before->key->id + ": not done: the process ended before");
  begin("key.revoke", *tenant, "r-1", before->key->id);
  ASSERT_TRUE(registry_->revoke_key("globex", before->key->id));
  EXPECT_EQ(settled(),
            "ok " + before->key->id + ": done; the process ended before it could say so");
  begin("key.create", *tenant);
  EXPECT_EQ(settled(), not_done);
  begin("key.create", *tenant);
  const auto made = registry_->create_key("globex", "", {"read"}, 0);
  EXPECT_EQ(settled(), "ok " + made->key->id + ": done; the process ended before it could say so");
}

TEST_F(Settling, SnapshotsAndRestores) {
  const auto tenant = make("globex");
  begin("snapshot.create", *tenant);
  EXPECT_EQ(settled(), not_done);
  begin("snapshot.create", *tenant);
  const auto snapshot = tenants_->snapshot("globex");
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(settled(), "ok " + snapshot->id + ": done; the process ended before it could say so");
  // A restore leaves no other trace than the store itself.
  ASSERT_TRUE(tenants_->restore("globex", snapshot->id, {}, "r-0"));
  begin("snapshot.restore", *tenant, "r-1", snapshot->id);
  EXPECT_EQ(settled(), "failed " + snapshot->id + ": not done: the process ended before");
  begin("snapshot.restore", *tenant, "r-1", snapshot->id);
  ASSERT_TRUE(tenants_->restore("globex", snapshot->id, {}, "r-1"));
  EXPECT_EQ(settled(), "ok " + snapshot->id + ": done; the process ended before it could say so");
}

TEST_F(Settling, Imports) {
  const auto tenant = make("globex");
  const auto write = [&](bool keep) {
    std::promise<bool> promise;
    tenants_->submit(
        *tenant, storage::Access::write, tenancy::Deadline::max(),
        [keep](storage::TenantStore& store) {
          storage::note_request(store, "r-1");
          if (!keep) store.abandon();
          return 0;
        },
        [&](const tl::expected<int, tenancy::Refusal>& answer) {
          promise.set_value(answer.has_value());
        });
    ASSERT_TRUE(promise.get_future().get());
  };
  begin("records.import", *tenant, "r-1", "1 records");
  write(false);
  EXPECT_EQ(settled(), "failed 1 records: not done: the process ended before");
  begin("records.import", *tenant, "r-1", "1 records");
  write(true);
  EXPECT_EQ(settled(), "ok 1 records: done; the process ended before it could say so");
}

TEST_F(Settling, WhatTheConfigurationChanged) {
  // Hundreds of tenants, of which the last process recorded some.
  constexpr int tenants = 300;
  std::vector<tenancy::TenantSpec> specs;
  for (int i = 0; i < tenants; ++i)
    specs.push_back({.slug = "t" + std::to_string(i), .tier = "free"});
  const observe::AuditEvent event{.actor = {.kind = observe::Actor::Kind::configuration},
                                  .action = apply_action};
  ASSERT_NE(audit_->begin(event), 0);
  const auto applied = registry_->reconcile(specs);
  ASSERT_TRUE(applied);
  record_applied(*audit_, "tenant.create",
                 {applied->created.begin(), applied->created.begin() + 100});
  EXPECT_EQ(settled().substr(0, 2), "ok");
  std::map<std::string, int> created;
  observe::AuditQuery query{.limit = 1000};
  for (const std::string& line : audit_->operations().query(query)) {
    const observe::AuditRecord record = observe::read_record(line);
    if (record.action == "tenant.create") ++created[record.tenant];
  }
  EXPECT_EQ(created.size(), tenants);
  for (const auto& [slug, records] : created) EXPECT_EQ(records, 1) << slug;
  ASSERT_NE(audit_->begin(event), 0);
  EXPECT_EQ(settled(), unknown) << "it may have had nothing to change";
}

}  // namespace
}  // namespace caisson::admin

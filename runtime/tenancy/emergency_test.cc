// What an operator changed at run time, against what the configuration says: hundreds of tenants.

#include <algorithm>

#include <gtest/gtest.h>

#include "runtime/storage/files.h"
#include "runtime/tenancy/fixture.h"

namespace caisson::tenancy {
namespace {

constexpr int many = 300;

Tiers one_tier(std::int64_t burst = 50) { return {{"free", {.limits = {.burst = burst}}}}; }

std::string slug_of(int i) { return "t" + std::to_string(i); }

/// Of every third tenant the configuration says a limit of its own.
std::vector<TenantSpec> configured() {
  std::vector<TenantSpec> specs;
  for (int i = 0; i < many; ++i) {
    specs.push_back({.slug = slug_of(i), .tier = "free"});
    if (i % 3 == 0) specs.back().limits.sockets = 9;
  }
  return specs;
}

class Emergency : public testing::Test {
 protected:
  Emergency() { apply(configured()); }

  void apply(const std::vector<TenantSpec>& specs, std::optional<Tiers> tiers = {}) {
    const auto done = runtime_.tenants->reconcile(specs, std::move(tiers));
    ASSERT_TRUE(done) << done.error().detail;
  }

  /// Every fifth is suspended; of every seventh one limit is cut and another one lifted.
  void intervene() {
    for (int i = 0; i < many; ++i) {
      if (i % 5 == 0) {
        EXPECT_TRUE(runtime_.tenants->suspend(slug_of(i)));
      }
      if (i % 7 == 0) {
        EXPECT_TRUE(runtime_.tenants->update(
            slug_of(i), {.limits = LimitsChange{.set = {.burst = 5, .sockets = 90}}}));
      }
    }
  }

  [[nodiscard]] const Tenant& tenant(int i) const {
    return *runtime_.registry->by_slug(slug_of(i));
  }

  void expect_intervened(int i) const {
    SCOPED_TRACE(slug_of(i));
    EXPECT_EQ(tenant(i).status, i % 5 == 0 ? Status::suspended : Status::active);
    EXPECT_EQ(tenant(i).limits.burst, i % 7 == 0 ? 5 : 50);
    const auto own = i % 3 == 0 ? std::optional<std::int64_t>(9) : std::nullopt;
    EXPECT_EQ(tenant(i).limits.sockets, i % 7 == 0 ? std::optional<std::int64_t>(90) : own);
    EXPECT_EQ(tenant(i).configured, (Terms{.limits = {.sockets = own}}));
  }

  Fixture runtime_{{}, one_tier()};
};

TEST_F(Emergency, OutlivesRestartsUntilTheConfigurationOfThatTenantChanges) {
  intervene();
  for (int restarts = 0; restarts < 2; ++restarts) {
    for (int i = 0; i < many; ++i) expect_intervened(i);
    runtime_.restart();
    for (int i = 0; i < many; ++i) expect_intervened(i);
    apply(configured());
  }
  // Others change, one comes, one goes.
  auto specs = configured();
  for (int i = 1; i < many; i += 2) specs[static_cast<std::size_t>(i)].limits.queue_messages = 4;
  specs.push_back({.slug = "hooli", .tier = "free"});
  specs.erase(specs.begin());
  apply(specs);
  runtime_.restart();
  apply(specs);
  for (int i = 0; i < many; i += 2) expect_intervened(i);
  EXPECT_EQ(tenant(35).limits.burst, 5) << "another limit changed, and this one did not";
  EXPECT_EQ(tenant(35).status, Status::suspended);
  EXPECT_EQ(tenant(35).limits.queue_messages, 4);
  // Now the configuration of one says what it means.
  auto& changed = *std::ranges::find(specs, slug_of(70), &TenantSpec::slug);
  changed.limits.burst = 60;
  apply(specs);
  EXPECT_EQ(tenant(70).limits.burst, 60);
  EXPECT_EQ(tenant(70).limits.sockets, 90) << "which the operator lifted";
  EXPECT_EQ(tenant(70).status, Status::suspended);
  changed.status = Status::suspended;
  apply(specs);
  EXPECT_EQ(runtime_.tenants->resume(slug_of(70)).error().kind,
            LifecycleErrorKind::suspended_by_configuration);
  changed.status = Status::active;
  apply(specs);
  EXPECT_EQ(tenant(70).status, Status::active);
  runtime_.restart();
  apply(specs);
  EXPECT_EQ(tenant(70).status, Status::active);
  EXPECT_EQ(tenant(70).limits.burst, 60);
}

TEST_F(Emergency, OfARateOutlivesRestartsWhateverTheNumber) {
  auto specs = configured();
  for (int i = 0; i < many; ++i) {
    specs[static_cast<std::size_t>(i)].limits.requests_per_second = (i + 1) / 60.0;
  }
  apply(specs);
  for (int i = 0; i < many; ++i) {
    EXPECT_TRUE(runtime_.tenants->update(
        slug_of(i), {.limits = LimitsChange{.set = {.requests_per_second = (i + 1) / 7000.0}}}));
  }
  for (int restarts = 0; restarts < 2; ++restarts) {
    runtime_.restart();
    apply(specs);
    for (int i = 0; i < many; ++i) {
      EXPECT_EQ(tenant(i).limits.requests_per_second, (i + 1) / 7000.0) << slug_of(i);
      EXPECT_EQ(tenant(i).configured->limits.requests_per_second, (i + 1) / 60.0);
    }
  }
}

TEST_F(Emergency, IsTheOperatorsToEndOfATenantThatTheConfigurationNamesNoMore) {
  auto specs = configured();
  specs[0].status = Status::suspended;
  specs[0].limits.burst = 3;
  apply(specs);
  EXPECT_FALSE(runtime_.tenants->resume(slug_of(0)));
  const std::vector<TenantSpec> others(specs.begin() + 1, specs.end());
  Named named;
  for (const auto& spec : others) named.emplace(spec.slug, spec.domains);
  runtime_.restart();
  ASSERT_TRUE(runtime_.tenants->reconcile(others, {}, named));
  EXPECT_EQ(tenant(0).status, Status::suspended) << "nobody has ended it";
  EXPECT_TRUE(runtime_.tenants->resume(slug_of(0)));
  EXPECT_TRUE(
      runtime_.tenants->update(slug_of(0), {.limits = LimitsChange{.withdrawn = {"burst"}}}));
  EXPECT_EQ(tenant(0).limits.burst, 50) << "its tier's";
  // Back in the configuration, which says what it said: the operator's word is the newer one.
  apply(specs);
  EXPECT_EQ(tenant(0).limits.burst, 50);
}

TEST_F(Emergency, ATierThatIsGoneGivesNobodyMore) {
  runtime_.tenants->create({.slug = "hooli", .tier = "free"}).value();
  const Tiers renamed{{"basic", {.retention_ms = 5, .limits = {.burst = 40, .concurrent = 9}}},
                      {"large", {.retention_ms = 7, .limits = {.burst = 400}}}};
  auto specs = configured();
  for (auto& spec : specs) spec.tier = "basic";
  for (int restarts = 0; restarts < 2; ++restarts) {
    const auto done = runtime_.tenants->reconcile(specs, renamed);
    ASSERT_TRUE(done) << done.error().detail;
    ASSERT_EQ(done->strays.size(), 1U);
    EXPECT_EQ(done->strays[0]->slug, "hooli");
    const auto hooli = runtime_.registry->by_slug("hooli");
    EXPECT_EQ(hooli->limits, (Limits{.burst = 40, .concurrent = 9}));
    EXPECT_EQ(hooli->retention_ms, 7);
    runtime_.restart();
  }
  ASSERT_TRUE(runtime_.tenants->reconcile(specs, renamed));
  EXPECT_TRUE(runtime_.tenants->update("hooli", {.tier = "large"}));
  EXPECT_EQ(runtime_.registry->by_slug("hooli")->limits, (Limits{.burst = 400}));
}

TEST_F(Emergency, EndsWhenTheOperatorEndsIt) {
  intervene();
  for (int i = 0; i < many; ++i) {
    EXPECT_TRUE(runtime_.tenants->resume(slug_of(i)));
    EXPECT_TRUE(runtime_.tenants->update(
        slug_of(i), {.limits = LimitsChange{.withdrawn = {"burst", "sockets"}}}));
  }
  runtime_.restart();
  apply(configured());
  for (int i = 0; i < many; ++i) {
    EXPECT_EQ(tenant(i).status, Status::active);
    EXPECT_EQ(tenant(i).limits.burst, 50);
    EXPECT_EQ(tenant(i).own, tenant(i).configured->limits);
  }
}

TEST_F(Emergency, OutlivesARestoreAndANewTier) {
  ASSERT_TRUE(runtime_.write(tenant(35), "x").value());
  const auto snapshot = runtime_.tenants->snapshot(slug_of(35)).value();
  intervene();
  ASSERT_TRUE(runtime_.tenants->restore(slug_of(35), snapshot.id, {}));
  apply({}, one_tier(70));
  EXPECT_EQ(tenant(35).status, Status::suspended);
  EXPECT_EQ(tenant(35).limits.burst, 5);
  EXPECT_EQ(tenant(34).limits.burst, 70);
}

TEST_F(Emergency, ATierChangesForAllWithoutAWordOfThem) {
  const auto made = runtime_.tenants->create({.slug = "visitor", .tier = "free"});
  ASSERT_TRUE(made);
  const auto done = runtime_.tenants->reconcile({}, one_tier(70));
  ASSERT_TRUE(done);
  EXPECT_TRUE(done->tiers);
  EXPECT_EQ(done->touched.size(), many + 1U);
  EXPECT_TRUE(done->updated.empty());
  for (int i = 0; i < many; ++i) EXPECT_EQ(tenant(i).limits.burst, 70);
  EXPECT_EQ(runtime_.registry->by_slug("visitor")->limits.burst, 70);
  const auto again = runtime_.tenants->reconcile({}, one_tier(70));
  EXPECT_FALSE(again->tiers);
  EXPECT_TRUE(again->touched.empty());
  // With a tenant that cannot be, neither it nor the tier changes.
  const std::vector<TenantSpec> defective = {{.slug = "new", .tier = "gold"}};
  EXPECT_FALSE(runtime_.tenants->reconcile(defective, one_tier(80)));
  EXPECT_EQ(runtime_.registry->tiers(), one_tier(70));
  EXPECT_EQ(tenant(0).limits.burst, 70);
}

TEST_F(Emergency, ATenantThatTheOperatorMadeBecomesTheConfigurations) {
  ASSERT_TRUE(runtime_.tenants->create(
      {.slug = "visitor", .tier = "free", .limits = {.burst = 5, .sockets = 3}}));
  ASSERT_TRUE(runtime_.tenants->suspend("visitor"));
  EXPECT_FALSE(runtime_.registry->by_slug("visitor")->configured);
  auto specs = configured();
  specs.push_back({.slug = "visitor", .tier = "free", .limits = {.burst = 6}});
  apply(specs);
  const auto visitor = runtime_.registry->by_slug("visitor");
  EXPECT_EQ(visitor->limits.burst, 6) << "which it names";
  EXPECT_EQ(visitor->limits.sockets, 3) << "which it does not";
  EXPECT_EQ(visitor->status, Status::suspended) << "nothing there asks to resume it";
}

/// The registry of the version before, with tenants that its operator had suspended and cut.
void write_version_3(const std::filesystem::path& file) {
  ASSERT_TRUE(storage::make_private_file(file));
  auto database = storage::Database::open(std::filesystem::canonical(file), {}).value();
  ASSERT_TRUE(database.execute(R"sql(
    CREATE TABLE tenant(id TEXT PRIMARY KEY, slug TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL,
      tier TEXT NOT NULL, status INTEGER NOT NULL, deployment_url TEXT NOT NULL, limits TEXT NOT NULL,
      metadata TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, has_store INTEGER NOT NULL,
      purge_at INTEGER) WITHOUT ROWID;
    CREATE UNIQUE INDEX tenant_slug ON tenant(slug) WHERE status <> 2;
    CREATE TABLE domain(name TEXT PRIMARY KEY, tenant TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX domain_tenant ON domain(tenant);
    CREATE TABLE api_key(id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL,
      hash BLOB NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, revoked INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX api_key_tenant ON api_key(tenant);
    CREATE TABLE journal(tenant TEXT PRIMARY KEY, step INTEGER NOT NULL, started INTEGER NOT NULL) WITHOUT ROWID;
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299)
    INSERT INTO tenant SELECT printf('019abc00-0000-7000-8000-%012d', i), 't' || i, '', '', 'free', i % 5 = 0, '',
      CASE WHEN i % 7 = 0 THEN '{"burst":5,"sockets":90}' WHEN i % 3 = 0 THEN '{"sockets":9}' ELSE '{}' END,
      '{}', 1000, 2000, 0, NULL FROM n;
    PRAGMA user_version=3)sql"));
}

TEST(EmergencyOfTheVersionBefore, IsTakenOverWhereTheConfigurationIsSilent) {
  Fixture runtime({}, one_tier());
  runtime.stop();
  for (const char* file : {"registry.db", "registry.db-wal", "registry.db-shm"}) {
    std::filesystem::remove(runtime.data / file);
  }
  write_version_3(runtime.data / "registry.db");
  runtime.start();
  for (int starts = 0; starts < 2; ++starts) {
    const auto done = runtime.tenants->reconcile(configured());
    ASSERT_TRUE(done);
    EXPECT_EQ(done->updated.size(), starts == 0 ? 15U : 0U)
        << "those of whom it names another limit than holds";
    for (int i = 0; i < many; ++i) {
      SCOPED_TRACE(slug_of(i));
      const auto& tenant = *runtime.registry->by_slug(slug_of(i));
      EXPECT_EQ(tenant.status, i % 5 == 0 ? Status::suspended : Status::active);
      EXPECT_EQ(tenant.limits.burst, i % 7 == 0 ? 5 : 50);
      EXPECT_TRUE(tenant.configured);
      if (i % 3 == 0) {
        EXPECT_EQ(tenant.limits.sockets, 9);
      }
    }
    runtime.restart();
  }
}

}  // namespace
}  // namespace caisson::tenancy

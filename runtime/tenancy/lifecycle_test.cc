#include <filesystem>
#include <fstream>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/digest.h"
#include "base/hex.h"
#include "base/time.h"
#include "runtime/storage/files.h"
#include "runtime/tenancy/fixture.h"

namespace caisson::tenancy {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

LifecycleErrorKind kind_of(const auto& outcome) {
  return outcome ? LifecycleErrorKind::storage : outcome.error().kind;
}

fs::path directory_of(const Fixture& runtime, const std::string& tenant_id) {
  return runtime.data / "tenants" / hex(sha256(tenant_id)).substr(0, 2) / tenant_id;
}

/// The files under the data directory whose name or raw bytes contain `text`.
std::vector<std::string> traces_of(const Fixture& runtime, const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(runtime.data)) {
    const bool named = entry.path().filename().string().find(text) != std::string::npos;
    const bool holds = entry.is_regular_file() &&
                       read_file(entry.path(), 1U << 28U).value().find(text) != std::string::npos;
    if (named || holds) found.push_back(entry.path().lexically_relative(runtime.data).string());
  }
  return found;
}

TEST(Lifecycle, ATenantsFilesLieWhereDocumented) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  EXPECT_FALSE(fs::exists(directory_of(runtime, tenant->id)))
      << "its store is made at its first use";
  EXPECT_FALSE(runtime.has(*tenant, "x").value());
  EXPECT_TRUE(fs::is_regular_file(directory_of(runtime, tenant->id) / "store.db"));
  EXPECT_EQ(fs::file_size(runtime.data / "cursor.key"), 32U);
  EXPECT_EQ(runtime.tenants->cursor_key().size(), 32U);
  const std::string key = runtime.tenants->cursor_key();
  runtime.restart();
  EXPECT_EQ(runtime.tenants->cursor_key(), key);
}

TEST(Lifecycle, ASuspendedTenantKeepsItsData) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  EXPECT_TRUE(runtime.write(*tenant, "x").value());
  EXPECT_EQ(runtime.tenants->suspend("a").value()->status, Status::suspended);
  EXPECT_EQ(runtime.registry->by_slug("a")->status, Status::suspended);
  EXPECT_EQ(runtime.tenants->resume("a").value()->status, Status::active);
  EXPECT_TRUE(runtime.has(*tenant, "x").value());
}

TEST(Lifecycle, Property45_DeletionLeavesNothing) {
  Fixture runtime;
  const std::string canary = "CAISSON-CANARY-7d21";
  const auto kept = runtime.make("kept");
  for (int round = 0; round < 3; ++round) {
    const auto tenant = runtime.tenants->create({.slug = "gone",
                                                 .name = canary + "-name",
                                                 .owner = canary + "-owner",
                                                 .tier = "free",
                                                 .domains = {"caisson-canary-7d21.example"},
                                                 .metadata = {{"note", canary + "-metadata"}}});
    ASSERT_TRUE(tenant);
    ASSERT_TRUE(runtime.registry->create_key("gone", canary + "-key", {"read"}, 0));
    for (int i = 0; i < 200; ++i) {
      EXPECT_TRUE(runtime.write(**tenant, canary + std::to_string(i)).value());
      EXPECT_TRUE(runtime.write(*kept, std::to_string(round * 1000 + i)).value());
    }
    ASSERT_TRUE(runtime.tenants->snapshot("gone"));
    EXPECT_GE(traces_of(runtime, canary).size(), 3U) << "the scan sees them while they are there";

    ASSERT_TRUE(runtime.tenants->remove("gone"));
    EXPECT_EQ(traces_of(runtime, canary), std::vector<std::string>());
    EXPECT_EQ(traces_of(runtime, "caisson-canary"), std::vector<std::string>());
    EXPECT_EQ(traces_of(runtime, (*tenant)->id), std::vector<std::string>{"registry.db"})
        << "the tombstone";
    EXPECT_EQ(runtime.registry->by_slug("gone")->status, Status::deleted);
    EXPECT_EQ(runtime.registry->by_slug("gone")->name, "");
    EXPECT_EQ(runtime.registry->by_domain("caisson-canary-7d21.example"), nullptr);
    EXPECT_EQ(runtime.write(**tenant, "late").error(), Refusal::gone);
    EXPECT_EQ(traces_of(runtime, "late"), std::vector<std::string>());
  }
  EXPECT_EQ(runtime.count(*kept).value(), 600);
}

TEST(Lifecycle, ARecreatedSlugInheritsNothing) {
  Fixture runtime;
  const auto first = runtime.make("a");
  const auto key = runtime.registry->create_key("a", "ci", {"read"}, 0);
  EXPECT_TRUE(runtime.write(*first, "x").value());
  ASSERT_TRUE(runtime.tenants->remove("a"));
  EXPECT_EQ(kind_of(runtime.tenants->remove("a")), LifecycleErrorKind::deleted);
  const auto second = runtime.make("a");
  EXPECT_NE(second->id, first->id);
  EXPECT_TRUE(second->successor);
  EXPECT_FALSE(first->successor);
  EXPECT_FALSE(runtime.has(*second, "x").value());
  EXPECT_EQ(runtime.registry->key(key->key->id), nullptr);
  runtime.restart();
  EXPECT_EQ(runtime.registry->by_slug("a")->id, second->id) << "not the tombstone";
  EXPECT_TRUE(runtime.registry->by_slug("a")->successor);
  EXPECT_EQ(runtime.registry->by_id(first->id)->status, Status::deleted);
}

TEST(Lifecycle, RetentionHidesFirstAndRemovesLater) {
  ManualClock clock;
  Fixture runtime(
      {}, {{"free", {.retention_ms = 60'000}}, {"long", {.retention_ms = 1'000'000'000}}}, &clock);
  const auto brief = runtime.make("brief");
  const auto lasting = runtime.tenants->create({.slug = "lasting", .tier = "long"}).value();
  EXPECT_TRUE(runtime.write(*brief, "x").value());
  EXPECT_TRUE(runtime.write(*lasting, "y").value());
  ASSERT_TRUE(runtime.tenants->remove("brief"));
  ASSERT_TRUE(runtime.tenants->remove("lasting"));
  EXPECT_EQ(runtime.write(*brief, "late").error(), Refusal::gone);
  EXPECT_EQ(runtime.write(*lasting, "late").error(), Refusal::gone);
  EXPECT_TRUE(fs::exists(directory_of(runtime, brief->id)));
  clock.advance_ms(59'999);
  runtime.tenants->sweep();
  EXPECT_TRUE(fs::exists(directory_of(runtime, brief->id))) << "a millisecond is left";
  clock.advance_ms(1);
  runtime.tenants->sweep();
  EXPECT_FALSE(fs::exists(directory_of(runtime, brief->id)));
  EXPECT_TRUE(fs::exists(directory_of(runtime, lasting->id)));
  runtime.restart();
  EXPECT_EQ(runtime.registry->by_slug("brief")->status, Status::deleted);
  EXPECT_TRUE(fs::exists(directory_of(runtime, lasting->id)));
}

TEST(Lifecycle, AStoreThatDisappearedIsDamageNotANewStore) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  EXPECT_TRUE(runtime.write(*tenant, "x").value());
  runtime.stop();
  fs::remove_all(directory_of(runtime, tenant->id));
  runtime.start();
  EXPECT_EQ(runtime.write(*tenant, "x").error(), Refusal::unavailable);
  EXPECT_FALSE(fs::exists(directory_of(runtime, tenant->id)));
}

TEST(Lifecycle, AConfiguredTenantsStoreIsMadeAtFirstUse) {
  Fixture runtime;
  const std::vector<TenantSpec> specs = {{.slug = "a", .tier = "free"}};
  ASSERT_TRUE(runtime.registry->reconcile(specs));
  const auto tenant = runtime.registry->by_slug("a");
  EXPECT_FALSE(fs::exists(directory_of(runtime, tenant->id)));
  EXPECT_TRUE(runtime.write(*tenant, "x").value());
  EXPECT_TRUE(runtime.registry->by_slug("a")->has_store);
  runtime.restart();
  EXPECT_TRUE(runtime.has(*runtime.registry->by_slug("a"), "x").value());
}

TEST(Lifecycle, RestoreBringsBackTheSnapshot) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  EXPECT_TRUE(runtime.write(*tenant, "before").value());
  const auto snapshot = runtime.tenants->snapshot("a");
  ASSERT_TRUE(snapshot);
  EXPECT_TRUE(runtime.write(*tenant, "after").value());
  ASSERT_TRUE(runtime.tenants->restore("a", snapshot->id, std::nullopt));
  EXPECT_TRUE(runtime.has(*tenant, "before", storage::Access::read).value());
  EXPECT_FALSE(runtime.has(*tenant, "after").value());
  EXPECT_TRUE(runtime.write(*tenant, "later").value());
  runtime.restart();
  EXPECT_EQ(runtime.count(*tenant).value(), 2);
  EXPECT_EQ(runtime.tenants->snapshots("a")->size(), 1U);
}

TEST(Lifecycle, Property46_RestoreIntoAnotherTenantIsRefused) {
  Fixture runtime;
  const auto a = runtime.make("a");
  const auto b = runtime.make("b");
  runtime.make("c");
  EXPECT_TRUE(runtime.write(*a, "of a").value());
  EXPECT_TRUE(runtime.write(*b, "of b").value());
  const auto snapshot = runtime.tenants->snapshot("b").value();
  EXPECT_EQ(kind_of(runtime.tenants->restore("a", snapshot.id, std::nullopt)),
            LifecycleErrorKind::foreign_snapshot);
  EXPECT_EQ(kind_of(runtime.tenants->restore("a", snapshot.id, "c")),
            LifecycleErrorKind::foreign_snapshot);
  EXPECT_EQ(kind_of(runtime.tenants->restore("a", snapshot.id, "nobody")),
            LifecycleErrorKind::unknown_tenant);
  EXPECT_EQ(kind_of(runtime.tenants->restore("a", "../../registry", std::nullopt)),
            LifecycleErrorKind::unknown_snapshot);
  EXPECT_TRUE(runtime.has(*a, "of a").value());
  EXPECT_FALSE(runtime.has(*a, "of b").value());

  // Put among a's own snapshots, description and all, it is b's still: the file itself says so.
  const fs::path own = runtime.data / "snapshots" / a->id;
  fs::create_directory(own);
  const fs::path theirs = runtime.data / "snapshots" / b->id;
  fs::copy_file(theirs / (snapshot.id + ".db"), own / (snapshot.id + ".db"));
  std::ofstream(own / (snapshot.id + ".json"))
      << R"({"tenant":")" << a->id << R"(","sha256":")" << snapshot.sha256
      << R"(","bytes":1,"created":1,"schema":1})";
  EXPECT_FALSE(runtime.tenants->restore("a", snapshot.id, std::nullopt));
  EXPECT_TRUE(runtime.has(*a, "of a", storage::Access::read).value());

  ASSERT_TRUE(runtime.tenants->restore("a", snapshot.id, "b")) << "asked for by name";
  EXPECT_TRUE(runtime.has(*a, "of b", storage::Access::read).value());
  EXPECT_FALSE(runtime.has(*a, "of a").value());
}

TEST(Lifecycle, CopiesComeBackOnceTheDataAreLost) {
  const storage::TestFolder copies;
  Fixture runtime;
  const std::string old_a = runtime.make("a")->id;
  const std::string old_b = runtime.make("b")->id;
  EXPECT_TRUE(runtime.write(*runtime.registry->by_id(old_a), "of a").value());
  EXPECT_TRUE(runtime.write(*runtime.registry->by_id(old_b), "of b").value());
  const auto of_a = runtime.tenants->snapshot("a").value();
  const auto of_b = runtime.tenants->snapshot("b").value();
  fs::copy(runtime.data / "snapshots", copies.path / "kept", fs::copy_options::recursive);
  runtime.stop();
  fs::remove_all(runtime.data);
  runtime.start();
  const auto a = runtime.make("a");
  const auto b = runtime.make("b");
  EXPECT_TRUE(runtime.write(*b, "new").value());
  const fs::path place = runtime.data / "snapshots" / a->id;
  fs::create_directories(place);
  for (const auto& [tenant, id] : {std::pair{old_a, of_a.id}, std::pair{old_b, of_b.id}}) {
    for (const char* extension : {".db", ".json"}) {
      fs::copy_file(copies.path / "kept" / tenant / (id + extension), place / (id + extension));
    }
  }

  const auto refused = [&](const std::string& id, const std::optional<std::string>& from) {
    const auto restored = runtime.tenants->restore("a", id, from);
    EXPECT_EQ(kind_of(restored), LifecycleErrorKind::foreign_snapshot);
    return restored ? std::string() : restored.error().detail;
  };
  EXPECT_THAT(refused(of_a.id, std::nullopt),
              AllOf(HasSubstr("which is not here any more and was called 'a' then"),
                    HasSubstr("say from=" + old_a)));
  EXPECT_THAT(refused(of_a.id, "a"), HasSubstr("say from=" + old_a)) << "a slug is a living tenant";
  EXPECT_THAT(refused(of_a.id, old_b), HasSubstr("say from=" + old_a)) << "it is not of that one";
  EXPECT_THAT(refused(of_b.id, old_a), HasSubstr("was called 'b' then"));
  EXPECT_EQ(kind_of(runtime.tenants->restore("a", of_a.id, "../" + a->id)),
            LifecycleErrorKind::unknown_tenant);
  EXPECT_FALSE(runtime.has(*a, "of a").value());

  ASSERT_TRUE(runtime.tenants->restore("a", of_a.id, old_a));
  EXPECT_TRUE(runtime.has(*a, "of a", storage::Access::read).value());
  EXPECT_EQ(runtime.count(*a).value(), 1);
  EXPECT_TRUE(runtime.has(*b, "new").value());
  runtime.restart();
  EXPECT_TRUE(runtime.has(*a, "of a", storage::Access::read).value());
  // What was brought is not needed any more.
  EXPECT_EQ(runtime.tenants->snapshots("a")->size(), 2U);
  ASSERT_TRUE(runtime.tenants->remove_snapshot("a", of_a.id));
  ASSERT_TRUE(runtime.tenants->remove_snapshot("a", of_b.id));
  EXPECT_TRUE(runtime.tenants->snapshots("a")->empty());
}

TEST(Lifecycle, OnlyATenantThatIsNotHereIsNamedByItsId) {
  Fixture runtime({}, {{"free", {.retention_ms = 0}}});
  const auto a = runtime.make("a");
  const auto b = runtime.make("b");
  EXPECT_TRUE(runtime.write(*b, "of b").value());
  const auto snapshot = runtime.tenants->snapshot("b").value();
  const auto by_id = runtime.tenants->restore("a", snapshot.id, b->id);
  EXPECT_EQ(kind_of(by_id), LifecycleErrorKind::foreign_snapshot);
  EXPECT_THAT(by_id.error().detail, HasSubstr("say from=b"));
  EXPECT_TRUE(runtime.tenants->restore("b", snapshot.id, b->id)) << "its own";

  // It was deleted, and came back with a new id.
  const storage::TestFolder copies;
  fs::copy(runtime.data / "snapshots" / b->id, copies.path / "kept");
  ASSERT_TRUE(runtime.tenants->remove("b"));
  const auto again = runtime.make("b");
  fs::copy(copies.path / "kept", runtime.data / "snapshots" / again->id);
  EXPECT_EQ(kind_of(runtime.tenants->restore("b", snapshot.id, std::nullopt)),
            LifecycleErrorKind::foreign_snapshot);
  ASSERT_TRUE(runtime.tenants->restore("b", snapshot.id, b->id));
  EXPECT_TRUE(runtime.has(*again, "of b", storage::Access::read).value());
}

TEST(Lifecycle, ABrokenStoreDegradesItsTenantAloneAndCanBeRestored) {
  std::atomic<int> failures = 0;
  Fixture runtime({.on_failure = [&](std::string_view, std::string_view) { ++failures; }});
  const auto broken = runtime.make("broken");
  const auto healthy = runtime.make("healthy");
  EXPECT_TRUE(runtime.write(*broken, "x").value());
  const auto snapshot = runtime.tenants->snapshot("broken").value();
  runtime.stop();
  std::ofstream(directory_of(runtime, broken->id) / "store.db") << std::string(20000, '?');
  runtime.start();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(runtime.write(*broken, "y").error(), Refusal::unavailable);
    EXPECT_TRUE(runtime.write(*healthy, std::to_string(i)).value());
  }
  EXPECT_GE(failures, 1);
  ASSERT_TRUE(runtime.tenants->restore("broken", snapshot.id, std::nullopt));
  EXPECT_TRUE(runtime.has(*broken, "x", storage::Access::read).value());
}

/// No file can take the store's place.
void block_store(const fs::path& directory) {
  fs::rename(directory / "store.db", directory / "kept");
  fs::create_directories(directory / "store.db" / "in the way");
}

void unblock_store(const fs::path& directory) {
  fs::remove_all(directory / "store.db");
  fs::rename(directory / "kept", directory / "store.db");
}

/// As a crash leaves it in the middle of a restore, while the runtime is stopped.
void note_restore(const Fixture& runtime, const std::string& tenant_id) {
  auto registry = storage::Database::open(runtime.data / "registry.db", {}).value();
  EXPECT_TRUE(registry.prepare("INSERT INTO journal VALUES(?,2,0)").text(tenant_id).run());
}

TEST(Lifecycle, ARestoreThatFailsLeavesTheLogAndIsNotCompletedLater) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  EXPECT_TRUE(runtime.write(*tenant, "x").value());
  const auto snapshot = runtime.tenants->snapshot("a").value();
  ASSERT_TRUE(runtime.tenants->suspend("a"));  // closes the store
  const fs::path directory = directory_of(runtime, tenant->id);
  // A log that could not be moved into the store, and a store that no file can take the place of.
  std::ofstream(directory / "store.db-wal") << "acknowledged";
  block_store(directory);
  EXPECT_EQ(kind_of(runtime.tenants->restore("a", snapshot.id, std::nullopt)),
            LifecycleErrorKind::storage);
  EXPECT_EQ(read_file(directory / "store.db-wal", 100).value_or(""), "acknowledged");
  fs::remove(directory / "store.db-wal");
  unblock_store(directory);
  EXPECT_TRUE(runtime.write(*tenant, "after").value());
  runtime.restart();
  EXPECT_TRUE(runtime.has(*tenant, "after", storage::Access::read).value());
  EXPECT_FALSE(fs::exists(directory / "restored.db.new"));
  ASSERT_TRUE(runtime.tenants->restore("a", snapshot.id, std::nullopt));
  EXPECT_EQ(runtime.count(*tenant).value(), 1);
}

TEST(Lifecycle, ATenantThatCannotBeRecoveredKeepsNobodyElseOut) {
  Fixture runtime;
  const auto stuck = runtime.make("stuck");
  const auto other = runtime.make("other");
  for (const auto& tenant : {stuck, other}) EXPECT_TRUE(runtime.write(*tenant, "x").value());
  runtime.stop();
  const fs::path directory = directory_of(runtime, stuck->id);
  note_restore(runtime, stuck->id);
  // What was prepared cannot take the store's place, and the log not its own.
  block_store(directory);
  std::ofstream(directory / "restored.db.new").flush();
  std::ofstream(directory / "store.db-wal.old") << "acknowledged";
  fs::create_directories(directory / "store.db-wal" / "in the way");
  runtime.start();
  EXPECT_EQ(runtime.count(*other).value_or(-1), 1);
  EXPECT_TRUE(runtime.write(*other, "y").value());
  EXPECT_EQ(runtime.count(*stuck).error(), Refusal::unavailable);
  // No step comes before the one that is left: its note would be overwritten, and the next start
  // would open a store without its log.
  EXPECT_EQ(kind_of(runtime.tenants->snapshot("stuck")), LifecycleErrorKind::storage);
  runtime.restart();
  EXPECT_EQ(runtime.count(*stuck).error(), Refusal::unavailable);
  EXPECT_EQ(read_file(directory / "store.db-wal.old", 100).value_or(""), "acknowledged");
  // It is completed once it can be, without a new start.
  fs::remove_all(directory / "store.db-wal");
  fs::remove(directory / "store.db-wal.old");
  fs::remove_all(directory / "store.db");
  fs::copy(directory / "kept", directory / "restored.db.new", fs::copy_options::overwrite_existing);
  ASSERT_TRUE(runtime.tenants->snapshot("stuck"));
  EXPECT_EQ(runtime.count(*stuck).value_or(-1), 1);
}

TEST(Lifecycle, ARestoreGivenUpBeforeACrashLeavesATenantWithoutAStoreUsable) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  runtime.stop();
  note_restore(runtime, tenant->id);
  runtime.start();
  EXPECT_TRUE(runtime.write(*tenant, "x").value_or(false));
}

TEST(Lifecycle, ATenantThatTheFirstVersionMadeHalfGoesWithItsFiles) {
  Fixture runtime;
  const auto half = runtime.make("half");
  EXPECT_TRUE(runtime.write(*half, "x").value());
  runtime.stop();
  {
    auto registry = storage::Database::open(runtime.data / "registry.db", {}).value();
    ASSERT_TRUE(registry.prepare("INSERT INTO journal VALUES(?,0,0)").text(half->id).run());
    ASSERT_TRUE(
        registry.execute("ALTER TABLE tenant DROP COLUMN configured_status;"
                         "ALTER TABLE tenant DROP COLUMN configured_limits;"
                         "ALTER TABLE tenant DROP COLUMN synthetic_until;"
                         "PRAGMA user_version=1"));
  }
  runtime.start();
  EXPECT_FALSE(fs::exists(directory_of(runtime, half->id)));
  EXPECT_TRUE(runtime.write(*runtime.make("half"), "x").value());
}

TEST(Lifecycle, ALogThatAnEarlierRestoreLeftIsNeverPutBack) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  EXPECT_TRUE(runtime.write(*tenant, "x").value());
  const auto snapshot = runtime.tenants->snapshot("a").value();
  ASSERT_TRUE(runtime.tenants->suspend("a"));  // closes the store
  const fs::path directory = directory_of(runtime, tenant->id);
  std::ofstream(directory / "store.db-wal.old") << "of a store that is gone";
  block_store(directory);
  EXPECT_EQ(kind_of(runtime.tenants->restore("a", snapshot.id, std::nullopt)),
            LifecycleErrorKind::storage);
  EXPECT_FALSE(fs::exists(directory / "store.db-wal"));
}

TEST(Lifecycle, ALinkInTheTenantsPathIsRefused) {
  Fixture runtime;
  const auto a = runtime.make("a");
  const auto b = runtime.make("b");
  EXPECT_TRUE(runtime.write(*a, "own").value());
  EXPECT_TRUE(runtime.write(*b, "secret").value());
  runtime.stop();
  fs::remove_all(directory_of(runtime, a->id));
  fs::create_directory_symlink(directory_of(runtime, b->id), directory_of(runtime, a->id));
  runtime.start();
  EXPECT_EQ(runtime.has(*a, "secret", storage::Access::read).error(), Refusal::unavailable);
  EXPECT_TRUE(runtime.has(*b, "secret", storage::Access::read).value());
}

TEST(Lifecycle, AChangedQuotaHoldsAtOnce) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  const std::string large(100 * 1024, 'x');
  EXPECT_TRUE(runtime.write(*tenant, large + "1").value());
  ASSERT_TRUE(
      runtime.tenants->update("a", {.limits = LimitsChange{.set = {.storage_bytes = 150 * 1024}}}));
  EXPECT_EQ(runtime.write(*tenant, large + "2").error(), Refusal::full);
  EXPECT_TRUE(runtime.write(*tenant, "small").value());
  ASSERT_TRUE(runtime.tenants->update("a", {.limits = LimitsChange{.withdrawn = {"storage"}}}));
  EXPECT_TRUE(runtime.write(*tenant, large + "2").value());
}

TEST(Protection, IsTheNewestSnapshotOrTheCreation) {
  Fixture runtime;
  const auto a = runtime.make("a");
  const auto until = [&]() -> std::int64_t {
    const auto all = runtime.tenants->protection();
    return all.size() == 1 ? all.front().until_ms : -1;
  };
  EXPECT_EQ(until(), -1) << "nothing is said before the snapshots are known";
  runtime.tenants->find_snapshots();
  EXPECT_EQ(until(), -1) << "nor of a tenant that has nothing yet";
  runtime.write(*a, "x").value();
  EXPECT_EQ(until(), a->created_ms);
  const auto snapshot = runtime.tenants->snapshot("a").value();
  EXPECT_EQ(until(), snapshot.created_ms);
  runtime.restart();
  runtime.tenants->find_snapshots();
  EXPECT_NEAR(static_cast<double>(until()), static_cast<double>(snapshot.created_ms), 1000);
  EXPECT_GE(until(), a->created_ms);
  ASSERT_TRUE(runtime.tenants->remove("a"));
  EXPECT_EQ(until(), -1);
}

TEST(Usage, TellsABrokenStore) {
  Fixture runtime;
  const auto a = runtime.make("a");
  runtime.write(*a, "x").value();
  EXPECT_FALSE(runtime.tenants->usage().front().broken);
  const auto stats = runtime.tenants->stats();
  EXPECT_EQ(std::accumulate(stats.commit_seconds.counts.begin(), stats.commit_seconds.counts.end(),
                            std::uint64_t{0}),
            stats.commits);
  EXPECT_GT(stats.commit_seconds.sum, 0);
  EXPECT_GT(stats.wait_seconds.sum, 0);
  runtime.stop();
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(runtime.data / "tenants")) {
    if (entry.path().filename() == "store.db") std::filesystem::resize_file(entry.path(), 10);
  }
  runtime.start();
  EXPECT_FALSE(runtime.write(*a, "y"));
  EXPECT_TRUE(runtime.tenants->usage().front().broken);
}

}  // namespace
}  // namespace caisson::tenancy

// `caisson-runtime migrate`, as whoever replaces the program runs it: real stores of the first
// schema, real processes, real kills.

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/time.h"
#include "runtime/http/test_client.h"
#include "runtime/modules/records.h"
#include "runtime/storage/store.h"
#include "runtime/tenancy/registry.h"
#include "runtime/tenancy/tenants.h"
#include "runtime/test_deployment.h"
#include "runtime/test_process.h"

namespace caisson::runtime {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string shipped = CAISSON_BINARY_DIR "/bin/caisson-runtime";
constexpr int newest = 3;
constexpr int rows_of_a_job = 20'000;

class Migrate : public testing::Test {
 protected:
  TestDeployment deployment_;
  fs::path data_ = deployment_.directory() / "data";
  fs::path output_ = deployment_.directory() / "output";
  std::vector<std::string> ids_;  // of the tenants that have a store, in the order of their slugs

  [[nodiscard]] static std::string slug(int number) {
    const auto digits = std::to_string(number);
    return "t" + std::string(4 - digits.size(), '0') + digits;
  }

  [[nodiscard]] fs::path store_of(const std::string& id) const {
    for (const auto& group : fs::directory_iterator(data_ / "tenants")) {
      if (fs::exists(group.path() / id)) return group.path() / id / "store.db";
    }
    return {};
  }

  /// What the first version leaves: so many tenants with `rows` records each, and its registry.
  void leave_old_data(int tenants, int rows) {
    {
      const SystemClock clock;
      auto registry = tenancy::Registry::open(data_, {{"free", {}}}, clock).value();
      auto stores = tenancy::Tenants::open(
                        {.data = data_, .schema = modules::Records::schema().first(1)}, *registry)
                        .value();
      std::atomic<int> written = 0;
      std::atomic<int> answered = 0;
      int asked = 0;
      for (int i = 0; i < tenants; ++i) {
        const auto tenant = stores->create({.slug = slug(i), .tier = "free"}).value();
        ids_.push_back(tenant->id);
        // In parts: a job may take two seconds of a processor, and some processors are slow.
        for (int left = rows; left > 0; left -= rows_of_a_job) {
          ++asked;
          stores->submit(
              *tenant, storage::Access::write, tenancy::Deadline::max(),
              [some = std::min(left, rows_of_a_job)](storage::TenantStore& store) {
                return store
                    .prepare(
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<?) "
                        "INSERT INTO records SELECT 'notes', randomblob(16), 1, random(), "
                        "random(), "
                        "'{\"n\":1}' FROM n")
                    .integer(some)
                    .run();
              },
              [&](const auto& answer) {
                written += answer && *answer ? 1 : 0;
                ++answered;
              });
        }
      }
      while (answered < asked) std::this_thread::yield();
      ASSERT_EQ(written, asked);
    }
    auto database = storage::Database::open(data_ / "registry.db", {});
    ASSERT_TRUE(database && database->execute("ALTER TABLE tenant DROP COLUMN configured_status;"
                                              "ALTER TABLE tenant DROP COLUMN configured_limits;"
                                              "ALTER TABLE tenant DROP COLUMN synthetic_until;"
                                              "PRAGMA user_version=3"));
  }

  int migrate() {
    return Process(shipped, {"migrate", "--config", deployment_.configuration_file()}, output_)
        .wait();
  }

  static std::int64_t number(const fs::path& file, storage::Sql sql) {
    auto database = storage::Database::open(file, {});
    if (!database) return -1;
    auto row = database->prepare(sql);
    return row.step() ? row.integer_at(0) : -1;
  }
  static std::int64_t version_of(const fs::path& file) {
    return number(file, "PRAGMA user_version");
  }

  /// Of how many tenants the file itself says that the store is new; a log beside it is not looked
  /// into, for a process may have it open.
  [[nodiscard]] int seen_new() const {
    int found = 0;
    for (const auto& id : ids_) {
      std::array<char, 4> version{};
      std::ifstream(store_of(id), std::ios::binary).seekg(60).read(version.data(), 4);
      found += version[3] == newest ? 1 : 0;
    }
    return found;
  }
};

TEST_F(Migrate, BringsEveryStoreToThisSchemaAndIsDoneThen) {
  constexpr int tenants = 300;
  leave_old_data(tenants, 20);
  // Secrets are there for the process that serves alone.
  fs::remove(deployment_.directory() / "operator.token");
  fs::remove(deployment_.directory() / "token.key");
  {
    const SystemClock clock;
    auto registry = tenancy::Registry::open(data_, {{"free", {.retention_ms = 60'000}}}, clock);
    auto stores = tenancy::Tenants::open(
        {.data = data_, .schema = modules::Records::schema().first(1)}, **registry);
    ASSERT_TRUE((*stores)->suspend(slug(1)));
    ASSERT_TRUE((*stores)->remove(slug(2)));  // it is hidden, and nobody opens it any more
    ASSERT_TRUE((*stores)->create({.slug = "unused", .tier = "free"}));
  }
  for (int time = 0; time < 2; ++time) {
    EXPECT_EQ(migrate(), 0) << read(output_);
    EXPECT_EQ(read(output_), "299 stores are of this version's schema, 0 failed\n");
  }
  EXPECT_EQ(version_of(data_ / "registry.db"),
            static_cast<int>(tenancy::Registry::schema_version()));
  for (int i = 0; i < tenants; ++i) {
    const auto store = store_of(ids_[static_cast<std::size_t>(i)]);
    ASSERT_EQ(version_of(store), i == 2 ? 1 : newest) << slug(i);
    ASSERT_EQ(number(store, "SELECT count(*) FROM records"), 20) << slug(i);
  }
}

/// Killed while some stores are done and some are not: each is one or the other, and the next run
/// does the rest.
TEST_F(Migrate, GoesOnAfterItWasKilled) {
  constexpr int tenants = 300;
  leave_old_data(tenants, 200);
  const auto kept = deployment_.directory() / "kept";
  fs::copy(data_, kept, fs::copy_options::recursive);
  bool in_the_middle = false;
  for (int attempt = 0; attempt < 20 && !in_the_middle; ++attempt) {
    fs::remove_all(data_);
    fs::copy(kept, data_, fs::copy_options::recursive);
    {
      const Process doomed(shipped, {"migrate", "--config", deployment_.configuration_file()},
                           output_);
      while (seen_new() < 10) std::this_thread::yield();
    }
    int done = 0;
    for (const auto& id : ids_) {
      const auto version = version_of(store_of(id));
      ASSERT_TRUE(version == 1 || version == newest) << version;
      done += version == newest ? 1 : 0;
    }
    in_the_middle = done < tenants;
  }
  ASSERT_TRUE(in_the_middle);
  EXPECT_EQ(migrate(), 0) << read(output_);
  EXPECT_EQ(read(output_), "300 stores are of this version's schema, 0 failed\n");
  for (const auto& id : ids_) {
    ASSERT_EQ(version_of(store_of(id)), newest);
    ASSERT_EQ(number(store_of(id), "SELECT count(*) FROM records"), 200);
  }
}

TEST_F(Migrate, IsRefusedWhileARuntimeServes) {
  leave_old_data(3, 1);
  const auto application = deployment_.start();
  EXPECT_EQ(migrate(), 3);
  EXPECT_THAT(read(output_), HasSubstr("stop the runtime that serves this data"));
  EXPECT_EQ(seen_new(), 0);
}

TEST_F(Migrate, NamesTheTenantsWhoseStoresItCannotMigrate) {
  leave_old_data(5, 1);
  std::ofstream(store_of(ids_[3]), std::ios::binary) << "this is no database";
  EXPECT_EQ(migrate(), 3);
  EXPECT_THAT(read(output_), HasSubstr("caisson-runtime: t0003: "));
  EXPECT_THAT(read(output_), HasSubstr("4 stores are of this version's schema, 1 failed"));
}

TEST_F(Migrate, MakesNothingWhereNobodyHasServed) {
  EXPECT_EQ(migrate(), 0);
  EXPECT_EQ(read(output_), "0 stores are of this version's schema, 0 failed\n");
  EXPECT_FALSE(fs::exists(data_));
  deployment_.write_configuration(0, 0, R"("colour": "red", )");
  EXPECT_EQ(migrate(), 2);
  EXPECT_THAT(read(output_), HasSubstr("colour"));
}

/// What an index sorts is more than memory takes of it; nothing but the data can be written, as in
/// a container and under the unit of a host, and the process is confined besides.
TEST_F(Migrate, SortsALargeStoreWhereNothingButItsDataCanBeWritten) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make everything else read-only";
  leave_old_data(1, 400'000);
  const std::string data = data_;
  const std::string script =
      "mount --make-rprivate / && for place in / /tmp /var/tmp /dev/shm; do"
      " mountpoint -q $place || mount --bind $place $place;"
      " mount -o remount,bind,ro $place || exit 9; done && mount --bind " +
      data + " " + data + " && mount -o remount,bind,rw " + data + " && exec " + shipped +
      " migrate --config " + deployment_.configuration_file().string();
  Process inside("/usr/bin/unshare", {"--mount", "/bin/sh", "-c", script}, output_,
                 {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"});
  EXPECT_EQ(inside.wait(), 0) << read(output_);
  EXPECT_EQ(read(output_), "1 stores are of this version's schema, 0 failed\n");
  EXPECT_EQ(number(store_of(ids_[0]),
                   "SELECT count(*) FROM records INDEXED BY records_by_creation "
                   "WHERE collection='notes' AND created IS NOT NULL"),
            400'000);
}

}  // namespace
}  // namespace caisson::runtime

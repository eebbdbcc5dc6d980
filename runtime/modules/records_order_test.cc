// What lists cost: bounded work and memory, however much a collection holds.

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <utility>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "base/time.h"
#include "runtime/modules/fixture.h"
#include "runtime/modules/rows.h"

namespace caisson::modules {
namespace {

constexpr int many = 100'000;

/// Pages that the engine has read from the file, or found changed since.
int pages_read(Bench& bench) {
  int now = 0;
  int highest = 0;
  sqlite3_db_status(bench.store().database().handle(), SQLITE_DBSTATUS_CACHE_MISS, &now, &highest,
                    0);
  return now;
}

std::string plan_of(Bench& bench, const storage::ComposedSql& sql) {
  sqlite3_stmt* statement = nullptr;
  const std::string text = "EXPLAIN QUERY PLAN " + sql.text();
  EXPECT_EQ(
      sqlite3_prepare_v2(bench.store().database().handle(), text.c_str(), -1, &statement, nullptr),
      SQLITE_OK);
  std::string plan;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    plan += reinterpret_cast<const char*>(sqlite3_column_text(statement, 3));
    plan += '\n';
  }
  sqlite3_finalize(statement);
  return plan;
}

/// A collection of `many` records of a kilobyte, every hundredth of them `rare`. The order of their
/// updates is not that of their ids.
class RecordsOrder : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    bench_ = std::make_unique<Bench>();
    bench_->run([](storage::TenantStore& store) {
      const std::string filling(1000, 'x');
      for (int i = 0; i < many; ++i) {
        const auto id = Uuid::make(1'771'000'000'000 + i);
        const std::string value = R"({"rare":)" + std::string(i % 100 == 0 ? "true" : "false") +
                                  R"(,"text":")" + filling + "\"}";
        store
            .prepare(
                "INSERT INTO records(collection,id,version,created,updated,value) "
                "VALUES('orders',?,1,?,?,?)")
            .blob(id.view())
            .integer((i * 6007LL) % many)
            .integer((i * 7919LL) % many)
            .text(value)
            .run();
      }
    });
  }
  static void TearDownTestSuite() { bench_.reset(); }

  static std::unique_ptr<Bench> bench_;
};

std::unique_ptr<Bench> RecordsOrder::bench_;

TEST_F(RecordsOrder, EveryOrderHasAnIndexAndSortsNothing) {
  const std::array<std::pair<Order::By, const char*>, 3> indexes{
      {{Order::By::id, "USING INDEX records_by_id (collection=?"},
       {Order::By::created, "USING INDEX records_by_creation (collection=?"},
       {Order::By::updated, "USING INDEX records_by_update (collection=?"}}};
  for (const auto& [by, index] : indexes) {
    for (const bool descending : {false, true}) {
      for (const bool from_place : {false, true}) {
        const auto plan =
            plan_of(*bench_, records_in_order({.by = by, .descending = descending}, from_place));
        EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << plan;
        EXPECT_NE(plan.find(index), std::string::npos) << plan;
        const bool starts_there =
            plan.find("id") != std::string::npos && plan.find("(?,?)") != std::string::npos;
        EXPECT_EQ(starts_there || plan.find("AND id") != std::string::npos, from_place) << plan;
      }
    }
  }
}

TEST_F(RecordsOrder, APageReadsTheRecordsThatItGivesAndNoOthers) {
  for (const std::string order : {"id", "-id", "created", "-created", "updated", "-updated"}) {
    std::string cursor;
    for (int page = 0; page < 3; ++page) {
      const int before = pages_read(*bench_);
      const auto answer = bench_->get("/v1/records/orders", "limit=10&order=" + order + cursor);
      ASSERT_EQ(answer.problem, "");
      // Ten records, the way down two trees to each.
      EXPECT_LT(pages_read(*bench_) - before, 100) << order;
      cursor = "&cursor=" + std::string(object(answer).at("next").as_string());
    }
  }
}

TEST_F(RecordsOrder, ByCreationIsByTheTimeThatTheRecordsSay) {
  for (const bool descending : {false, true}) {
    std::vector<std::string> seen;
    std::string cursor;
    while (seen.size() < 500) {
      const std::string order = descending ? "-created" : "created";
      const auto answer = bench_->get("/v1/records/orders", "limit=100&order=" + order + cursor);
      ASSERT_EQ(answer.problem, "");
      const auto page = object(answer);
      for (const auto& record : page.at("records").as_array()) {
        seen.emplace_back(record.at("created").as_string());
      }
      cursor = "&cursor=" + std::string(page.at("next").as_string());
    }
    if (descending) std::ranges::reverse(seen);
    EXPECT_TRUE(std::ranges::is_sorted(seen, std::less_equal())) << "no two have the same time";
    const std::int64_t first = descending ? many - 500 : 0;
    EXPECT_EQ(seen.front(), rfc3339(first));
    EXPECT_EQ(seen.back(), rfc3339(first + 499));
  }
}

TEST_F(RecordsOrder, AFilterLooksThroughABoundedPartAtATime) {
  std::set<std::string> found;
  std::string cursor;
  int pages = 0;
  do {
    const int before = pages_read(*bench_);
    const auto answer =
        bench_->get("/v1/records/orders", "limit=1000&order=updated&filter=rare:eq:true" + cursor);
    ASSERT_EQ(answer.problem, "");
    EXPECT_LT(answer.body.size(), page_bytes + 4096);
    EXPECT_LT(pages_read(*bench_) - before, 30'000);
    const auto page = object(answer);
    for (const auto& record : page.at("records").as_array()) {
      EXPECT_TRUE(found.insert(std::string(record.at("id").as_string())).second);
    }
    const auto& next = page.at("next");
    cursor = next.is_null() ? "" : "&cursor=" + std::string(next.as_string());
  } while (!cursor.empty() && ++pages < 100);
  EXPECT_EQ(found.size(), many / 100);
  // 4 MiB of values a page.
  EXPECT_EQ(pages, 24);
}

TEST_F(RecordsOrder, CollectionsAreListedAPageAtATime) {
  Bench bench;
  std::set<std::string> made;
  bench.run([&](storage::TenantStore& store) {
    for (int i = 0; i < 2500; ++i) {
      const std::string name = "c" + std::to_string(i);
      static_cast<void>(insert_record(store, name, "{}", bench.now_ms));
      made.insert(name);
    }
  });
  for (const std::string limit : {"", "limit=1000", "limit=7", "limit=1"}) {
    std::set<std::string> seen;
    std::string cursor;
    std::size_t pages = 0;
    do {
      const auto answer = bench.get("/v1/records", limit + cursor);
      ASSERT_EQ(answer.problem, "") << answer.detail;
      const auto page = object(answer);
      for (const auto& entry : page.at("collections").as_array()) {
        EXPECT_TRUE(seen.insert(std::string(entry.at("name").as_string())).second);
        EXPECT_EQ(entry.at("count").as_int64(), 1);
      }
      const auto& next = page.at("next");
      cursor = next.is_null() ? "" : "&cursor=" + std::string(next.as_string());
    } while (!cursor.empty() && ++pages < 3000);
    EXPECT_EQ(seen, made) << limit;
  }
  const auto records = object(bench_->get("/v1/records/orders", "limit=1"));
  const auto foreign = "cursor=" + std::string(records.at("next").as_string());
  EXPECT_EQ(bench_->get("/v1/records", foreign).problem, "invalid-parameter");
  EXPECT_EQ(bench_->get("/v1/records", "limit=0&order=id").faults.size(), 2U);
}

}  // namespace
}  // namespace caisson::modules

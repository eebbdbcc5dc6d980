// Stores that the first version of the schema wrote.

#include <fstream>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/data_version.h"
#include "runtime/modules/fixture.h"
#include "runtime/modules/transfer.h"
#include "runtime/tenancy/registry.h"

namespace caisson::modules {
namespace {

constexpr std::string_view tenant = "0190a000-0000-7000-8000-000000000001";

/// As the version before wrote records, and what it made of batches and imports with escaped keys.
void put_old(Bench& bench, std::string_view collection, int number, std::int64_t version,
             std::string_view value) {
  bench.run([&](storage::TenantStore& store) {
    auto id = Uuid::parse("0190a3c4-5d6e-7f80-9a1b-000000000000").value();
    id.bytes.back() = static_cast<unsigned char>(number);
    store
        .prepare(
            "INSERT INTO records(collection,id,version,created,updated,value) VALUES(?,?,?,?,?,?)")
        .text(collection)
        .blob(id.view())
        .integer(version)
        .integer(1'771'000'000'000)
        .integer(1'771'000'000'000)
        .text(value)
        .run();
  });
}

TEST(RecordsUpgrade, WhatTheFirstVersionWroteIsReadAndFound) {
  Bench bench(std::string(tenant), Records::schema().first(1));
  put_old(bench, "orders", 1, 1, R"({"st\u0061te":"open","n":9007199254740993})");
  put_old(bench, "orders", 2, 1, "");
  put_old(bench, "orders", 3, 0, R"({"n":1})");
  put_old(bench, "orders", 4, INT64_MAX, R"({"n":2})");
  put_old(bench, "orders", 5, INT64_MIN, R"({"n":3})");
  put_old(bench, "", 6, 1, R"({"n":4})");
  bench.run([&](storage::TenantStore& store) {
    store
        .prepare(
            "INSERT INTO idempotency(key,fingerprint,created,status,body,etag,location) "
            "VALUES('k',x'00',1771000000000,200,?,'','')")
        .text(R"({"results":[{"id":"i","value":},{"id":"j","value":{"t":"\"value\":}"}}]})")
        .run();
  });
  bench.open(Records::schema(), {});

  const auto list = object(bench.get("/v1/records/orders", "order=updated"));
  const auto& records = list.at("records").as_array();
  ASSERT_EQ(records.size(), 5U);
  EXPECT_EQ(object(bench.get("/v1/records/orders", "filter=state:eq:open"))
                .at("records")
                .as_array()
                .size(),
            1U);
  EXPECT_EQ(boost::json::serialize(records[1].at("value")), "{}");
  EXPECT_EQ(records[2].at("version").as_int64(), 1);
  EXPECT_EQ(records[3].at("version").as_int64(), 9007199254740991);
  EXPECT_EQ(records[4].at("version").as_int64(), 1);
  EXPECT_EQ(object(bench.get("/v1/records")).at("collections").as_array().at(1).at("name"),
            "recovered");
  bench.run([&](storage::TenantStore& store) {
    const auto page = export_records(store, {}, 1000);
    const auto import = read_import(R"({"tenant":"t","records":)" + page.records + "}");
    ASSERT_TRUE(import) << page.records;
    EXPECT_EQ(import->records.size(), 6U);
    auto row = store.prepare("SELECT body FROM idempotency");
    ASSERT_TRUE(row.step());
    EXPECT_EQ(row.text_at(0),
              R"({"results":[{"id":"i","value":{}},{"id":"j","value":{"t":"\"value\":}"}}]})");
  });
}

TEST(RecordsUpgrade, AFullStoreIsBroughtToTheNewSchemaAll) {
  Bench bench(std::string(tenant), Records::schema().first(1));
  bench.run([](storage::TenantStore& store) {
    for (int i = 0; i < 5000; ++i) {
      const auto id = Uuid::make(1'771'000'000'000 + i);
      store
          .prepare(
              "INSERT INTO records(collection,id,version,created,updated,value) "
              "VALUES('orders',?,1,?,?,'{}')")
          .blob(id.view())
          .integer(i)
          .integer(i)
          .run();
    }
  });
  const auto before = bench.store().database().bytes();
  bench.open(Records::schema(), {.max_bytes = before});
  EXPECT_GT(bench.store().database().bytes(), before) << "there is an index more";
  EXPECT_EQ(object(bench.get("/v1/records/orders", "order=-updated&limit=5"))
                .at("records")
                .as_array()
                .size(),
            5U);
}

// The sanitizer's own memory knows no such limit.
#ifndef __SANITIZE_ADDRESS__
TEST(RecordsUpgrade, AnIndexThatDoesNotFitIntoMemoryIsMade) {
  constexpr int records = 20'000;
  Bench bench(std::string(tenant), Records::schema().first(1));
  bench.run([](storage::TenantStore& store) {
    store
        .prepare(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<?)"
            "INSERT INTO records SELECT printf('%.2500c','c'),randomblob(16),1,i,random(),'{}' "
            "FROM n")
        .integer(records)
        .run();
  });
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  rlimit tight = before;  // the index has 50 MB
  tight.rlim_cur =
      pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + (std::size_t{16} << 20U);
  ASSERT_EQ(setrlimit(RLIMIT_AS, &tight), 0);
  EXPECT_NO_THROW(bench.open(Records::schema(), {}));
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_EQ(object(bench.get("/v1/records")).at("collections").as_array().size(), 1U);
}
#endif

TEST(DataVersion, GrowsWithEveryMigration) {
  EXPECT_EQ(api::data_version, tenancy::Registry::schema_version() + Records::schema().size())
      << "bundles say by it whether a release can go back";
}

}  // namespace
}  // namespace caisson::modules

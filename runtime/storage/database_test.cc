#include "runtime/storage/database.h"

#include <fstream>

#include <gtest/gtest.h>

#include "runtime/storage/files.h"
#include "runtime/storage/folder_fixture.h"
#include "runtime/storage/temporary.h"

namespace caisson::storage {
namespace {

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() {
    EXPECT_TRUE(make_private_file(file_));
    database_.emplace(Database::open(file_, {}).value());
  }
  Database& database() { return *database_; }

  TestFolder folder_;
  std::filesystem::path file_ = folder_.path / "a.db";
  std::optional<Database> database_;
};

TEST_F(DatabaseTest, WhatIsSortedInFilesIsInTheDirectoryThatWasNamed) {
  namespace fs = std::filesystem;
  set_temporary_directory(folder_.path);
  ASSERT_TRUE(database().execute(
      "PRAGMA temp_store=FILE;"
      "CREATE TEMP TABLE large(a); INSERT INTO large VALUES(randomblob(4000000))"));
  int found = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // that of the directory itself
    const std::string file = fs::read_symlink(entry, gone).string();
    if (!file.starts_with((folder_.path / "etilqs_").string())) continue;
    ++found;
    EXPECT_TRUE(file.ends_with(" (deleted)")) << file;
  }
  EXPECT_GT(found, 0);
}

TEST_F(DatabaseTest, BindsEveryTypeAndReadsItBack) {
  auto row = database().prepare("SELECT ?,?,?,?,?");
  row.text("t\0u").blob(std::string_view("\0b", 2)).integer(-7).real(0.5).null();
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.blob_at(1), std::string_view("\0b", 2));
  EXPECT_EQ(row.integer_at(2), -7);
  EXPECT_EQ(row.text_at(3), "0.5");
  EXPECT_TRUE(row.null_at(4));
}

TEST_F(DatabaseTest, AnEmptyViewIsAnEmptyTextNotNull) {
  auto row = database().prepare("SELECT ? IS NULL, ? IS NULL");
  row.text(std::string_view()).blob(std::string_view());
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.integer_at(0), 0);
  EXPECT_EQ(row.integer_at(1), 0);
}

TEST_F(DatabaseTest, TheSameStatementMayBeUsedInsideItself) {
  int pairs = 0;
  const auto each = [&](auto&& visit) {
    auto row = database().prepare("SELECT value FROM json_each('[1,2,3]')");
    while (row.step()) visit();
  };
  each([&] { each([&] { ++pairs; }); });
  EXPECT_EQ(pairs, 9);
}

TEST_F(DatabaseTest, AttachIsRefused) {
  EXPECT_FALSE(database().execute("ATTACH ':memory:' AS other"));
  EXPECT_EQ(database().fault(), Fault::refused);
}

TEST_F(DatabaseTest, ExtensionsAreRefused) {
  EXPECT_FALSE(database().execute("SELECT load_extension('mod_spatialite')"));
}

TEST_F(DatabaseTest, TheSchemaTableCannotBeWritten) {
  ASSERT_TRUE(database().execute("CREATE TABLE t(x)"));
  database().execute("PRAGMA writable_schema=ON");
  EXPECT_FALSE(database().execute("UPDATE sqlite_schema SET sql='x'"));
}

TEST_F(DatabaseTest, AnotherConnectionIsKeptOut) {
  const auto second = Database::open(file_, {});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().what.find("locked"), std::string::npos) << second.error().what;
}

TEST_F(DatabaseTest, AFaultSticksUntilCleared) {
  ASSERT_TRUE(database().execute("CREATE TABLE t(x INTEGER PRIMARY KEY); INSERT INTO t VALUES(1)"));
  EXPECT_FALSE(database().prepare("INSERT INTO t VALUES(1)").run());
  EXPECT_EQ(database().fault(), Fault::refused);
  EXPECT_FALSE(database().prepare("INSERT INTO t VALUES(2)").run());
  database().clear_fault();
  EXPECT_TRUE(database().prepare("INSERT INTO t VALUES(2)").run());
}

TEST_F(DatabaseTest, AStatementPastItsDeadlineEnds) {
  database().set_deadline(std::chrono::steady_clock::now());
  EXPECT_FALSE(database()
                   .prepare("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
                            "SELECT max(i) FROM n")
                   .run());
  EXPECT_EQ(database().fault(), Fault::deadline);
  database().clear_deadline();
  database().clear_fault();
  EXPECT_TRUE(database().prepare("SELECT 1").run());
}

TEST_F(DatabaseTest, ThePageLimitHolds) {
  database().set_max_bytes(100 * 1024);
  ASSERT_TRUE(database().execute("CREATE TABLE t(x)"));
  const std::string large(200 * 1024, 'x');
  EXPECT_FALSE(database().prepare("INSERT INTO t VALUES(?)").text(large).run());
  EXPECT_EQ(database().fault(), Fault::full);
  database().clear_fault();
  EXPECT_TRUE(database().prepare("INSERT INTO t VALUES('small')").run());
}

TEST_F(DatabaseTest, BytesShrinkWithWhatIsDeleted) {
  Database& database = this->database();
  ASSERT_TRUE(database.execute("CREATE TABLE t(x)"));
  const std::int64_t empty = database.bytes();
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(database.execute("INSERT INTO t VALUES(zeroblob(4000))"));
  }
  EXPECT_GE(database.bytes(), empty + 500 * 4000);
  ASSERT_TRUE(database.execute("DELETE FROM t"));
  EXPECT_LE(database.bytes(), empty + 4096);
}

TEST_F(DatabaseTest, ALinkInThePathIsRefused) {
  database_.reset();
  std::filesystem::create_symlink(file_, folder_.path / "link.db");
  EXPECT_FALSE(Database::open(folder_.path / "link.db", {}));
  EXPECT_TRUE(Database::open(file_, {}));
}

TEST_F(DatabaseTest, DeletedBytesAreGoneAfterACheckpoint) {
  const std::string canary = "CANARY-3f1c";
  ASSERT_TRUE(database().execute("CREATE TABLE t(x)"));
  ASSERT_TRUE(database().prepare("INSERT INTO t VALUES(?)").text(canary).run());
  ASSERT_TRUE(database().checkpoint());
  EXPECT_NE(read_file(file_, 1 << 20).value().find(canary), std::string::npos);
  ASSERT_TRUE(database().execute("DELETE FROM t"));
  ASSERT_TRUE(database().checkpoint());
  EXPECT_EQ(read_file(file_, 1 << 20).value().find(canary), std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(folder_.path / "a.db-wal"), 0U);
}

}  // namespace
}  // namespace caisson::storage

#include "runtime/storage/store.h"

#include <array>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/stat.h>

#include "runtime/storage/folder_fixture.h"

namespace caisson::storage {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const fs::path& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
}

TEST(Store, KeepsWhatWasCommitted) {
  const TestFolder folder;
  {
    auto store = open_notes(folder.path, "a").value();
    EXPECT_TRUE(add_note(store, "one"));
  }
  auto store = open_notes(folder.path, "a", false).value();
  EXPECT_EQ(notes_of(store), "one ");
}

TEST(Store, IsForItsOwnersEyesOnly) {
  const TestFolder folder;
  chmod(folder.path.c_str(), 0755);
  {
    auto store = open_notes(folder.path, "a").value();
    add_note(store, "one");
    EXPECT_EQ(mode_of(folder.path), 0700U);
    EXPECT_EQ(mode_of(folder.path / "store.db"), 0600U);
    EXPECT_EQ(mode_of(folder.path / "store.db-wal"), 0600U);
  }
  chmod((folder.path / "store.db").c_str(), 0664);
  EXPECT_TRUE(open_notes(folder.path, "a", false));
  EXPECT_EQ(mode_of(folder.path / "store.db"), 0600U);
}

TEST(Store, AMissingStoreIsNotBegunAnew) {
  const TestFolder folder;
  EXPECT_FALSE(open_notes(folder.path, "a", false));
  std::ofstream(folder.path / "store.db").flush();
  EXPECT_FALSE(open_notes(folder.path, "a", false)) << "an empty file is no store";
  EXPECT_FALSE(open_notes(folder.path, "a", false)) << "nor has it become one";
  EXPECT_TRUE(open_notes(folder.path, "a", true));
}

TEST(Store, AStoreMadeHalfIsMadeAnewAndNoOldLogIsReplayed) {
  const TestFolder folder;
  const TestFolder other;
  {
    ASSERT_TRUE(open_notes(folder.path, "a"));
    auto store = open_notes(other.path, "b").value();
    add_note(store, "foreign");
    fs::copy_file(other.path / "store.db-wal", folder.path / "log");
  }
  const auto leave_half = [&] {
    for (const char* name : {"store.db", "store.db-wal", "store.db-shm"}) {
      fs::remove(folder.path / name);
    }
    std::ofstream(folder.path / "store.db").flush();
    auto begun = Database::open(folder.path / "store.db", {}).value();
    EXPECT_TRUE(begun.execute("PRAGMA user_version=0; CREATE TABLE t(a); DROP TABLE t"));
  };
  leave_half();
  EXPECT_FALSE(open_notes(folder.path, "a", false))
      << "a store that has been used is not made anew";
  EXPECT_TRUE(open_notes(folder.path, "a", true));

  fs::remove(folder.path / "store.db");
  fs::rename(folder.path / "log", folder.path / "store.db-wal");
  auto store = open_notes(folder.path, "a", true).value();
  EXPECT_EQ(notes_of(store), "");
  EXPECT_TRUE(add_note(store, "one"));
}

TEST(Store, AnotherTenantsStoreIsRefused) {
  const TestFolder folder;
  {
    ASSERT_TRUE(open_notes(folder.path, "a"));
  }
  const auto store = open_notes(folder.path, "b");
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().what.find("another tenant"), std::string::npos);
}

TEST(Store, LinksAreRefused) {
  const TestFolder a;
  const TestFolder b;
  {
    ASSERT_TRUE(open_notes(a.path, "a"));
  }
  fs::create_symlink(a.path / "store.db", b.path / "store.db");
  EXPECT_FALSE(open_notes(b.path, "a")) << "symbolic link to a store";
  fs::remove(b.path / "store.db");
  fs::create_hard_link(a.path / "store.db", b.path / "store.db");
  EXPECT_FALSE(open_notes(b.path, "a")) << "second name of a store";
  fs::remove(b.path / "store.db");
  EXPECT_TRUE(open_notes(a.path, "a"));

  std::ofstream(b.path / "log").flush();
  fs::create_symlink(b.path / "log", a.path / "store.db-wal");
  EXPECT_FALSE(open_notes(a.path, "a")) << "symbolic link as log";
  fs::remove(a.path / "store.db-wal");

  const fs::path alias = b.path / "directory";
  fs::create_directory_symlink(a.path, alias);
  EXPECT_FALSE(open_notes(alias, "a")) << "symbolic link as directory";
}

TEST(Store, OtherKindsOfFileAreRefused) {
  const TestFolder folder;
  ASSERT_EQ(mkfifo((folder.path / "store.db").c_str(), 0600), 0);
  EXPECT_FALSE(open_notes(folder.path, "a"));
  fs::remove(folder.path / "store.db");
  std::ofstream(folder.path / "store.db") << std::string(8192, 'x');
  EXPECT_FALSE(open_notes(folder.path, "a"));
}

TEST(Store, MigratesAtOpenStepByStep) {
  const TestFolder folder;
  const std::array<Migration, 2> newer = {note_table, "ALTER TABLE note ADD COLUMN extra TEXT"};
  {
    auto store = open_notes(folder.path, "a").value();
    add_note(store, "one");
  }
  {
    auto store = Store::open(folder.path, "a", newer, false, {}).value();
    auto row = store.database().prepare("SELECT text, extra IS NULL FROM note");
    ASSERT_TRUE(row.step());
    EXPECT_EQ(row.text_at(0), "one");
    EXPECT_EQ(row.integer_at(1), 1);
  }
  const auto older = open_notes(folder.path, "a", false);
  ASSERT_FALSE(older) << "an older program must not touch a newer store";
  EXPECT_NE(older.error().what.find("version 2"), std::string::npos);
}

TEST(Store, AFailedMigrationChangesNothing) {
  const TestFolder folder;
  {
    auto store = open_notes(folder.path, "a").value();
    add_note(store, "one");
  }
  const std::array<Migration, 3> broken = {note_table, "DELETE FROM note", "NO SQL"};
  EXPECT_FALSE(Store::open(folder.path, "a", broken, false, {}));
  auto store = open_notes(folder.path, "a", false).value();
  EXPECT_EQ(notes_of(store), "one ");
}

TEST(Store, AFullStoreLosesOnlyWhatDidNotFit) {
  const TestFolder folder;
  auto store = open_notes(folder.path, "a", true, {.max_bytes = 100 * 1024}).value();
  EXPECT_TRUE(add_note(store, "one"));
  store.begin();
  const auto outcome = store.run(
      [](TenantStore& view) {
        const std::string large(200 * 1024, 'x');
        view.prepare("INSERT INTO note VALUES(?)").text(large).run();
      },
      no_deadline);
  EXPECT_EQ(outcome.fault, Fault::full);
  store.roll_back();
  EXPECT_TRUE(add_note(store, "two"));
  EXPECT_EQ(notes_of(store), "one two ");
}

TEST(Store, WhatWasNotCommittedIsGone) {
  const TestFolder folder;
  {
    auto store = open_notes(folder.path, "a").value();
    store.begin();
    static_cast<void>(
        store.run([](TenantStore& view) { view.prepare("INSERT INTO note VALUES('x')").run(); },
                  no_deadline));
  }
  auto store = open_notes(folder.path, "a", false).value();
  EXPECT_EQ(notes_of(store), "");
}

/// One job of a batch: what it adds, and how it ends.
struct Job {
  enum class End : std::uint8_t { well, abandoned, refused };
  std::vector<int> adds;
  End end = End::well;
};

}  // namespace
}  // namespace caisson::storage

namespace rc {
template <>
struct Arbitrary<caisson::storage::Job> {
  static Gen<caisson::storage::Job> arbitrary() {
    using caisson::storage::Job;
    return gen::build<Job>(
        gen::set(&Job::adds, gen::container<std::vector<int>>(gen::inRange(0, 40))),
        gen::set(&Job::end, gen::element(Job::End::well, Job::End::well, Job::End::abandoned,
                                         Job::End::refused)));
  }
};
}  // namespace rc

namespace caisson::storage {
namespace {

RC_GTEST_PROP(StoreBatch, Property06_ErrorIsolation, (const std::vector<Job>& jobs)) {
  static const TestFolder folder;
  static Store store = open_notes(folder.path, "a").value();
  store.database().execute("DELETE FROM note");

  // The model: a job's notes are kept, all of them, exactly when it ended well.
  std::set<std::string> expected;
  store.begin();
  for (const Job& job : jobs) {
    std::set<std::string> after = expected;
    bool fits = true;
    for (const int n : job.adds) fits = after.insert(std::to_string(n)).second && fits;
    const auto outcome = store.run(
        [&](TenantStore& view) {
          for (const int n : job.adds) {
            view.prepare("INSERT INTO note VALUES(?)").text(std::to_string(n)).run();
          }
          if (job.end == Job::End::abandoned) view.abandon();
          if (job.end == Job::End::refused) view.prepare("INSERT INTO note VALUES(NULL)").run();
        },
        no_deadline);
    const bool well = fits && job.end == Job::End::well;
    RC_ASSERT((outcome.fault == Fault::refused) == (!fits || job.end == Job::End::refused));
    RC_ASSERT(!outcome.transaction_lost);
    if (well) expected = after;
  }
  RC_ASSERT(store.commit());
  std::string all;
  for (const std::string& note : expected) all += note + " ";
  RC_ASSERT(notes_of(store) == all);
}

}  // namespace
}  // namespace caisson::storage

#include "runtime/storage/snapshot.h"

#include <fstream>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/time.h"
#include "runtime/storage/files.h"
#include "runtime/storage/folder_fixture.h"

namespace caisson::storage {
namespace {

namespace fs = std::filesystem;

Snapshot take(Store& store, const fs::path& directory, const std::string& tenant_id) {
  EXPECT_TRUE(copy_store(store, directory / "copy.db.new"));
  return seal_snapshot(directory / "copy.db.new", directory, tenant_id, "of-" + tenant_id,
                       unix_ms_now())
      .value();
}

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() : store_(open_notes(home_.path, "a").value()) { add_note(store_, "one"); }

  Result<void> restore(const Snapshot& snapshot, const std::string& from, const std::string& to) {
    return prepare_restore(file_of(snapshot), snapshot.sha256, from, to, {&note_table, 1}, "r-1",
                           target_.path / "store.db");
  }
  fs::path file_of(const Snapshot& snapshot) { return folder_.path / (snapshot.id + ".db"); }

  TestFolder home_;
  TestFolder folder_;
  TestFolder target_;
  const fs::path copy_ = unfinished(folder_.path / "copy.db");
  Store store_;
};

TEST_F(SnapshotTest, IsDescribedAndListed) {
  const Snapshot made = take(store_, folder_.path, "a");
  EXPECT_EQ(made.tenant_id, "a");
  EXPECT_EQ(made.schema, 1);
  EXPECT_EQ(made.sha256, sha256_of_file(file_of(made)).value());
  EXPECT_EQ(static_cast<std::uintmax_t>(made.bytes), fs::file_size(file_of(made)));
  take(store_, folder_.path, "a");
  const auto listed = list_snapshots(folder_.path).value();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].id, made.id);
  EXPECT_EQ(listed[0].sha256, made.sha256);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path), {}), 4) << "two files each";
}

TEST_F(SnapshotTest, AnUnfinishedOneDoesNotCount) {
  const Snapshot whole = take(store_, folder_.path, "a");
  ASSERT_TRUE(copy_store(store_, copy_));
  std::ofstream(folder_.path / "0190b6a0-7e2a-7c3d-8e4f-0123456789ab.db") << "half";
  EXPECT_EQ(list_snapshots(folder_.path)->size(), 1U);
  std::ofstream(folder_.path / "0190b6a0-7e2a-7c3d-8e4f-0123456789ac.json.new") << "half";
  std::ofstream(copy_.string() + "-wal") << "half";
  ASSERT_TRUE(clear_unfinished_snapshots(folder_.path));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path), {}), 2);
  EXPECT_TRUE(restore(whole, "a", "a"));
}

TEST_F(SnapshotTest, WhatCannotBeExaminedIsNotTakenForMissing) {
  // With ".json" the name is longer than names may be.
  const fs::path file = folder_.path / (std::string(252, 'x') + ".db");
  std::ofstream(file) << "whole, for all we know";
  EXPECT_FALSE(clear_unfinished_snapshots(folder_.path));
  EXPECT_TRUE(fs::exists(file));
  EXPECT_FALSE(list_snapshots(file)) << "not a directory";
}

TEST_F(SnapshotTest, HoldsTheStoreAsItWas) {
  const Snapshot snapshot = take(store_, folder_.path, "a");
  add_note(store_, "two");
  ASSERT_TRUE(restore(snapshot, "a", "a"));
  auto restored = open_notes(target_.path, "a", false).value();
  EXPECT_EQ(notes_of(restored), "one ");
}

TEST_F(SnapshotTest, Property46_ForeignRestoreIsRefused) {
  const Snapshot snapshot = take(store_, folder_.path, "a");
  EXPECT_FALSE(restore(snapshot, "b", "b"));
  EXPECT_FALSE(fs::exists(target_.path / "store.db"));
  ASSERT_TRUE(restore(snapshot, "a", "b")) << "its owner is named";
  EXPECT_FALSE(open_notes(target_.path, "a", false)) << "it is now b's";
  EXPECT_TRUE(open_notes(target_.path, "b", false));
}

TEST_F(SnapshotTest, ADamagedOneIsRefused) {
  const Snapshot snapshot = take(store_, folder_.path, "a");
  std::fstream file(file_of(snapshot), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(5000).put('\x7f');
  file.close();
  const auto restored = restore(snapshot, "a", "a");
  ASSERT_FALSE(restored);
  EXPECT_NE(restored.error().what.find("damaged"), std::string::npos);
  EXPECT_FALSE(fs::exists(target_.path / "store.db"));
}

TEST_F(SnapshotTest, ADamagedStoreGivesNone) {
  for (int i = 0; i < 500; ++i) add_note(store_, "note " + std::to_string(i));
  ASSERT_TRUE(store_.database().checkpoint());
  ASSERT_TRUE(copy_store(store_, copy_));
  std::fstream file(copy_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(3 * 4096).write(std::string(4096, '\xff').data(), 4096);
  file.close();
  EXPECT_FALSE(seal_snapshot(copy_, folder_.path, "a", "of-a", 0));
  EXPECT_TRUE(list_snapshots(folder_.path)->empty());
}

RC_GTEST_PROP(SnapshotContent, Property47_RestorationFidelity,
              (const std::vector<std::string>& notes)) {
  static const TestFolder home;
  const TestFolder folder;
  const TestFolder target;
  static Store store = open_notes(home.path, "a").value();
  store.begin();
  for (const std::string& note : notes) {
    store.database().prepare("INSERT OR IGNORE INTO note VALUES(?)").text(note).run();
  }
  RC_ASSERT(store.commit());
  const std::string before = notes_of(store);
  const Snapshot snapshot = take(store, folder.path, "a");
  store.database().execute("DELETE FROM note");
  RC_ASSERT(prepare_restore(folder.path / (snapshot.id + ".db"), snapshot.sha256, "a", "a",
                            {&note_table, 1}, "r-1", target.path / "store.db"));
  auto restored = open_notes(target.path, "a", false).value();
  RC_ASSERT(notes_of(restored) == before);
}

}  // namespace
}  // namespace caisson::storage

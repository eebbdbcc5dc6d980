#include "runtime/tenancy/batch_run.h"

#include <functional>

#include <gtest/gtest.h>

#include "runtime/storage/folder_fixture.h"

namespace caisson::tenancy {
namespace {

using storage::Access;
using storage::TenantStore;

/// What became of one job.
struct Told {
  int runs = 0;
  int releases = 0;
  std::optional<Refusal> refusal;
};

class RecordedTask final : public Task {
 public:
  RecordedTask(Told& told, std::function<void(TenantStore&)> job)
      : told_(told), job_(std::move(job)) {}
  void run(TenantStore& store) override {
    ++told_.runs;
    job_(store);
  }
  void release(std::optional<Refusal> refusal) override {
    ++told_.releases;
    told_.refusal = refusal;
  }

 private:
  Told& told_;
  std::function<void(TenantStore&)> job_;
};

auto adding(std::string text) {
  return [text = std::move(text)](TenantStore& store) {
    store.prepare("INSERT INTO note VALUES(?)").text(text).run();
  };
}

/// A store of at most 40 pages, and one batch on it.
class Batch : public testing::Test {
 protected:
  void add(Told& told, std::function<void(TenantStore&)> job, Access access = Access::write) {
    auto task = std::make_unique<RecordedTask>(told, std::move(job));
    task->access = access;
    if (run.goes_on()) run.add(std::move(task));
  }

  storage::TestFolder folder;
  storage::Store store =
      storage::open_notes(folder.path, "a", true, {.max_bytes = 40 * 4096}).value();
  Turns turns{1, std::chrono::hours(1)};
  Turns::Share share;
  Turn turn{turns, share, std::chrono::hours(1)};
  CommitMeter meter;
  BatchRun run{store, turn, meter};
};

const std::string too_large(300'000, 'x');

TEST_F(Batch, AJobWhoseTransactionDidNotBeginRunsInOneOfItsOwn) {
  // What the engine has refused before sticks: no transaction begins on it.
  store.database().execute("INSERT INTO note VALUES(zeroblob(300000))");
  ASSERT_EQ(store.database().fault(), storage::Fault::full);
  Told told;
  add(told, adding("x"));
  EXPECT_TRUE(run.finish());
  run.release();
  EXPECT_EQ(told.runs, 1);
  EXPECT_EQ(told.refusal, std::nullopt);
  EXPECT_EQ(run.committed(), 1U);
  EXPECT_EQ(storage::notes_of(store), "x ");
}

TEST_F(Batch, WhatIsDurableIsSaidToBeWhateverBreaksTheStoreLater) {
  Told kept;
  Told read;
  Told breaking;
  Told after;
  Told large;
  add(kept, adding("kept"));
  add(
      read, [](TenantStore& view) { static_cast<void>(view.prepare("SELECT 1").step()); },
      Access::read);
  add(breaking, [&](TenantStore& view) {
    // The second time the engine says of the file that it cannot be written.
    if (breaking.runs == 2) view.prepare("PRAGMA query_only=ON").run();
    adding("breaking")(view);
  });
  add(after, adding("after"));
  add(large, adding(too_large));  // the engine undoes all
  EXPECT_FALSE(run.goes_on());
  EXPECT_FALSE(run.finish()) << "the store is broken";
  run.release();
  for (const Told* told : {&kept, &read, &breaking, &after, &large}) EXPECT_EQ(told->releases, 1);
  EXPECT_EQ(kept.refusal, std::nullopt);
  EXPECT_EQ(read.refusal, std::nullopt);
  EXPECT_EQ(breaking.refusal, Refusal::unavailable);
  EXPECT_EQ(after.refusal, Refusal::unavailable);
  EXPECT_EQ(large.refusal, Refusal::full);
  EXPECT_EQ(run.committed(), 1U);
  store.database().clear_fault();
  EXPECT_EQ(storage::notes_of(store), "kept ");
}

TEST_F(Batch, AFullStoreRefusesThoseThatDoNotFitAndNoOther) {
  std::vector<Told> small(5);
  Told large;
  for (std::size_t i = 0; i < small.size(); ++i) add(small[i], adding(std::to_string(i)));
  add(large, adding(too_large));
  EXPECT_TRUE(run.finish());
  run.release();
  for (const Told& told : small) {
    EXPECT_EQ(told.runs, 2);
    EXPECT_EQ(told.refusal, std::nullopt);
  }
  EXPECT_EQ(large.refusal, Refusal::full);
  EXPECT_EQ(storage::notes_of(store), "0 1 2 3 4 ");
}

}  // namespace
}  // namespace caisson::tenancy

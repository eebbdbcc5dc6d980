#include "conformance/journal/journal.h"

#include <ctime>
#include <fstream>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace caisson::conformance {
namespace {

namespace fs = std::filesystem;

class JournalTest : public testing::Test {
 protected:
  void SetUp() override { fs::remove_all(directory_); }
  void TearDown() override { fs::remove_all(directory_); }

  const fs::path directory_ =
      fs::temp_directory_path() / ("caisson-journal-" + std::to_string(getpid()));
  const Creation tenant_{.kind = "tenant", .instance = "runtime", .tenant = "t1", .name = "t1"};
  const Creation key_{
      .kind = "key", .instance = "runtime", .tenant = "t1", .name = "k \"quoted\"\n"};
};

TEST_F(JournalTest, RemembersWhatStandsInReverse) {
  auto journal = Journal::open(directory_, "r1", 60);
  ASSERT_TRUE(journal) << journal.error().text();
  ASSERT_TRUE(journal->will_create(tenant_));
  ASSERT_TRUE(journal->will_create(key_));
  EXPECT_EQ(journal->standing(), (std::vector{key_, tenant_}));
  EXPECT_FALSE(journal->close());
  ASSERT_TRUE(journal->removed(key_));
  ASSERT_TRUE(journal->removed(tenant_));
  EXPECT_TRUE(journal->close());
  EXPECT_TRUE(left_journals(directory_).empty());
}

TEST_F(JournalTest, ARunThatWasKilledIsFound) {
  const pid_t child = fork();
  if (child == 0) {
    auto journal = Journal::open(directory_, "r2", 60);
    if (journal && journal->will_create(tenant_) && journal->will_create(key_) &&
        journal->removed(key_)) {
      kill(getpid(), SIGKILL);
    }
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto left = left_journals(directory_);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].run, "r2");
  EXPECT_FALSE(left[0].owner_alive);
  EXPECT_GT(left[0].expires, std::time(nullptr));
  EXPECT_EQ(left[0].standing, std::vector{tenant_});
}

TEST_F(JournalTest, ALivingOwnerIsSeenAndACutLineIsNoObstacle) {
  auto journal = Journal::open(directory_, "r3", 60);
  ASSERT_TRUE(journal);
  ASSERT_TRUE(journal->will_create(tenant_));
  std::ofstream(directory_ / "r3.journal", std::ios::app) << R"({"do":"create","kind":"ke)";
  const auto left = left_journals(directory_);
  ASSERT_EQ(left.size(), 1U);
  EXPECT_TRUE(left[0].owner_alive);
  EXPECT_EQ(left[0].standing, std::vector{tenant_});
  EXPECT_FALSE(Journal::open(directory_, "r3", 60)) << "a run id was used twice";
}

}  // namespace
}  // namespace caisson::conformance

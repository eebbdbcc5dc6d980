#include <cerrno>
#include <iostream>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/disk/crash_disk_testing.h"
#include "installer/disk/explore_testing.h"

namespace caisson::installer::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

/// Writes a file and does not sync it.
std::unique_ptr<DiskFile> written(Disk& disk, std::string_view path, std::string_view bytes) {
  auto file = disk.create(path, 0644);
  if (!file || !(*file)->append(bytes)) return nullptr;
  return *std::move(file);
}

/// What may stand at `path` after a crash, over all crashes there are; "(nothing)" when nothing.
std::set<std::string> contents_after_crash(const Machine& machine, const std::string& path) {
  std::set<std::string> contents;
  for (const auto& left : survivors(machine.unsure(), 100'000, 0)) {
    const auto files = machine.crash(left).files();
    const auto found = files.find(path);
    contents.insert(found == files.end() ? "(nothing)" : found->second);
  }
  return contents;
}

std::set<std::map<std::string, std::string>> trees_after_crash(const Machine& machine) {
  std::set<std::map<std::string, std::string>> trees;
  for (const auto& left : survivors(machine.unsure(), 100'000, 0)) {
    trees.insert(machine.crash(left).files());
  }
  return trees;
}

TEST(Machine, LosesCutsAndZeroesContentThatWasNotSynced) {
  Machine machine;
  const auto disk = machine.open("/");
  const auto file = written(*disk, "f", "abcd");
  ASSERT_TRUE(disk->sync_directory(""));
  const std::string zeros(4, '\0');
  EXPECT_THAT(contents_after_crash(machine, "/f"), UnorderedElementsAre("", "ab", zeros, "abcd"));
  ASSERT_TRUE(file->sync());
  EXPECT_THAT(machine.unsure(), IsEmpty());
  ASSERT_TRUE(file->append("ef"));
  EXPECT_THAT(contents_after_crash(machine, "/f"),
              UnorderedElementsAre("abcd", "abcde", "abcd" + std::string(2, '\0'), "abcdef"));
}

TEST(Machine, LosesTheNameOfAFileThatWasSyncedAlone) {
  Machine machine;
  const auto disk = machine.open("/");
  const auto file = written(*disk, "f", "abcd");
  ASSERT_TRUE(file->sync());
  EXPECT_THAT(contents_after_crash(machine, "/f"), UnorderedElementsAre("(nothing)", "abcd"));
  ASSERT_TRUE(disk->sync_directory(""));
  EXPECT_THAT(contents_after_crash(machine, "/f"), UnorderedElementsAre("abcd"));
}

TEST(Machine, LosesTheModeThatAFileWasGivenAfterItWasMade) {
  Machine machine;
  const auto disk = machine.open("/");
  ASSERT_TRUE(disk->make_directory("d", 0755));
  ASSERT_TRUE(disk->sync_directory(""));
  const auto unsure = machine.unsure();
  ASSERT_EQ(unsure.size(), 1U);
  auto after = machine.crash(std::vector{Left::lost});
  EXPECT_EQ((*after.open("/")->status("d"))->mode, 0700U);
  ASSERT_TRUE(disk->sync_directory("d"));
  EXPECT_THAT(machine.unsure(), IsEmpty());
}

TEST(Machine, ReordersNamesAndKeepsEachRenameWhole) {
  Machine machine;
  const auto disk = machine.open("/");
  for (const std::string name : {"a", "b"}) ASSERT_TRUE(disk->symlink(name, name));
  ASSERT_TRUE(disk->sync_all());
  ASSERT_TRUE(disk->rename("a", "x"));
  ASSERT_TRUE(disk->remove("b"));
  using Tree = std::map<std::string, std::string>;
  EXPECT_THAT(trees_after_crash(machine),
              UnorderedElementsAre(Tree{{"/a", "-> a"}, {"/b", "-> b"}}, Tree{{"/a", "-> a"}},
                                   Tree{{"/x", "-> a"}, {"/b", "-> b"}}, Tree{{"/x", "-> a"}}))
      << "the later one without the earlier one, too";
}

TEST(Machine, MakesARenameCertainWhenBothDirectoriesAre) {
  Machine machine;
  const auto disk = machine.open("/");
  ASSERT_TRUE(disk->make_directory("from", 0755) && disk->make_directory("to", 0755));
  ASSERT_TRUE(disk->symlink("x", "from/link") && disk->sync_all());
  ASSERT_TRUE(disk->rename("from/link", "to/link"));
  ASSERT_TRUE(disk->sync_directory("to"));
  EXPECT_THAT(contents_after_crash(machine, "/to/link"), UnorderedElementsAre("(nothing)", "-> x"));
  ASSERT_TRUE(disk->symlink("y", "to/next") && disk->rename("to/next", "to/link"));
  ASSERT_TRUE(disk->sync_directory("to"));
  EXPECT_THAT(contents_after_crash(machine, "/to/link"), UnorderedElementsAre("-> y"))
      << "the earlier rename does not come back over a later one";
  ASSERT_TRUE(disk->sync_directory("from"));
  EXPECT_THAT(machine.unsure(), IsEmpty());
}

TEST(Machine, SyncsOneFileSystemAtATimeAndLosesPowerOfAll) {
  Machine machine;
  machine.mount("/data");
  const auto root = machine.open("/");
  const auto data = machine.open("/data/shop");
  ASSERT_TRUE(root->symlink("x", "r") && data->symlink("x", "d"));
  ASSERT_TRUE(root->sync_all());
  EXPECT_THAT(contents_after_crash(machine, "/r"), UnorderedElementsAre("-> x"));
  EXPECT_THAT(contents_after_crash(machine, "/data/shop/d"),
              UnorderedElementsAre("(nothing)", "-> x"));
  EXPECT_FALSE(root->rename("r", "data/r")) << "from one to another";
  ASSERT_TRUE(data->sync_all());
  EXPECT_THAT(machine.unsure(), IsEmpty());
}

TEST(Machine, NeverMakesCertainWhatASyncHasFailedFor) {
  Machine machine;
  const auto disk = machine.open("/");
  const auto file = written(*disk, "f", "abcd");
  ASSERT_TRUE(disk->sync_directory(""));
  machine.fail({.call = 0, .error = EIO});
  EXPECT_FALSE(file->sync());
  EXPECT_EQ(machine.struck(), "sync /f");
  machine.mend();
  ASSERT_TRUE(file->sync()) << "the kernel has forgotten it";
  EXPECT_EQ(*read_file(*disk, "f", 10), "abcd") << "and goes on showing it";
  EXPECT_THAT(contents_after_crash(machine, "/f"), Contains(""));
  ASSERT_TRUE(file->append("ef") && file->sync());
  EXPECT_THAT(contents_after_crash(machine, "/f"),
              UnorderedElementsAre(std::string(4, '\0') + "ef", "abcdef",
                                   "ab" + std::string(2, '\0') + "ef"));
}

TEST(Machine, TakesNoMoreWritesAfterNamesCouldNotBeWritten) {
  Machine machine;
  machine.mount("/data");
  const auto disk = machine.open("/");
  const auto data = machine.open("/data");
  ASSERT_TRUE(disk->symlink("x", "a"));
  machine.fail({.call = 0, .error = ENOSPC});
  EXPECT_TRUE(disk->sync_directory("")) << "their space was taken before";
  ASSERT_TRUE(disk->symlink("x", "b"));
  machine.fail({.call = 0, .error = EIO});
  EXPECT_FALSE(disk->sync_directory(""));
  machine.mend();
  EXPECT_TRUE(machine.shut_down());
  EXPECT_FALSE(disk->symlink("x", "c"));
  EXPECT_TRUE(disk->list(""));
  EXPECT_TRUE(data->symlink("x", "d")) << "another file system";
  EXPECT_THAT(contents_after_crash(machine, "/b"), UnorderedElementsAre("(nothing)", "-> x"));
  auto after = machine.crash(std::vector(2, Left::lost));
  EXPECT_TRUE(after.open("/")->symlink("x", "c"));
}

TEST(Machine, RefusesTheCallThatAFaultNames) {
  Machine machine;
  const auto disk = machine.open("/");
  machine.fail({.call = 1, .error = ENOSPC});
  EXPECT_TRUE(disk->symlink("x", "a"));
  const auto full = disk->symlink("x", "b");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::host_full);
  EXPECT_TRUE(disk->symlink("x", "b")) << "once";
  machine.fail({.call = 0, .error = ENOSPC, .forever = true});
  EXPECT_TRUE(disk->list("")) << "it takes no space";
  EXPECT_TRUE(disk->remove("a"));
  EXPECT_FALSE(disk->symlink("x", "c"));
  EXPECT_FALSE(disk->make_directory("d", 0755));
  machine.fail({.call = 0, .error = EIO, .forever = true});
  const auto unread = disk->list("");
  ASSERT_FALSE(unread);
  EXPECT_EQ(unread.error().code, Code::host_read);
  EXPECT_FALSE(disk->remove("b"));
  machine.mend();
  auto file = disk->create("e", 0644);
  machine.fail({.call = 0, .error = ENOSPC});
  EXPECT_FALSE((*file)->append("abcd"));
  EXPECT_EQ(*read_file(*disk, "e", 10), "ab") << "half of it was written";
}

// A text that is replaced: the old one or the new one, and the new one once that was told.

constexpr std::string_view kOld = "the old text";
constexpr std::string_view kNew = "the new one";

/// Replaces `text` by these calls, one a word; tells when all have succeeded.
Scenario replacing(const std::string& steps) {
  const auto run = [steps](Machine& machine) {
    const auto disk = machine.open("/etc/shop");
    std::unique_ptr<DiskFile> file;
    for (const char step : steps) {
      Checked<void> done;
      if (step == 'c') {
        auto made = disk->create("text.new", 0644);
        if (made) file = *std::move(made);
        done = made.map([](auto&) {});
      }
      if (step == 'a') done = file->append(kNew);
      if (step == 's') done = file->sync();
      if (step == 't' && !file->sync()) done = file->sync();  // tries once more
      if (step == 'd') done = disk->remove("text");
      if (step == 'r') done = disk->rename("text.new", "text");
      if (step == 'n') done = disk->sync_directory("");
      if (!done) return;
    }
    machine.told.emplace_back("replaced");
  };
  const auto recover = [](Machine& machine) {
    const auto disk = machine.open("/etc/shop");
    if (disk->remove("text.new")) (void)disk->sync_directory("");
  };
  const auto fault = [](Machine& machine) -> std::string {
    const auto text = read_file(*machine.open("/etc/shop"), "text", 100);
    if (!text) return text.error().what;
    if (*text != kNew && *text != kOld) return "the text is neither the old nor the new one";
    if (*text == kOld && !machine.told.empty()) return "it was told to be replaced";
    return "";
  };
  return {run, recover, fault};
}

Explored explored(const std::string& steps) {
  Machine machine;
  {
    const auto disk = machine.open("/etc/shop");
    const auto file = written(*disk, "text", kOld);
    EXPECT_TRUE(disk->sync_all());
  }
  return explore(machine, replacing(steps));
}

TEST(Explore, FindsNothingWhereContentAndNameAreSyncedInOrder) {
  const auto all = explored("casrn");
  EXPECT_EQ(all.wrong, 0U) << all.text();
  EXPECT_EQ(all.calls, 5U);
  EXPECT_GT(all.states(), 100U);
  EXPECT_GE(all.different, 10U);
}

TEST(Explore, FindsWhatEachWrongOrderLoses) {
  EXPECT_THAT(explored("carn").faults, Contains(HasSubstr("neither the old nor the new")))
      << "renamed without a sync of the content";
  EXPECT_THAT(explored("carsn").faults, Contains(HasSubstr("neither the old nor the new")))
      << "synced too late";
  EXPECT_THAT(explored("casr").faults, Contains(HasSubstr("it was told to be replaced")))
      << "the name was not synced";
  EXPECT_THAT(explored("casdrn").faults, Contains(HasSubstr("there is no text")))
      << "removed first";
  EXPECT_THAT(explored("catrn").faults, Contains(HasSubstr("neither the old nor the new")))
      << "a sync that failed was tried again";
}

TEST(Explore, FindsARecoveryThatIsNotTheSameTwice) {
  auto scenario = replacing("casrn");
  scenario.recover = [](Machine& machine) {
    const auto disk = machine.open("/etc/shop");
    const auto names = disk->list("");
    if (names) (void)disk->symlink("x", "run-" + std::to_string(names->size()));
  };
  Machine machine;
  const auto all = explore(machine, scenario);
  EXPECT_GT(all.wrong, 0U);
}

TEST(Explore, FindsARecoveryThatACrashInterrupts) {
  // It takes a new text without an old one for a leftover, and comes past that state itself.
  auto scenario = replacing("casn");
  scenario.recover = [](Machine& machine) {
    const auto disk = machine.open("/etc/shop");
    const auto there = [&](std::string_view path) {
      const auto status = disk->status(path);
      return status && *status;
    };
    if (there("text.new") && there("text")) {
      (void)disk->remove("text");
      (void)disk->sync_directory("");
      (void)disk->rename("text.new", "text");
    } else {
      (void)disk->remove("text.new");
    }
    (void)disk->sync_directory("");
  };
  scenario.fault = [](Machine& machine) -> std::string {
    return machine.files().contains("/etc/shop/text") ? "" : "there is no text";
  };
  Machine machine;
  {
    const auto disk = machine.open("/etc/shop");
    const auto file = written(*disk, "text", kOld);
    ASSERT_TRUE(disk->sync_all());
  }
  const auto all = explore(machine, scenario);
  EXPECT_THAT(all.faults, Contains(HasSubstr("then, in the recovery, crash before"))) << all.text();
}

TEST(Explore, TriesTheSameCrashesEveryTime) {
  std::vector<Unsure> unsure;
  for (int i = 0; i < 40; ++i) {
    unsure.push_back({.says = "x", .name = i % 2 == 0, .ways = {Left::lost, Left::whole}});
  }
  for (const std::size_t most : {4U, 20U, 200U, 400U}) {
    const auto some = survivors(unsure, most, 3);
    EXPECT_LE(some.size(), most);
    EXPECT_EQ(some, survivors(unsure, most, 3));
    EXPECT_EQ(std::set(some.begin(), some.end()).size(), some.size()) << "no two alike";
  }
  EXPECT_EQ(survivors(std::span(unsure).first(5), 32, 0).size(), 32U) << "all of them";
  EXPECT_THAT(survivors({}, 4, 0), ElementsAre(IsEmpty())) << "nothing is unsure";
}

}  // namespace
}  // namespace caisson::installer::testing

#include "generator/publish/tree.h"

#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scratch.h"

namespace caisson::publish {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Files = std::map<std::string, std::string>;

Tree writable(const fs::path& directory) {
  auto tree = Tree::open(directory, Tree::Access::write);
  if (!tree) {
    ADD_FAILURE() << tree.error().text();
    std::abort();
  }
  return *std::move(tree);
}

unsigned mode(const fs::path& path) {
  struct stat status{};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

TEST(Tree, WritesFilesAndTheirDirectories) {
  const Scratch scratch;
  const auto before = umask(0077);
  const auto applied =
      writable(scratch / "out")
          .apply(std::vector<Write>{{.path = "a/b/c", .bytes = "deep"},
                                    {.path = "run", .bytes = "#!", .executable = true}});
  umask(before);
  ASSERT_TRUE(applied) << applied.error().text();
  EXPECT_EQ(scratch.files(), (Files{{"out/a/b/c", "deep"}, {"out/run", "#!"}}));
  EXPECT_EQ(mode(scratch / "out/a/b/c"), 0644U);
  EXPECT_EQ(mode(scratch / "out/run"), 0755U);
  EXPECT_EQ(mode(scratch / "out/a/b"), 0755U);
  EXPECT_EQ(mode(scratch / "out"), 0755U);
}

TEST(Tree, ReplacesAFileWithoutTouchingItsOldInode) {
  const Scratch scratch;
  scratch.write("out/f", "old");
  fs::create_hard_link(scratch / "out/f", scratch / "witness");
  ASSERT_TRUE(writable(scratch / "out").apply(std::vector<Write>{{.path = "f", .bytes = "new"}}));
  EXPECT_EQ(scratch.files(), (Files{{"out/f", "new"}, {"witness", "old"}}));
}

TEST(Tree, RemovesFilesAndTheDirectoriesThatThisEmpties) {
  const Scratch scratch;
  scratch.write("out/a/b/gone", "");
  scratch.write("out/a/kept", "");
  scratch.write("out/c/d/gone", "");
  ASSERT_TRUE(writable(scratch / "out")
                  .apply(std::vector<Write>{{.path = "a/b/gone", .remove = true},
                                            {.path = "c/d/gone", .remove = true}}));
  EXPECT_EQ(scratch.files(), (Files{{"out/a/kept", ""}}));
  EXPECT_FALSE(fs::exists(scratch / "out/c"));
}

TEST(Tree, FailureChangesNothing) {
  const Scratch scratch;
  scratch.write("out/changed", "old");
  scratch.write("out/removed", "old");
  const auto before = scratch.files();
  auto tree = writable(scratch / "out");
  const auto applied = tree.apply(std::vector<Write>{{.path = "changed", .bytes = "new"},
                                                     {.path = "new/dir/file", .bytes = "new"},
                                                     {.path = "removed", .remove = true},
                                                     {.path = "vanished", .remove = true}});
  ASSERT_FALSE(applied);
  EXPECT_THAT(applied.error().what, HasSubstr("vanished': no such file or directory"));
  EXPECT_EQ(scratch.files(), before);
  EXPECT_FALSE(fs::exists(scratch / "out/new"));
}

TEST(Tree, FailureWhileStagingRemovesWhatItCreated) {
  const Scratch scratch;
  scratch.write("file", "");
  {
    auto tree = writable(scratch / "out");
    ASSERT_TRUE(tree.apply(std::vector<Write>{{.path = "a", .bytes = "1"}}));
  }
  const auto before = scratch.files();
  auto tree = writable(scratch / "out");
  ASSERT_FALSE(
      tree.apply(std::vector<Write>{{.path = "n/m", .bytes = "2"}, {.path = "a/b", .bytes = "3"}}));
  EXPECT_EQ(scratch.files(), before);
}

TEST(Tree, AFullDiskChangesNothing) {
  const Scratch scratch;
  scratch.write("out/a", "old");
  const auto before = scratch.files();
  auto tree = writable(scratch / "out");
  // A limit on file sizes fails a write half way, as a full disk does.
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{.rlim_cur = 8192, .rlim_max = limit.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string large(100'000, 'x');
  const auto applied = tree.apply(
      std::vector<Write>{{.path = "a", .bytes = "new"}, {.path = "b/c", .bytes = large}});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(applied);
  EXPECT_THAT(applied.error().what, HasSubstr("out/b/c': file too large"));
  EXPECT_EQ(scratch.files(), before);
}

TEST(Tree, AReadOnlyDirectoryChangesNothing) {
  const Scratch scratch;
  scratch.write("out/a", "old");
  scratch.write("out/locked/b", "old");
  fs::permissions(scratch.path(), fs::perms{0755});
  fs::permissions(scratch / "out", fs::perms{0777});
  fs::permissions(scratch / "out/locked", fs::perms{0555});
  const auto before = scratch.files();
  auto tree = writable(scratch / "out");
  // Permissions do not bind root.
  const bool root = geteuid() == 0;
  if (root) {
    ASSERT_EQ(seteuid(65534), 0);
  }
  const auto applied = tree.apply(
      std::vector<Write>{{.path = "a", .bytes = "new"}, {.path = "locked/b", .bytes = "new"}});
  if (root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  fs::permissions(scratch / "out/locked", fs::perms{0755});
  ASSERT_FALSE(applied);
  EXPECT_THAT(applied.error().text(),
              HasSubstr("out/locked/b': permission denied; check who owns the directory"));
  EXPECT_EQ(scratch.files(), before);
}

TEST(Tree, LeavesNoDirectoryBehindWhenNothingWasWritten) {
  const Scratch scratch;
  {
    const auto tree = writable(scratch / "out");
  }
  EXPECT_FALSE(fs::exists(scratch / "out"));
}

TEST(Tree, CleansUpAfterARunThatWasKilled) {
  const Scratch scratch;
  scratch.write("out/f", "old");
  scratch.write("out/.caisson-f", "half");
  ASSERT_TRUE(writable(scratch / "out").apply(std::vector<Write>{{.path = "f", .bytes = "new"}}));
  EXPECT_EQ(scratch.files(), (Files{{"out/f", "new"}}));
}

TEST(Tree, NeverFollowsLinksOutOfTheDirectory) {
  const Scratch scratch;
  scratch.write("outside/secret", "untouched");
  fs::create_directories(scratch / "out");
  fs::create_symlink("../outside", scratch / "out/dir");
  fs::create_symlink("../outside/secret", scratch / "out/file");
  auto tree = writable(scratch / "out");

  const auto through = tree.read("dir/secret");
  ASSERT_FALSE(through);
  EXPECT_THAT(through.error().what, HasSubstr("out/dir' is a symbolic link"));
  EXPECT_FALSE(tree.apply(std::vector<Write>{{.path = "dir/secret", .bytes = "x"}}));
  EXPECT_FALSE(tree.apply(std::vector<Write>{{.path = "dir/secret", .remove = true}}));

  const auto link = tree.read("file");
  ASSERT_TRUE(link);
  EXPECT_EQ(link->kind, Found::Kind::link);
  // The link itself is replaced; what it points to is not.
  ASSERT_TRUE(tree.apply(std::vector<Write>{{.path = "file", .bytes = "x"}}));
  EXPECT_EQ(
      scratch.files(),
      (Files{{"out/dir", "-> ../outside"}, {"out/file", "x"}, {"outside/secret", "untouched"}}));
}

TEST(Tree, RefusesPathsThatLeave) {
  const Scratch scratch;
  scratch.write("x", "untouched");
  auto tree = writable(scratch / "out");
  for (const auto* path : {"../x", "/etc/passwd", "a/../../x", ""}) {
    EXPECT_FALSE(tree.read(path)) << path;
    EXPECT_FALSE(tree.apply(std::vector<Write>{{.path = path, .bytes = "y"}})) << path;
  }
  EXPECT_EQ(scratch.read("x"), "untouched");
}

TEST(Tree, DoesNotWaitForPipes) {
  const Scratch scratch;
  fs::create_directories(scratch / "out");
  ASSERT_EQ(mkfifo((scratch / "out/pipe").c_str(), 0600), 0);
  const auto tree = Tree::open(scratch / "out", Tree::Access::read);
  ASSERT_TRUE(tree);
  const auto found = tree->read("pipe");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, Found::Kind::other);
}

TEST(Tree, ReadsAMissingDirectoryAsEmptyAndDoesNotCreateIt) {
  const Scratch scratch;
  const auto tree = Tree::open(scratch / "out", Tree::Access::read);
  ASSERT_TRUE(tree);
  const auto found = tree->read("a/b");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, Found::Kind::nothing);
  EXPECT_FALSE(fs::exists(scratch / "out"));
}

TEST(Tree, OneWriterAtATime) {
  const Scratch scratch;
  scratch.write("out/f", "");
  {
    const auto first = writable(scratch / "out");
    const auto second = Tree::open(scratch / "out", Tree::Access::write);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().what, HasSubstr("another caisson is writing to"));
    EXPECT_TRUE(Tree::open(scratch / "out", Tree::Access::read));
  }
  EXPECT_TRUE(Tree::open(scratch / "out", Tree::Access::write));
}

TEST(Tree, SaysWhenTheDirectoryIsAFile) {
  const Scratch scratch;
  scratch.write("file", "");
  const auto read = Tree::open(scratch / "file", Tree::Access::read);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().what, HasSubstr("is not a directory"));
  EXPECT_FALSE(Tree::open(scratch / "file", Tree::Access::write));
}

TEST(Tree, WritesThousandsOfDirectoriesWithFewDescriptors) {
  const Scratch scratch;
  std::vector<Write> writes;
  writes.reserve(2'000);
  for (int i = 0; i < 2'000; ++i) {
    writes.push_back({.path = "local/t" + std::to_string(i) + "/runtime.json", .bytes = "{}"});
  }
  const auto applied = writable(scratch / "out").apply(writes);
  ASSERT_TRUE(applied) << applied.error().text();
  EXPECT_EQ(scratch.files().size(), 2'000U);
}

}  // namespace
}  // namespace caisson::publish

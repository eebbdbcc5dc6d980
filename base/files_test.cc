#include "base/files.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/scratch.h"

namespace caisson {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  [[nodiscard]] fs::path at(std::string_view name) const { return scratch_ / name; }

  Scratch scratch_;
};

mode_t mode_of(const fs::path& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

TEST(IsFileName, IsOneComponent) {
  for (const char* good : {"a", "a.b", "..a", "a..", ".hidden", "\xC3\xBC", "a b"}) {
    EXPECT_TRUE(is_file_name(good)) << good;
  }
  for (const char* bad : {"", ".", "..", "/", "a/b", "a/", "a\\b", "a\nb", "\x7f"}) {
    EXPECT_FALSE(is_file_name(bad)) << bad;
  }
  EXPECT_FALSE(is_file_name(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_file_name(std::string(255, 'a')));
  EXPECT_FALSE(is_file_name(std::string(256, 'a')));
}

TEST(IsPathBelow, ChecksEveryComponent) {
  for (const char* good : {"a", "a/b/c", "a/..b"}) EXPECT_TRUE(is_path_below(good)) << good;
  for (const char* bad : {"", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a/."}) {
    EXPECT_FALSE(is_path_below(bad)) << bad;
  }
  std::string deep = "a";
  while (deep.size() < 1023) deep += "/a";
  EXPECT_TRUE(is_path_below(deep));
  EXPECT_FALSE(is_path_below(deep + "/a"));
}

TEST_F(Files, AFileIsWrittenWholeAndReadWithABound) {
  ASSERT_TRUE(write_file(at("f"), "old"));
  const mode_t before = umask(0077);
  ASSERT_TRUE(write_file(at("f"), "new text", 0644));
  umask(before);
  EXPECT_EQ(mode_of(at("f")), 0644U);
  EXPECT_EQ(read_file(at("f"), 8).value(), "new text");
  EXPECT_EQ(read_file(at("f"), 7).error().what, at("f").string() + " is larger than 7 bytes");
  EXPECT_EQ(list_directory(scratch_.path()).value(), std::vector<std::string>{"f"})
      << "nothing unfinished is left";
  EXPECT_EQ(sha256_of_file(at("f")).value(), sha256_hex("new text"));
}

TEST_F(Files, AWriteThatFailsLeavesTheOldFileAndNothingElse) {
  ASSERT_TRUE(write_file(at("f"), "old"));
  fs::create_directory(at("f.new"));
  EXPECT_FALSE(write_file(at("f"), "new"));
  EXPECT_EQ(read_file(at("f"), 100).value(), "old");
  fs::create_directory(at("d"));
  EXPECT_FALSE(write_file(at("d"), "new")) << "a directory is in the way";
  EXPECT_FALSE(is_there(at("d.new")).value());
  const auto missing = write_file(at("none/f"), "new");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().error, ENOENT);
  EXPECT_EQ(missing.error().what,
            "cannot write " + at("none/f.new").string() + ": no such file or directory");
}

TEST_F(Files, OnlyRegularFilesAreRead) {
  ASSERT_TRUE(write_file(at("f"), "text"));
  fs::create_symlink("f", at("link"));
  EXPECT_FALSE(read_file(at("link"), 100));
  EXPECT_EQ(read_file(at("link"), 100, Links::follow).value(), "text");
  ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
  EXPECT_EQ(read_file(at("pipe"), 100).error().what,
            at("pipe").string() + " is not a regular file");
  EXPECT_FALSE(read_file(scratch_.path(), 100));
  EXPECT_FALSE(sha256_of_file(at("pipe")));
  EXPECT_FALSE(sha256_of_file(at("link")));
}

TEST_F(Files, NoComponentOfAPathMayLeadAside) {
  fs::create_directories(at("root/a"));
  fs::create_directories(at("outside"));
  fs::create_symlink("../outside", at("root/link"));
  ASSERT_TRUE(write_file(at("root/file"), ""));
  const Descriptor root(open(at("root").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(root);
  EXPECT_TRUE(*open_below(root, "", "root", nullptr));
  EXPECT_TRUE(*open_below(root, "a", "root", nullptr));
  EXPECT_FALSE(*open_below(root, "a/missing", "root", nullptr)) << "no failure, and none there";
  std::vector<std::string> created;
  for (const char* bad : {"link", "link/x", "file", "file/x"}) {
    const auto opened = open_below(root, bad, "root", &created);
    ASSERT_FALSE(opened) << bad;
    EXPECT_EQ(opened.error().what, "'root/" + std::string(bad).substr(0, 4) +
                                       "' is a symbolic link or a file where a directory belongs");
  }
  EXPECT_EQ(open_below(root, "../outside", "root", &created).error().what,
            "'root/../outside' leaves its directory");
  EXPECT_TRUE(created.empty());
  EXPECT_TRUE(list_directory(at("outside")).value().empty());

  const mode_t before = umask(0077);
  EXPECT_TRUE(*open_below(root, "a/b/c", "root", &created));
  umask(before);
  EXPECT_EQ(created, (std::vector<std::string>{"a/b", "a/b/c"}));
  EXPECT_EQ(mode_of(at("root/a/b")), 0755U);
}

TEST_F(Files, ADirectoryHasTheModeAskedFor) {
  const mode_t before = umask(0077);
  EXPECT_TRUE(make_directory(at("a/b"), 0755));
  umask(before);
  EXPECT_EQ(mode_of(at("a/b")), 0755U);
  ASSERT_TRUE(make_directory(at("a/b"), 0700)) << "it may be there";
  EXPECT_EQ(mode_of(at("a/b")), 0700U);
  ASSERT_TRUE(write_file(at("f"), ""));
  EXPECT_FALSE(make_directory(at("f/x"), 0700));
}

TEST_F(Files, RemovingFollowsNoLinks) {
  fs::create_directories(at("outside"));
  ASSERT_TRUE(write_file(at("outside/f"), "text"));
  fs::create_directories(at("tree/deep"));
  fs::create_symlink("../outside", at("tree/link"));
  ASSERT_TRUE(remove_tree(at("tree")));
  ASSERT_TRUE(remove_tree(at("tree"))) << "nothing there is fine";
  EXPECT_FALSE(is_there(at("tree")).value());
  EXPECT_TRUE(is_there(at("outside/f")).value());
}

}  // namespace
}  // namespace caisson

#include "installer/disk/disk.h"

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scratch.h"
#include "installer/disk/crash_disk_testing.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The host's disk, and the one that tests put in its place: both behave alike.
class ADisk : public ::testing::TestWithParam<std::string> {
 protected:
  ADisk() {
    fs::create_directory(top_ / "root");
    fs::create_directory(top_ / "outside");
    disk_ = open("root");
    outside_ = open("outside");
  }

  std::unique_ptr<Disk> open(const std::string& name) {
    return GetParam() == "host" ? *open_disk(top_ / name) : machine_.open("/top/" + name);
  }

  Checked<void> put(std::string_view path, std::string_view bytes, unsigned mode = 0644) {
    return put(*disk_, path, bytes, mode);
  }

  static Checked<void> put(Disk& disk, std::string_view path, std::string_view bytes,
                           unsigned mode = 0644) {
    auto file = disk.create(path, mode);
    if (!file) return tl::unexpected(file.error());
    if (auto done = (*file)->reserve(bytes.size()); !done) return done;
    if (auto done = (*file)->append(bytes); !done) return done;
    return (*file)->sync();
  }

  Scratch top_;
  testing::Machine machine_;
  std::unique_ptr<Disk> disk_;
  std::unique_ptr<Disk> outside_;
};

INSTANTIATE_TEST_SUITE_P(Of, ADisk, ::testing::Values("host", "machine"),
                         [](const auto& each) { return each.param; });

template <class T>
Code code_of(const Checked<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? Code::wrong_base : result.error().code;
}

TEST_P(ADisk, WritesReadsRenamesAndRemoves) {
  const auto mask = umask(0077);
  ASSERT_TRUE(disk_->make_directory("a", 0755));
  ASSERT_TRUE(disk_->make_directory("a/b", 0750));
  ASSERT_TRUE(put("a/b/file", "content", 0755));
  umask(mask);
  auto status = disk_->status("a/b/file");
  ASSERT_TRUE(status && *status);
  EXPECT_EQ((*status)->kind, Status::Kind::file);
  EXPECT_EQ((*status)->size, 7U) << "what is reserved is no content";
  EXPECT_EQ((*status)->mode, 0755U);
  EXPECT_EQ((*disk_->status("a/b"))->mode, 0750U);
  EXPECT_EQ(*read_file(*disk_, "a/b/file", 7), "content");
  EXPECT_EQ(code_of(read_file(*disk_, "a/b/file", 6)), Code::host_read);
  std::string some(4, '\0');
  EXPECT_EQ(*disk_->read("a/b/file", 5, some), 2U);
  EXPECT_EQ(*disk_->read("a/b/file", 100, some), 0U);

  ASSERT_TRUE(disk_->symlink("a/b", "current"));
  EXPECT_EQ(*disk_->target("current"), "a/b");
  EXPECT_EQ((*disk_->status("current"))->kind, Status::Kind::link);
  ASSERT_TRUE(disk_->symlink("a", "next"));
  ASSERT_TRUE(disk_->rename("next", "current")) << "in the place of another one";
  EXPECT_EQ(*disk_->target("current"), "a");
  ASSERT_TRUE(disk_->sync_directory("a/b"));
  ASSERT_TRUE(disk_->sync_directory(""));
  ASSERT_TRUE(disk_->sync_all());
  EXPECT_THAT(*disk_->list(""), ElementsAre("a", "current"));

  EXPECT_EQ(code_of(disk_->remove("a/b")), Code::host_in_the_way) << "it is not empty";
  ASSERT_TRUE(disk_->remove("a/b/file"));
  ASSERT_TRUE(disk_->remove("a/b"));
  ASSERT_TRUE(disk_->remove("a/b")) << "nothing there is fine";
  ASSERT_TRUE(disk_->remove("current")) << "the link, not what it names";
  EXPECT_THAT(*disk_->list(""), ElementsAre("a"));
  EXPECT_FALSE(disk_->status("x/y")->has_value());
}

TEST_P(ADisk, OverwritesNothingAndFollowsNoLink) {
  ASSERT_TRUE(put(*outside_, "victim", "kept"));
  ASSERT_TRUE(disk_->symlink("../outside", "away"));
  ASSERT_TRUE(disk_->symlink("../outside/victim", "file"));
  ASSERT_TRUE(disk_->symlink("../outside/new", "dangling"));
  for (const std::string path : {"file", "dangling", "away", "away/new"}) {
    EXPECT_EQ(code_of(put(path, "planted")), Code::host_in_the_way) << path;
    EXPECT_EQ(code_of(disk_->make_directory(path, 0755)), Code::host_in_the_way) << path;
    EXPECT_EQ(code_of(disk_->symlink("x", path)), Code::host_in_the_way) << path;
  }
  ASSERT_TRUE(put("plain", "x"));
  EXPECT_EQ(code_of(put("plain", "y")), Code::host_in_the_way);
  EXPECT_EQ(code_of(put("plain/below", "y")), Code::host_in_the_way);
  std::string bytes(4, '\0');
  EXPECT_EQ(code_of(disk_->read("file", 0, bytes)), Code::host_in_the_way);
  EXPECT_EQ(code_of(disk_->read("away/victim", 0, bytes)), Code::host_in_the_way);
  EXPECT_EQ(code_of(disk_->list("away")), Code::host_in_the_way);
  EXPECT_EQ(code_of(disk_->rename("plain", "away/plain")), Code::host_in_the_way);
  EXPECT_EQ(code_of(disk_->remove("away/victim")), Code::host_in_the_way);
  ASSERT_TRUE(disk_->make_directory("directory", 0755));
  EXPECT_EQ(code_of(disk_->read("directory", 0, bytes)), Code::host_in_the_way);
  EXPECT_EQ(code_of(disk_->list("plain")), Code::host_in_the_way);
  EXPECT_EQ(*read_file(*outside_, "victim", 10), "kept");
  EXPECT_THAT(*outside_->list(""), ElementsAre("victim"));
}

TEST_P(ADisk, CopiesAFileWithItsModeAndOwner) {
  const auto content = std::string(3'000'000, 'x') + "end";
  ASSERT_TRUE(put("store", content, 0640));
  if (geteuid() == 0) {
    ASSERT_TRUE(disk_->set_owner("store", 1234, 4321));
  } else {
    ASSERT_TRUE(disk_->set_owner("store", geteuid(), getegid()));
  }
  const auto mask = umask(0077);
  ASSERT_TRUE(disk_->copy("store", "copy"));
  umask(mask);
  EXPECT_EQ(*read_file(*disk_, "copy", 4'000'000), content);
  const auto before = **disk_->status("store");
  const auto after = **disk_->status("copy");
  EXPECT_EQ(after.mode, 0640U);
  EXPECT_EQ(after.uid, before.uid);
  EXPECT_EQ(after.gid, before.gid);
  if (geteuid() == 0) {
    EXPECT_EQ(after.uid, 1234U);
    EXPECT_EQ(after.gid, 4321U);
  }
  EXPECT_EQ(code_of(disk_->copy("store", "copy")), Code::host_in_the_way);
  EXPECT_EQ(code_of(disk_->copy("missing", "other")), Code::host_read);
}

TEST_P(ADisk, ChangesTheModeOfADirectoryAlone) {
  ASSERT_TRUE(disk_->make_directory("directory", 0700));
  ASSERT_TRUE(disk_->set_mode("directory", 01777));
  EXPECT_EQ((*disk_->status("directory"))->mode, 01777U);
  ASSERT_TRUE(put("store", "kept", 0600));
  ASSERT_TRUE(disk_->symlink("directory", "link"));
  EXPECT_EQ(code_of(disk_->set_mode("store", 0777)), Code::host_in_the_way);
  EXPECT_EQ(code_of(disk_->set_mode("link", 0777)), Code::host_in_the_way);
  EXPECT_EQ((*disk_->status("store"))->mode, 0600U);
  EXPECT_EQ((*disk_->status("directory"))->mode, 01777U);
}

TEST_P(ADisk, CopiesHolesAsHoles) {
  ASSERT_TRUE(put("sparse", "begin"));
  const auto path = top_ / "root/sparse";
  if (!fs::exists(path)) return;  // the model of a disk has no holes
  fs::resize_file(path, 64 << 20);
  const auto before = **disk_->status("sparse");
  if (before.stored >= before.size) return;  // nor have some file systems
  ASSERT_TRUE(disk_->copy("sparse", "copy"));
  const auto after = **disk_->status("copy");
  EXPECT_EQ(after.size, std::uint64_t{64} << 20);
  EXPECT_LT(after.stored, std::uint64_t{1} << 20);
  EXPECT_EQ(read_file(*disk_, "copy", 64 << 20)->substr(0, 6), std::string("begin\0", 6));
}

TEST_P(ADisk, GivesALinkAwayAndNotWhatItNames) {
  if (geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  ASSERT_TRUE(put(*outside_, "victim", "kept"));
  ASSERT_TRUE(disk_->symlink("../outside/victim", "link"));
  ASSERT_TRUE(disk_->set_owner("link", 1234, 4321));
  EXPECT_EQ((*disk_->status("link"))->uid, 1234U);
  EXPECT_EQ((*outside_->status("victim"))->uid, 0U);
  EXPECT_EQ(code_of(disk_->set_owner("missing", 1234, 4321)), Code::host_write);
  EXPECT_EQ(code_of(disk_->copy("link", "copy")), Code::host_in_the_way);
}

TEST_P(ADisk, RenamesWhatMayTakeThePlaceOfTheOther) {
  ASSERT_TRUE(put("file", "x"));
  ASSERT_TRUE(disk_->make_directory("full", 0755));
  ASSERT_TRUE(put("full/file", "y"));
  ASSERT_TRUE(disk_->make_directory("empty", 0755));
  EXPECT_EQ(code_of(disk_->rename("missing", "file")), Code::host_write);
  EXPECT_EQ(code_of(disk_->rename("file", "missing/file")), Code::host_write);
  EXPECT_EQ(code_of(disk_->rename("file", "empty")), Code::host_in_the_way);
  EXPECT_EQ(code_of(disk_->rename("empty", "file")), Code::host_in_the_way);
  EXPECT_EQ(code_of(disk_->rename("empty", "full")), Code::host_in_the_way);
  EXPECT_EQ(code_of(disk_->rename("full", "full/below")), Code::host_write);
  ASSERT_TRUE(disk_->rename("file", "file"));
  ASSERT_TRUE(disk_->rename("full", "empty"));
  ASSERT_TRUE(disk_->rename("file", "empty/file"));
  EXPECT_EQ(*read_file(*disk_, "empty/file", 10), "x");
  EXPECT_THAT(*disk_->list(""), ElementsAre("empty"));
  EXPECT_EQ(code_of(disk_->target("empty/file")), Code::host_read);
  EXPECT_EQ(code_of(disk_->target("missing")), Code::host_read);
}

TEST_P(ADisk, KeepsAFileWritableUnderEveryName) {
  auto file = disk_->create("a", 0644);
  ASSERT_TRUE(file && (*file)->append("1"));
  ASSERT_TRUE(disk_->rename("a", "b"));
  ASSERT_TRUE((*file)->append("2"));
  EXPECT_EQ(*read_file(*disk_, "b", 10), "12");
  ASSERT_TRUE(disk_->remove("b"));
  ASSERT_TRUE((*file)->append("3") && (*file)->sync());
  EXPECT_THAT(*disk_->list(""), ElementsAre());
}

TEST(OpenDisk, ReadsNoPipe) {
  const Scratch top;
  const auto disk = open_disk(top.path());
  ASSERT_EQ(mkfifo((top / "pipe").c_str(), 0600), 0);
  std::string bytes(4, '\0');
  EXPECT_EQ(code_of((*disk)->read("pipe", 0, bytes)), Code::host_in_the_way);
  EXPECT_EQ(code_of(open_disk(top / "nowhere")), Code::host_write);
}

TEST_P(ADisk, TakesNoPathThatLeavesIt) {
  for (const std::string path : {"", "/etc/x", "../x", "a/../x", "./x", "a//x", "a/"}) {
    EXPECT_EQ(code_of(put(path, "x")), Code::text_path) << path;
    EXPECT_EQ(code_of(disk_->remove(path)), Code::text_path) << path;
    EXPECT_EQ(code_of(disk_->rename("a", path)), Code::text_path) << path;
  }
  EXPECT_EQ(code_of(put("missing/x", "x")), Code::host_write);
  std::string bytes(4, '\0');
  EXPECT_EQ(code_of(disk_->read("missing", 0, bytes)), Code::host_read);
}

TEST_P(ADisk, TakesWhateverAServiceCallsItsFiles) {
  std::string deep = "d";
  for (int i = 0; i < 12; ++i) deep += "/" + std::string(200, 'd');
  for (const auto& directory : {std::string("d"), std::string("-x"), deep}) {
    for (std::size_t end = 0; end != std::string::npos;) {
      end = directory.find('/', end + 1);
      (void)disk_->make_directory(directory.substr(0, end), 0755);
    }
    for (const std::string name :
         {"a\\b", "I \xe2\x9d\xa4\xef\xb8\x8f.png", "caf\xe9", "a\nb", "-rf"}) {
      const auto path = directory + "/" + name;
      ASSERT_TRUE(put(path, name)) << directory;
      EXPECT_EQ(*read_file(*disk_, path, 100), name);
      ASSERT_TRUE(disk_->rename(path, path + "2"));
      EXPECT_THAT(*disk_->list(directory), ::testing::Contains(name + "2"));
      ASSERT_TRUE(disk_->remove(path + "2"));
    }
  }
}

TEST(OpenDisk, SaysWhyItCannotWrite) {
  const Scratch top;
  const auto disk = open_disk(top.path());
  auto file = (*disk)->create("large", 0644);
  ASSERT_TRUE(file);
  // The kernel's own limit of a file's size stands for a disk that takes no more.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const auto refused = (*file)->append(std::string(2000, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(code_of(refused), Code::host_write);
  EXPECT_THAT(refused.error().what, HasSubstr("/large: file too large"));
}

}  // namespace
}  // namespace caisson::installer

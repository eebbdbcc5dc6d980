#include <cerrno>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/disk/crash_disk_testing.h"
#include "installer/verify/bundle_testing.h"
#include "installer/verify/content.h"
#include "installer/verify/listing.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::frame_of;
using ::testing::HasSubstr;
using testing::Maker;
using testing::noise;
using testing::put;
using testing::site;
using testing::take;
using testing::verified;

/// All regular files below a directory.
std::map<std::string, std::string> tree(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) {
      files[entry.path().lexically_relative(directory).string()] = take(entry.path());
    }
  }
  return files;
}

class ABundle : public ::testing::Test {
 protected:
  Scratch scratch_;
  Maker maker_;
};

TEST_F(ABundle, IsCheckedAndStagedFromEveryMedium) {
  maker_.add_sample();
  maker_.seal();
  maker_.put_directory(scratch_ / "bundle");
  put(scratch_ / "shop.tar", maker_.transport());
  maker_.put_parts(scratch_ / "parts", 4'000'000);
  fs::create_directory(scratch_ / "root");
  const auto disk = open_disk(scratch_ / "root");
  ASSERT_TRUE(disk);
  for (const std::string name : {"bundle", "shop.tar", "parts"}) {
    const auto bundle = verified(scratch_ / name, maker_.root_text, site());
    ASSERT_TRUE(bundle) << bundle.error().what;
    EXPECT_EQ(find_unlisted(*bundle, true)->count, 0U);
    const auto sums = check_sums(*bundle, {});
    ASSERT_TRUE(sums) << sums.error().what;
    const auto checked = check_content(*bundle, {});
    ASSERT_TRUE(checked) << checked.error().what;
    EXPECT_EQ(checked->files, 4U);
    EXPECT_EQ(checked->bytes, 9'005'002U);
    EXPECT_EQ(checked->chunks, 3U);
    EXPECT_EQ(checked->blobs, 3U);
    EXPECT_EQ(checked->read, sums->read) << "both read every listed file once";
    for (const unsigned threads : {1U, 2U, 5U}) {
      const auto staging = name + std::to_string(threads);
      const auto staged = stage_content(*bundle, {.threads = threads}, **disk, staging);
      ASSERT_TRUE(staged) << staged.error().what;
      const auto files = tree(scratch_ / "root" / staging);
      EXPECT_EQ(files.at("tree/bin/server"), noise(9'000'000, 1));
      EXPECT_EQ(files.at("tree/etc/a"), "a\n");
      EXPECT_EQ(files.at("tree/etc/empty"), "");
      EXPECT_EQ(files.at("tree/etc/z"), std::string(5000, 'z'));
      EXPECT_EQ(files.at("MANIFEST"), maker_.files.at("MANIFEST"));
      EXPECT_EQ(files.at("keys/root.1"), maker_.root_text);
      const auto& image = maker_.manifest.images[0];
      for (const auto& digest : {image.manifest.digest, image.layers[0].blob.digest}) {
        EXPECT_EQ(files.at(blob_path(digest)), maker_.files.at(blob_path(digest)));
      }
      EXPECT_FALSE(files.contains(blob_path(maker_.manifest.packs[0].chunks[0].digest)))
          << "chunks are not kept";
      const auto program = scratch_ / "root" / staging / "tree/bin/server";
      EXPECT_EQ(fs::status(program).permissions(), fs::perms(0755));
    }
  }
}

TEST_F(ABundle, IsNeverStagedOverWhatIsThere) {
  maker_.add_sample();
  maker_.seal();
  maker_.put_directory(scratch_ / "bundle");
  const auto bundle = verified(scratch_ / "bundle", maker_.root_text, site());
  ASSERT_TRUE(bundle);
  fs::create_directories(scratch_ / "root/there");
  fs::create_directory(scratch_ / "outside");
  fs::create_symlink("../outside", scratch_ / "root/link");
  const auto disk = open_disk(scratch_ / "root");
  for (const std::string directory : {"there", "link", "link/below"}) {
    const auto staged = stage_content(*bundle, {}, **disk, directory);
    ASSERT_FALSE(staged);
    EXPECT_EQ(staged.error().code, Code::host_in_the_way) << staged.error().what;
  }
  EXPECT_TRUE(fs::is_empty(scratch_ / "outside"));
}

TEST_F(ABundle, IsNotStagedWhereACallFailsAtAnyStep) {
  maker_.add_sample();
  maker_.seal();
  maker_.put_directory(scratch_ / "bundle");
  const auto bundle = verified(scratch_ / "bundle", maker_.root_text, site());
  ASSERT_TRUE(bundle);
  for (const int error : {ENOSPC, EIO}) {
    for (std::size_t call = 0;; ++call) {
      testing::Machine machine;
      const auto disk = machine.open("/opt/shop");
      machine.fail({.call = call, .error = error});
      const auto staged = stage_content(*bundle, {.threads = 1}, *disk, "staging");
      if (machine.struck().empty()) {
        EXPECT_TRUE(staged) << staged.error().what;
        EXPECT_GT(call, 30U) << "every directory, file, piece and sync is a step";
        break;
      }
      ASSERT_FALSE(staged) << call;
      EXPECT_EQ(staged.error().code, error == EIO ? Code::host_write : Code::host_full) << call;
    }
  }
}

TEST_F(ABundle, IsForTheSiteOrRefused) {
  maker_.manifest.from = {.major = 0, .minor = 9};
  maker_.manifest.envelope.release = {.epoch = 1, .sequence = 50};
  maker_.add_sample();
  maker_.seal();
  maker_.put_directory(scratch_ / "bundle");
  const auto code_for = [&](const Site& where) {
    const auto bundle = verified(scratch_ / "bundle", maker_.root_text, where);
    EXPECT_FALSE(bundle);
    return bundle ? Code::no_signature : bundle.error().code;
  };
  auto where = site();
  where.arch = host_arch() == "amd64" ? "arm64" : "amd64";
  EXPECT_EQ(code_for(where), Code::other_arch);
  where = site();
  where.floor = {.epoch = 1, .sequence = 51};
  EXPECT_EQ(code_for(where), Code::older_release);
  where.floor = {.epoch = 1, .sequence = 50};
  where.manifest = sha256("another");
  EXPECT_EQ(code_for(where), Code::changed_release);
  where.manifest = sha256(maker_.files.at("MANIFEST"));
  EXPECT_TRUE(verified(scratch_ / "bundle", maker_.root_text, where)) << "the same once more";
  where = site();
  where.version = Version{.major = 0, .minor = 8};
  EXPECT_EQ(code_for(where), Code::no_path_to_release);
}

TEST_F(ABundle, NamesAndIgnoresWhatSystemsLeaveInADirectoryUnlessStrict) {
  maker_.add_sample();
  maker_.seal();
  maker_.put_directory(scratch_ / "bundle");
  put(scratch_ / "bundle/._README", "Mac");
  put(scratch_ / "bundle/blobs/sha256/._x", "Mac");
  put(scratch_ / "bundle/System Volume Information/x", "Windows");
  fs::create_symlink("/etc/passwd", scratch_ / "bundle/a\x1b[31mlink");
  const auto bundle = verified(scratch_ / "bundle", maker_.root_text, site());
  ASSERT_TRUE(bundle) << bundle.error().what;
  const auto unlisted = find_unlisted(*bundle, false);
  ASSERT_TRUE(unlisted);
  EXPECT_EQ(unlisted->count, 4U);
  EXPECT_THAT(unlisted->names, ElementsAre("._README", "System Volume Information/",
                                           "a\xef\xbf\xbd[31mlink", "blobs/sha256/._x"));
  EXPECT_EQ(find_unlisted(*bundle, true).error().code, Code::unlisted_file);
}

TEST_F(ABundle, ReadsADeltaWithItsBaseAlone) {
  // The base, as it was installed.
  const auto old_server = noise(3'000'000, 5);
  Manifest base;
  base.packs.push_back(
      {.files = {{.size = old_server.size(), .digest = sha256(old_server), .path = "bin/server"}}});
  base.packs.push_back({.files = {{.size = 4, .digest = sha256("kept"), .path = "etc/kept"}}});
  put(scratch_ / "root/old/bin/server", old_server);
  put(scratch_ / "root/old/etc/kept", "kept");
  const auto disk = open_disk(scratch_ / "root");

  auto server = old_server;
  server.replace(1'000'000, 1000, noise(1000, 6));
  const auto patch = frame_of(server, old_server);
  EXPECT_LT(patch.size(), server.size() / 10);
  maker_.manifest.base = Base{.manifest = sha256("the base's MANIFEST"), .version = {.major = 1}};
  maker_.manifest.version = {.major = 1, .minor = 1};
  Pack patched{.from = Pack::From::patch,
               .chunks = {maker_.store(patch, server.size())},
               .base = sha256(old_server)};
  patched.files.push_back(
      {.size = server.size(), .executable = true, .digest = sha256(server), .path = "bin/server"});
  maker_.manifest.packs.push_back(patched);
  Pack same{.from = Pack::From::base};
  same.files.push_back({.size = 4, .digest = sha256("kept"), .path = "etc/moved"});
  maker_.manifest.packs.push_back(same);
  maker_.add({{"etc/new", "new"}});
  maker_.add_image("registry.example/app:1", noise(1000, 2));
  maker_.files.erase(blob_path(maker_.manifest.images[0].layers[0].blob.digest));
  maker_.seal();
  maker_.put_directory(scratch_ / "bundle");
  const auto bundle = verified(scratch_ / "bundle", maker_.root_text, site());
  ASSERT_TRUE(bundle) << bundle.error().what;

  EXPECT_EQ(check_content(*bundle, {}).error().code, Code::wrong_base) << "without a base";
  const BaseRelease other{**disk, "old", base, sha256("another MANIFEST")};
  EXPECT_EQ(check_content(*bundle, {.base = &other}).error().code, Code::wrong_base);
  const BaseRelease right{**disk, "old", base, sha256("the base's MANIFEST")};
  const auto staged = stage_content(*bundle, {.base = &right}, **disk, "new");
  ASSERT_TRUE(staged) << staged.error().what;
  EXPECT_EQ(take(scratch_ / "root/new/tree/bin/server"), server);
  EXPECT_EQ(take(scratch_ / "root/new/tree/etc/moved"), "kept");
  EXPECT_EQ(take(scratch_ / "root/new/tree/etc/new"), "new");

  // Somebody has changed what the delta stands on.
  put(scratch_ / "root/old/etc/kept", "KEPT");
  EXPECT_EQ(check_content(*bundle, {.base = &right}).error().code, Code::wrong_base);
  put(scratch_ / "root/old/etc/kept", "kept");
  put(scratch_ / "root/old/bin/server", server);
  EXPECT_EQ(check_content(*bundle, {.base = &right}).error().code, Code::wrong_base);
  fs::remove(scratch_ / "root/old/bin/server");
  EXPECT_EQ(check_content(*bundle, {.base = &right}).error().code, Code::wrong_base);
}

TEST_F(ABundle, IsRefusedForTheSameReasonWithEveryNumberOfThreads) {
  for (char c = 'a'; c <= 'z'; ++c) {
    maker_.add({{std::string("file-") + c, std::string(100, c)}});
  }
  maker_.seal();
  maker_.put_directory(scratch_ / "bundle");
  for (const auto pack : {7U, 8U, 9U, 20U}) {
    const auto path = blob_path(maker_.manifest.packs[pack].chunks[0].digest);
    put(scratch_ / "bundle" / path, std::string(maker_.files.at(path).size(), 'x'));
  }
  const auto bundle = verified(scratch_ / "bundle", maker_.root_text, site());
  ASSERT_TRUE(bundle);
  const auto first = hex(maker_.manifest.packs[7].chunks[0].digest);
  for (const unsigned threads : {1U, 2U, 8U}) {
    for (int i = 0; i < 20; ++i) {
      const auto refused = check_content(*bundle, {.threads = threads});
      ASSERT_FALSE(refused);
      EXPECT_THAT(refused.error().what, HasSubstr(first));
    }
  }
}

}  // namespace
}  // namespace caisson::installer

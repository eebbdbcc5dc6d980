#include "installer/media/medium.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "installer/media/layout.h"
#include "installer/media/parts.h"
#include "installer/media/testing.h"

namespace caisson::installer {
namespace {

using testing::Content;
using ::testing::HasSubstr;
using testing::member_of;
using testing::put;
using testing::transport_of;
using ::testing::UnorderedElementsAreArray;

const std::string kA = std::string(kBlobs) + std::string(64, 'a');
const std::string kB = std::string(kBlobs) + std::string(64, 'b');

std::vector<Content> sample() {
  return {{"SHA256SUMS", "sums"}, {"SHA256SUMS.gpg", "signature"}, {"MANIFEST", "manifest"},
          {"README", "read me"},  {kA, std::string(512, 'A')},     {kB, std::string(1000, 'B')},
          {"keys/root.1", "root"}};
}

std::string taken(const Medium& medium, std::string_view path) {
  auto bytes = read_text(medium, path, 1 << 20);
  return bytes ? *bytes : "refused: " + bytes.error().what;
}

std::vector<std::string> listed(const Medium& medium) {
  std::vector<std::string> paths;
  EXPECT_TRUE(medium.list([&](std::string_view path) { paths.emplace_back(path); }));
  return paths;
}

class AMedium : public ::testing::Test {
 protected:
  void put_directory() {
    for (const auto& [path, bytes] : sample()) put(scratch_ / "bundle" / path, bytes);
  }

  /// The archive cut into parts of `size` bytes, below names that say nothing.
  void put_parts(const std::string& archive, std::size_t size, char bundle = 'm') {
    Digest manifest{};
    manifest.fill(static_cast<unsigned char>(bundle));
    const auto parts = (archive.size() + size - 1) / size;
    for (std::size_t i = 0; i < parts; ++i) {
      const auto bytes = archive.substr(i * size, size);
      put(scratch_ / "parts" / ("X" + std::to_string(parts - i) + ".BIN"),
          write_part_header({.manifest = manifest,
                             .number = i + 1,
                             .parts = parts,
                             .offset = i * size,
                             .length = bytes.size(),
                             .total = archive.size()}) +
              bytes);
    }
  }

  Refusal refusal_of(std::string_view name) {
    auto medium = open_medium(scratch_ / name);
    EXPECT_FALSE(medium.has_value());
    return medium ? Refusal{Code::wrong_base, ""} : medium.error();
  }

  Refusal refusal_of_archive(const std::string& archive) {
    put(scratch_ / "shop.tar", archive);
    return refusal_of("shop.tar");
  }

  Scratch scratch_;
};

TEST_F(AMedium, AnswersTheSameInAllItsForms) {
  put_directory();
  put(scratch_ / "shop.tar", transport_of(sample()));
  put_parts(transport_of(sample()), 700);
  put(scratch_ / "parts" / "._X1.BIN", "left by a Mac");
  std::filesystem::create_directories(scratch_ / "parts" / "System Volume Information");
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : sample()) paths.push_back(path);
  for (const std::string name : {"bundle", "shop.tar", "parts", "parts/X2.BIN"}) {
    const auto medium = open_medium(scratch_ / name);
    ASSERT_TRUE(medium.has_value()) << medium.error().what;
    EXPECT_EQ((*medium)->bound_to().has_value(), name.starts_with("parts"));
    EXPECT_THAT(listed(**medium), UnorderedElementsAreArray(paths)) << name;
    for (const auto& [path, bytes] : sample()) EXPECT_EQ(taken(**medium, path), bytes) << name;
    const auto missing = (*medium)->open(std::string(kBlobs) + std::string(64, 'c'));
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code, Code::missing_file);
    EXPECT_EQ(read_text(**medium, "README", 3).error().code, Code::text_too_large);
  }
}

TEST_F(AMedium, ListsWhatSystemsLeaveInADirectory) {
  put_directory();
  put(scratch_ / "bundle/._README", "Mac");
  put(scratch_ / "bundle/blobs/.DS_Store", "Mac");
  put(scratch_ / "bundle/System Volume Information/IndexerVolumeGuid", "Windows");
  const auto medium = open_medium(scratch_ / "bundle");
  ASSERT_TRUE(medium.has_value());
  std::vector<std::string> paths{"._README", "blobs/.DS_Store", "System Volume Information/"};
  for (const auto& [path, bytes] : sample()) paths.push_back(path);
  EXPECT_THAT(listed(**medium), UnorderedElementsAreArray(paths));
}

/// Names in capitals are the bundle's only where the file system tells no case apart (which
/// scripts/test-media shows): here they are others.
TEST_F(AMedium, TellsNamesInAnotherCaseApart) {
  put_directory();
  put(scratch_ / "bundle/KEYS/ROOT.1", "another");
  put(scratch_ / "bundle/keys/ROOT.1", "another");
  put(scratch_ / "bundle/manifest", "another");
  const auto medium = open_medium(scratch_ / "bundle");
  ASSERT_TRUE(medium.has_value());
  std::vector<std::string> paths{"KEYS/", "keys/ROOT.1", "manifest"};
  for (const auto& [path, bytes] : sample()) paths.push_back(path);
  EXPECT_THAT(listed(**medium), UnorderedElementsAreArray(paths));
}

TEST(PathInItsCase, IsWhatABundleHas) {
  for (const auto& [shown, meant] : {std::pair("KEYS", "keys"),
                                     {"BLOBS", "blobs"},
                                     {"blobs/SHA256", "blobs/sha256"},
                                     {"keys/ROOT.12", "keys/root.12"},
                                     {"keys/KEYRING.GPG", "keys/keyring.gpg"},
                                     {"manifest", "MANIFEST"},
                                     {"readme", "README"},
                                     {"TRUST.TXT", "TRUST.TXT"},
                                     {"keys/root.0", "keys/root.0"},
                                     {"README", "README"},
                                     {"", ""}}) {
    EXPECT_EQ(path_in_its_case(shown), meant);
  }
}

TEST_F(AMedium, FollowsNoLinkAndWaitsForNoPipeInADirectory) {
  put_directory();
  put(scratch_ / "outside/secret", "secret");
  const auto bundle = scratch_ / "bundle";
  std::filesystem::create_symlink("README", bundle / "link");
  std::filesystem::create_symlink("../outside", bundle / "away");
  std::filesystem::rename(bundle / "keys", bundle / "moved");
  std::filesystem::create_symlink("moved", bundle / "keys");
  ASSERT_EQ(mkfifo((bundle / "pipe").c_str(), 0600), 0);
  const auto medium = open_medium(bundle);
  ASSERT_TRUE(medium.has_value());
  for (const std::string path : {"link", "away/secret", "keys/root.1", "pipe", "blobs"}) {
    const auto opened = (*medium)->open(path);
    ASSERT_FALSE(opened.has_value()) << path;
    EXPECT_EQ(opened.error().code, Code::not_a_regular_file) << opened.error().what;
  }
  for (const std::string path : {"../outside/secret", "/etc/passwd", "a//b", "", "./README"}) {
    const auto opened = (*medium)->open(path);
    ASSERT_FALSE(opened.has_value()) << path;
    EXPECT_EQ(opened.error().code, Code::text_path) << opened.error().what;
  }
}

TEST_F(AMedium, SaysThatNamesWereLostOrNothingIsThere) {
  put(scratch_ / "iso/SHA256SU", "");
  EXPECT_EQ(refusal_of("iso").code, Code::lost_names);
  put(scratch_ / "fat/sha256~1", "");
  EXPECT_EQ(refusal_of("fat").code, Code::lost_names);
  put(scratch_ / "empty/notes.txt", "nothing");
  EXPECT_EQ(refusal_of("empty").code, Code::missing_file);
  EXPECT_EQ(refusal_of("nowhere").code, Code::missing_file);
  std::filesystem::create_symlink("empty/notes.txt", scratch_ / "link.tar");
  EXPECT_EQ(refusal_of("link.tar").code, Code::not_a_regular_file);
}

TEST_F(AMedium, RefusesATransportThatIsCutAnywhere) {
  const auto archive = transport_of(sample());
  for (std::size_t size = 0; size < archive.size(); size += size % 512 == 0 ? 1 : 511) {
    const auto refusal = refusal_of_archive(archive.substr(0, size));
    EXPECT_EQ(refusal.code, Code::cut_short) << size << ": " << refusal.what;
  }
}

TEST_F(AMedium, RefusesATransportWithAnythingBehindItsEnd) {
  const auto archive = transport_of(sample());
  for (const auto& more :
       {archive, std::string(512, '\0'), std::string(10240, '\0'), std::string("x")}) {
    EXPECT_EQ(refusal_of_archive(archive + more).code, Code::bad_archive) << more.size();
  }
  auto one = archive;
  one[archive.size() - 1] = 'x';
  EXPECT_EQ(refusal_of_archive(one).code, Code::bad_archive);
  auto filled = archive;
  filled[512 + 100] = 'x';
  EXPECT_EQ(refusal_of_archive(filled).code, Code::bad_archive) << "behind the first content";
}

TEST_F(AMedium, RefusesATransportInAnotherOrder) {
  for (std::size_t i = 0; i + 1 < sample().size(); ++i) {
    auto members = sample();
    std::swap(members[i], members[i + 1]);
    EXPECT_EQ(refusal_of_archive(transport_of(members)).code, Code::bad_archive) << i;
    members = sample();
    members.insert(members.begin() + static_cast<std::ptrdiff_t>(i), members[i]);
    EXPECT_EQ(refusal_of_archive(transport_of(members)).code, Code::bad_archive) << "twice " << i;
  }
  auto members = sample();
  members.erase(members.begin());
  EXPECT_EQ(refusal_of_archive(transport_of(members)).code, Code::bad_archive) << "first";
  EXPECT_EQ(refusal_of_archive(transport_of({})).code, Code::bad_archive) << "empty";
}

TEST_F(AMedium, RefusesMembersOfATransportThatAreNotInABundle) {
  const auto end = std::string(1024, '\0');
  const auto first = member_of({"shop/SHA256SUMS", "sums"});
  for (const auto& path : std::vector<std::string>{
           "other/README", "README", "shop/a/b", "shop/blobs/sha256/short", "shop/keys/a/b",
           "shop/keys/" + kA, "shop/keys/blobs", "shop/keys/note", "shop/keys/root.0",
           "shop/keys/root.01", "shop/keys/root.1.gpg", "shop/keys/root.1.0123456789ABCDEF.gpg",
           "shop/keys", "shop/blobs"}) {
    EXPECT_EQ(refusal_of_archive(first + member_of({path, ""}) + end).code, Code::bad_archive)
        << path;
  }
  EXPECT_EQ(refusal_of_archive("no archive at all" + std::string(2000, 'x')).code,
            Code::bad_archive);
}

TEST_F(AMedium, ReadsATransportBeyondFourGigabytes) {
  // A hole in the middle: the second blob lies behind 4 GiB.
  constexpr std::uint64_t kHole = (std::uint64_t{1} << 32) + 512;
  const auto start =
      member_of({"shop/SHA256SUMS", "sums"}) + tar_header({.path = "shop/" + kA, .size = kHole});
  const auto rest = member_of({"shop/" + kB, "behind"}) + std::string(1024, '\0');
  const auto file = scratch_ / "large.tar";
  put(file, start);
  std::filesystem::resize_file(file, start.size() + kHole);
  std::ofstream(file, std::ios::binary | std::ios::app) << rest;
  const auto medium = open_medium(file);
  ASSERT_TRUE(medium.has_value()) << medium.error().what;
  EXPECT_EQ(taken(**medium, kB), "behind");
  EXPECT_EQ((*(*medium)->open(kA))->size(), kHole);

  // What a copy onto FAT32 leaves of it.
  std::filesystem::resize_file(file, (std::uint64_t{1} << 32) - 1);
  EXPECT_EQ(refusal_of("large.tar").code, Code::cut_short);
}

TEST_F(AMedium, NamesThePartThatIsMissingOrForeign) {
  put_parts(transport_of(sample()), 1500);
  put(scratch_ / "parts/STALE.BIN", testing::take(scratch_ / "parts/X1.BIN").replace(24, 2, "00"));
  auto refusal = refusal_of("parts");
  EXPECT_EQ(refusal.code, Code::foreign_part) << refusal.what;
  std::filesystem::remove(scratch_ / "parts/STALE.BIN");
  std::filesystem::copy_file(scratch_ / "parts/X1.BIN", scratch_ / "parts/COPY.BIN");
  refusal = refusal_of("parts");
  EXPECT_EQ(refusal.code, Code::doubled_part) << refusal.what;
  EXPECT_THAT(refusal.what, HasSubstr("COPY.BIN"));
  std::filesystem::remove(scratch_ / "parts/COPY.BIN");
  std::filesystem::remove(scratch_ / "parts/X3.BIN");
  refusal = refusal_of("parts");
  EXPECT_EQ(refusal.code, Code::missing_part) << refusal.what;
}

TEST_F(AMedium, TakesForPartsWhatBeginsAsOneAndNothingElse) {
  put_parts(transport_of(sample()), 1500);
  put(scratch_ / "parts/sha256sums.txt", "sums of the parts, for a courier");
  put(scratch_ / "parts/SHA256.TXT", std::string(1000, 'x'));
  put(scratch_ / "parts/A.TXT", "caisson-part");
  put(scratch_ / "parts/SHA256.d/note", "x");
  // A part may have any name.
  std::filesystem::rename(scratch_ / "parts/X1.BIN", scratch_ / "parts/SHA256.001");
  for (const std::string name : {"parts", "parts/X2.BIN", "parts/SHA256.001"}) {
    const auto medium = open_medium(scratch_ / name);
    ASSERT_TRUE(medium.has_value()) << medium.error().what;
    EXPECT_EQ(taken(**medium, kB), std::string(1000, 'B')) << name;
  }
  // A directory that holds a bundle besides is that bundle, and a part of it that is named the
  // parts.
  for (const auto& [path, bytes] : sample()) put(scratch_ / "parts" / path, bytes);
  EXPECT_FALSE((*open_medium(scratch_ / "parts"))->bound_to());
  const auto medium = open_medium(scratch_ / "parts/X2.BIN");
  ASSERT_TRUE(medium.has_value()) << medium.error().what;
  EXPECT_TRUE((*medium)->bound_to());
}

TEST_F(AMedium, GivesNoMoreThanAFileHasWhenItShrinksMeanwhile) {
  put_directory();
  const auto medium = open_medium(scratch_ / "bundle");
  const auto source = (*medium)->open(kB);
  ASSERT_TRUE(source.has_value());
  std::filesystem::resize_file(scratch_ / "bundle" / kB, 10);
  EXPECT_EQ(read_all(**source, 1 << 20).error().code, Code::cut_short);
}

TEST_F(AMedium, RefusesMoreBlobsThanSha256sumsCanName) {
  std::string archive = member_of({"shop/SHA256SUMS", ""});
  for (std::size_t i = 0; i <= kMostBlobs; ++i) {
    auto digits = std::to_string(i);
    digits.insert(0, 64 - digits.size(), '0');
    archive += tar_header({.path = "shop/" + std::string(kBlobs) + digits, .size = 0});
  }
  EXPECT_EQ(refusal_of_archive(archive + std::string(1024, '\0')).code, Code::too_many);
}

}  // namespace
}  // namespace caisson::installer

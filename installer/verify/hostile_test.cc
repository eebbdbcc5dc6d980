// The cases "Container", "Paths" and "Resource" of a hostile bundle. Each is refused with its own
// code while it is staged, and leaves nothing outside of the staging directory.

#include <algorithm>
#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "installer/verify/bundle_testing.h"
#include "installer/verify/content.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;
using testing::frame_of;
using testing::Maker;
using testing::noise;
using testing::put;
using testing::site;
using testing::take;
using testing::verified;

/// A hostile bundle: what its vendor, or somebody who stole the key, does before it is signed, and
/// what somebody does to the medium.
struct Case {
  std::string_view name;
  Code code;
  std::function<void(Maker&)> vendor;                   ///< before it is sealed
  std::function<void(Maker&, const fs::path&)> medium;  ///< to the directory
  bool strict = false;
};

std::ostream& operator<<(std::ostream& out, const Case& each) { return out << each.name; }

std::string chunk_path(const Maker& maker, std::size_t pack = 0) {
  return blob_path(maker.manifest.packs[pack].chunks[0].digest);
}

std::string layer_path(const Maker& maker) {
  return blob_path(maker.manifest.images[0].layers[0].blob.digest);
}

/// Puts another frame in the place of the first chunk, signed.
void replace_chunk(Maker& maker, const std::string& frame) {
  auto& chunk = maker.manifest.packs[0].chunks[0];
  maker.files.erase(blob_path(chunk.digest));
  chunk = maker.store(frame, chunk.size);
}

/// Changes SHA256SUMS and signs it again.
void resign(Maker& maker, const fs::path& directory, std::string_view what,
            std::string_view other) {
  auto sums = maker.files.at("SHA256SUMS");
  const auto at = sums.find(what);
  ASSERT_NE(at, std::string::npos) << what;
  sums.replace(at, what.size(), other);
  put(directory / "SHA256SUMS", sums);
  put(directory / "SHA256SUMS.gpg", maker.sign(sums));
}

std::vector<Case> cases() {
  return {
      // Container
      {"UnlistedFile",
       Code::unlisted_file,
       {},
       [](auto&, const auto& at) { put(at / "autorun.inf", "x"); },
       true},
      {"UnlistedBlob",
       Code::unlisted_file,
       {},
       [](auto&, const auto& at) { put(at / blob_path(sha256("x")), "x"); },
       true},
      {"MissingChunk",
       Code::missing_file,
       {},
       [](auto& maker, const auto& at) { fs::remove(at / chunk_path(maker)); }},
      {"MissingLayer",
       Code::missing_file,
       {},
       [](auto& maker, const auto& at) { fs::remove(at / layer_path(maker)); }},
      {"MissingReadme",
       Code::missing_file,
       {},
       [](auto&, const auto& at) { fs::remove(at / "README"); }},
      {"MissingSignature",
       Code::no_signature,
       {},
       [](auto&, const auto& at) { fs::remove(at / "SHA256SUMS.gpg"); }},
      {"ManifestOfAnotherRelease",
       Code::wrong_content,
       {},
       [](auto& maker, const auto& at) { put(at / "MANIFEST", maker.files["MANIFEST"] + "\n"); }},
      {"ChunkSwapped",
       Code::wrong_content,
       {},
       [](auto& maker, const auto& at) {
         auto bytes = take(at / chunk_path(maker));
         bytes[bytes.size() / 2] ^= 1;
         put(at / chunk_path(maker), bytes);
       }},
      {"ChunkOfAnotherRelease",
       Code::wrong_size,
       {},
       [](auto& maker, const auto& at) {
         put(at / chunk_path(maker), frame_of(noise(9000, 9)) + take(at / chunk_path(maker)));
       }},
      {"LayerSwapped",
       Code::wrong_content,
       {},
       [](auto& maker, const auto& at) {
         put(at / layer_path(maker), noise(fs::file_size(at / layer_path(maker)), 77));
       }},
      {"LayerCut",
       Code::cut_short,
       {},
       [](auto& maker, const auto& at) { fs::resize_file(at / layer_path(maker), 100); }},
      {"LayerWithMore",
       Code::wrong_size,
       {},
       [](auto& maker, const auto& at) { put(at / layer_path(maker), noise(300'001, 2)); }},
      {"ChunkCut",
       Code::cut_short,
       {},
       [](auto& maker, const auto& at) { fs::resize_file(at / chunk_path(maker), 10); }},
      {"InstallerSwapped",
       Code::wrong_content,
       {},
       [](auto&, const auto& at) { put(at / "caisson-install", "another"); }},
      {"ReadmeOfAGigabyte",
       Code::wrong_size,
       {},
       [](auto&, const auto& at) { fs::resize_file(at / "README", 1 << 30); }},
      {"SumsOfAGigabyte",
       Code::text_too_large,
       {},
       [](auto&, const auto& at) { fs::resize_file(at / "SHA256SUMS", 1 << 30); }},
      {"ManifestOfAGigabyte",
       Code::text_too_large,
       {},
       [](auto&, const auto& at) { fs::resize_file(at / "MANIFEST", 1 << 30); }},
      {"BlobUnderAnotherName",
       Code::bad_layout,
       {},
       [](auto& maker, const auto& at) {
         resign(maker, at, hex(sha256("{config of registry.example/app:1}")) + "  ",
                std::string(64, '0') + "  ");
       }},
      {"ChunkNotListed",
       Code::bad_layout,
       {},
       [](auto& maker, const auto& at) {
         const auto path = chunk_path(maker);
         resign(maker, at, path.substr(13) + "  " + path + "\n", "");
       }},
      {"InstallerNotTheEnvelopes",
       Code::bad_layout,
       [](auto& maker) { maker.manifest.envelope.installer = sha256("another"); },
       {}},
      {"ReadmeNotListed", Code::bad_layout, [](auto& maker) { maker.files.erase("README"); }, {}},
      {"InstalledNotTheManifests",
       Code::bad_layout,
       {},
       [](auto& maker, const auto& at) {
         put(at / "INSTALLED", "");
         resign(maker, at, hex(sha256(maker.files["INSTALLED"])), hex(sha256("")));
       }},
      {"RingWithAnotherKey",
       Code::bad_ring,
       [](auto& maker) {
         const auto other = signing::PrivateKey::generate(Algorithm::ed25519);
         maker.files["keys/keyring.gpg"] += signing::ring_key(other, "mallory").bytes;
       },
       {}},
      {"KeyFromAfterTheRelease",
       Code::bad_key,
       [](auto& maker) { maker.manifest.date = signing::kKeyCreated - 1; },
       {}},
      {"OtherEpoch",
       Code::other_epoch,
       [](auto& maker) { maker.manifest.envelope.release.epoch = 2; },
       {}},
      {"OtherProduct",
       Code::other_product,
       [](auto& maker) { maker.manifest.envelope.product = "bank"; },
       {}},

      // Paths. Those of MANIFEST that its text cannot say are in manifest_test.cc.
      {"PathOfSumsGoesUp",
       Code::text_path,
       {},
       [](auto& maker, const auto& at) { resign(maker, at, "README", "../../etc/cron.d/x"); }},
      {"PathOfSumsIsAbsolute",
       Code::text_path,
       {},
       [](auto& maker, const auto& at) { resign(maker, at, "README", "/etc/cron.d/x"); }},
      {"PathOfSumsIsElsewhere",
       Code::bad_layout,
       {},
       [](auto& maker, const auto& at) { resign(maker, at, "README", "a/README"); }},
      {"PathOfSumsIsStandardInput",
       Code::text_path,
       {},
       [](auto& maker, const auto& at) { resign(maker, at, "README", "-"); }},
      {"PathOfSumsIsAnOption",
       Code::text_path,
       {},
       [](auto& maker, const auto& at) { resign(maker, at, "README", "--help"); }},
      {"PathOfSumsHidesAMark",
       Code::text_encoding,
       [](auto& maker) { maker.files["READ\u061cME"] = "x"; },
       {}},
      {"BlobBelowKeys",
       Code::bad_layout,
       [](auto& maker) { maker.files["keys/" + blob_path(sha256("x"))] = "x"; },
       {}},
      {"NoteBelowKeys", Code::bad_layout, [](auto& maker) { maker.files["keys/note"] = "x"; }, {}},
      {"PathGoesUp",
       Code::text_path,
       [](auto& maker) { maker.manifest.packs[0].files[0].path = "../outside"; },
       {}},
      {"FileAndDirectory",
       Code::path_conflict,
       [](auto& maker) { maker.add({{"etc/a/below", "x"}}); },
       {}},
      {"LinkForAFile",
       Code::not_a_regular_file,
       {},
       [](auto&, const auto& at) {
         fs::rename(at / "README", at / "moved");
         fs::create_symlink("moved", at / "README");
       }},
      {"LinkForAChunk",
       Code::not_a_regular_file,
       {},
       [](auto& maker, const auto& at) {
         fs::rename(at / chunk_path(maker), at / "moved");
         fs::create_symlink("../../moved", at / chunk_path(maker));
       }},
      {"LinkForADirectory",
       Code::not_a_regular_file,
       {},
       [](auto&, const auto& at) {
         fs::rename(at / "blobs", at / "moved");
         fs::create_symlink("moved", at / "blobs");
       }},
      {"PipeForAChunk",
       Code::not_a_regular_file,
       {},
       [](auto& maker, const auto& at) {
         fs::remove(at / chunk_path(maker));
         ASSERT_EQ(mkfifo((at / chunk_path(maker)).c_str(), 0600), 0);
       }},
      {"DeviceForAChunk",
       Code::not_a_regular_file,
       {},
       [](auto& maker, const auto& at) {
         fs::remove(at / chunk_path(maker));
         // Only root can make a device; a socket is refused for the same reason.
         const auto kind = geteuid() == 0 ? S_IFCHR : S_IFSOCK;
         ASSERT_EQ(mknod((at / chunk_path(maker)).c_str(), kind | 0600, 0x0105), 0);
       }},
      {"DirectoryForAFile",
       Code::not_a_regular_file,
       {},
       [](auto&, const auto& at) {
         fs::remove(at / "README");
         fs::create_directory(at / "README");
       }},

      // Resource
      {"Bomb",
       Code::chunk_size,
       [](auto& maker) { replace_chunk(maker, frame_of(std::string(1 << 30, '\0'))); },
       {}},
      {"TwoFrames",
       Code::bad_chunk,
       [](auto& maker) {
         const auto size = maker.manifest.packs[0].chunks[0].size;
         replace_chunk(maker, frame_of(noise(size, 1)) + frame_of("x"));
       },
       {}},
      {"NoFrame", Code::bad_chunk, [](auto& maker) { replace_chunk(maker, noise(1000, 3)); }, {}},
      {"OtherContent",
       Code::wrong_content,
       [](auto& maker) {
         replace_chunk(maker, frame_of(noise(maker.manifest.packs[0].chunks[0].size, 8)));
       },
       {}},
  };
}

class HostileBundle : public ::testing::TestWithParam<Case> {};

/// Everything below a directory but the staging directory itself.
std::vector<std::string> outside(const fs::path& root) {
  std::vector<std::string> paths;
  for (auto entry = fs::recursive_directory_iterator(root); entry != fs::end(entry); ++entry) {
    if (entry->path().filename() == "staging" && entry.depth() == 0) {
      entry.disable_recursion_pending();
    } else {
      paths.push_back(entry->path().string());
    }
  }
  return paths;
}

TEST_P(HostileBundle, IsRefusedWithItsOwnCodeAndWritesNothingElsewhere) {
  const auto& each = GetParam();
  Scratch scratch;
  Maker maker;
  maker.add_sample();
  std::ranges::sort(maker.manifest.packs, {},
                    [](const Pack& pack) { return pack.files.front().path; });
  if (each.vendor) each.vendor(maker);
  maker.seal();
  maker.put_directory(scratch / "bundle");
  if (each.medium) each.medium(maker, scratch / "bundle");
  fs::create_directory(scratch / "root");
  const auto disk = open_disk(scratch / "root");
  ASSERT_TRUE(disk);
  const auto stage = [&]() -> Checked<Totals> {
    const auto bundle = verified(scratch / "bundle", maker.root_text, site());
    if (!bundle) return tl::unexpected(bundle.error());
    if (auto unlisted = find_unlisted(*bundle, each.strict); !unlisted) {
      return tl::unexpected(unlisted.error());
    }
    return stage_content(*bundle, {}, **disk, "staging");
  };
  const auto staged = stage();
  ASSERT_FALSE(staged);
  EXPECT_EQ(entry_of(staged.error().code).number, entry_of(each.code).number)
      << staged.error().what;
  EXPECT_THAT(outside(scratch / "root"), ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Each, HostileBundle, ::testing::ValuesIn(cases()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(HostileTransport, IsRefusedForUnlistedFilesAndForeignParts) {
  Scratch scratch;
  Maker maker;
  maker.add_sample();
  maker.seal();
  const auto unlisted_of = [&](const fs::path& path) {
    const auto bundle = verified(path, maker.root_text, site());
    EXPECT_TRUE(bundle) << bundle.error().what;
    const auto unlisted = find_unlisted(*bundle, false);
    return unlisted ? Code::no_signature : unlisted.error().code;
  };
  auto more = maker;
  more.files["extra"] = "x";
  put(scratch / "shop.tar", more.transport());
  EXPECT_EQ(unlisted_of(scratch / "shop.tar"), Code::unlisted_file);

  // The parts say another bundle than they hold.
  const auto archive = maker.transport();
  put(scratch / "parts/SHOP.001",
      write_part_header(
          {.manifest = sha256("another"), .length = archive.size(), .total = archive.size()}) +
          archive);
  const auto bundle = verified(scratch / "parts", maker.root_text, site());
  ASSERT_FALSE(bundle);
  EXPECT_EQ(bundle.error().code, Code::foreign_part) << bundle.error().what;
}

TEST(HostileMedium, IsRefusedWhenItChangesBetweenVerificationAndUse) {
  Scratch scratch;
  Maker maker;
  maker.add_sample();
  maker.seal();
  maker.put_directory(scratch / "bundle");
  const auto bundle = verified(scratch / "bundle", maker.root_text, site());
  ASSERT_TRUE(bundle);
  ASSERT_TRUE(check_content(*bundle, {}));
  auto bytes = take(scratch / "bundle" / layer_path(maker));
  bytes[1] ^= 1;
  put(scratch / "bundle" / layer_path(maker), bytes);
  put(scratch / "bundle/MANIFEST", "format 1\n");
  fs::create_directory(scratch / "root");
  const auto disk = open_disk(scratch / "root");
  EXPECT_EQ(stage_content(*bundle, {}, **disk, "staging").error().code, Code::wrong_content);
}

}  // namespace
}  // namespace caisson::installer

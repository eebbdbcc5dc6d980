#include "installer/image/root.h"

#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/digest.h"
#include "base/hex.h"
#include "installer/disk/crash_disk_testing.h"
#include "installer/image/testing.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::ended;
using ::testing::HasSubstr;
using testing::long_member;
using testing::member;

constexpr NewOwner kOwner{.uid = 900, .gid = 901};

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

/// An image whose blobs are in memory, on a disk that is.
class AnImage : public ::testing::Test {
 protected:
  AnImage() {
    image_.uid = 65532;
    image_.gid = 65532;
    image_.workdir = "/";
  }

  void add(const std::string& archive, const std::string& stored) {
    image_.layers.push_back({.blob = {.digest = sha256(stored), .size = stored.size()},
                             .diff = sha256(archive),
                             .unpacked = archive.size()});
    blobs_[sha256(stored)] = stored;
  }
  void add(const std::string& archive) { add(archive, archive); }

  Checked<RootDirectory> unpack() {
    return unpack_image(
        image_, kOwner,
        [&](const Blob& blob, const Take& take) -> Checked<void> {
          const std::string_view bytes(blobs_[blob.digest]);
          for (std::size_t at = 0; at < bytes.size(); at += 4096) {
            if (auto done = take(bytes.substr(at, 4096)); !done) return done;
          }
          return {};
        },
        *disk_, "root");
  }

  Code refused() {
    const auto root = unpack();
    EXPECT_FALSE(root);
    if (root) return Code::no_signature;
    what_ = root.error().what;
    return root.error().code;
  }

  std::string file(std::string_view path) {
    const auto text = read_file(*disk_, below("root", path), 1 << 20);
    return text ? *text : "none: " + text.error().what;
  }

  std::map<Digest, std::string> blobs_;
  Image image_;
  testing::Machine machine_;
  std::unique_ptr<Disk> disk_ = machine_.open("/top");
  std::string what_;
};

TEST_F(AnImage, IsUnpackedLayerOverLayer) {
  const std::string name(150, 'n');
  add(ended(member({.path = "./", .type = '5', .mode = 0755}) +
            member({.path = "usr/", .type = '5', .mode = 0755}) +
            member({.path = "usr/bin/", .type = '5', .mode = 0755}) +
            member({.path = "usr/bin/app", .content = "first", .mode = 04755}) +
            member({.path = "bin", .type = '2', .target = "usr/bin"}) +
            member({.path = "data/", .type = '5', .mode = 02750, .uid = 65532, .gid = 65532}) +
            member({.path = "data/kept", .content = "kept", .mode = 0600, .uid = 65532}) +
            member({.path = "data/other", .content = "other", .uid = 1000, .gid = 1000}) +
            member({.path = "old/a", .content = "a"}) + member({.path = "old/b", .content = "b"}) +
            member({.path = "gone/x", .content = "x"}) +
            long_member({.path = "long/" + name, .content = "long"})));
  const auto second =
      ended(member({.path = "bin/other", .content = "through a link", .mode = 0755}) +
            member({.path = "copy", .type = '1', .target = "usr/bin/app"}) +
            member({.path = "old/c", .content = "c"}) + member({.path = "old/.wh..wh..opq"}) +
            member({.path = ".wh.gone"}) + member({.path = "data/.wh.other"}) +
            member({.path = "tmp/", .type = '5', .mode = 01777}));
  add(second, gzip(second));
  const auto third = ended(member({.path = "usr/bin/app", .content = "third", .mode = 0755}));
  add(third, zstd(third));
  image_.workdir = "/srv/app";
  const auto root = unpack();
  ASSERT_TRUE(root) << root.error().what;
  EXPECT_EQ(file("usr/bin/app"), "third");
  EXPECT_EQ(file("usr/bin/other"), "through a link");
  EXPECT_EQ(file("copy"), "first");
  EXPECT_EQ(file("data/kept"), "kept");
  EXPECT_EQ(file("long/" + name), "long");
  EXPECT_THAT(*disk_->list("root/old"), ElementsAre("c"));
  EXPECT_THAT(*disk_->list("root/data"), ElementsAre("kept"));
  EXPECT_FALSE(*disk_->status("root/gone"));
  EXPECT_EQ((*disk_->status("root/copy"))->mode, 0755U) << "set-uid bits are dropped";
  const auto data = **disk_->status("root/data");
  EXPECT_EQ(data.mode, 0750U);
  EXPECT_EQ(data.uid, 900U);
  EXPECT_EQ(data.gid, 901U);
  EXPECT_EQ((*disk_->status("root/data/kept"))->uid, 900U);
  EXPECT_EQ((*disk_->status("root/data/kept"))->gid, 0U);
  EXPECT_EQ((*disk_->status("root/tmp"))->mode, 01777U);
  EXPECT_EQ(*disk_->target("root/bin"), "usr/bin");
  for (const auto* path : {"root/srv/app", "root/proc", "root/dev", "root/var/tmp"}) {
    EXPECT_EQ((*disk_->status(path))->kind, Status::Kind::directory) << path;
  }
}

TEST_F(AnImage, OwnsNothingOfNumbersThatMayBeSomebodyHere) {
  add(ended(member({.path = "data/other", .content = "other", .uid = 1000, .gid = 1000})));
  ASSERT_TRUE(unpack());
  EXPECT_EQ((*disk_->status("root/data/other"))->uid, 0U);
  EXPECT_EQ((*disk_->status("root/data/other"))->gid, 0U);
}

TEST_F(AnImage, ReplacesWhateverALayerSaysAnew) {
  add(ended(member({.path = "a/b/c", .content = "c"}) + member({.path = "f", .content = "f"}) +
            member({.path = "l", .type = '2', .target = "f"})));
  add(ended(member({.path = "a", .content = "now a file"}) +
            member({.path = "f/g", .content = "g"}) + member({.path = "l", .content = "no link"})));
  EXPECT_EQ(refused(), Code::layer_in_the_way) << "f is a file below which nothing can be";
  image_.layers.pop_back();
  ASSERT_TRUE(remove_tree(*disk_, "root"));
  add(ended(member({.path = "a", .content = "now a file"}) + member({.path = ".wh.f"}) +
            member({.path = "f/g", .content = "g"}) + member({.path = "l", .content = "no link"})));
  ASSERT_TRUE(unpack());
  EXPECT_EQ(file("a"), "now a file");
  EXPECT_EQ(file("f/g"), "g");
  EXPECT_EQ(file("l"), "no link");
}

TEST_F(AnImage, KeepsWhatALayerHasWhenItsWhiteoutComesLater) {
  add(ended(member({.path = "d/old", .content = "old"})));
  add(ended(member({.path = "d/new", .content = "new"}) + member({.path = "d/.wh.old"}) +
            member({.path = ".wh.d"})));
  ASSERT_TRUE(unpack());
  EXPECT_THAT(*disk_->list("root/d"), ElementsAre("new"));
}

TEST_F(AnImage, StaysBelowItsRootWhereverLinksLead) {
  add(ended(member({.path = "up", .type = '2', .target = "../../../.."}) +
            member({.path = "root", .type = '2', .target = "/"}) +
            member({.path = "up/a", .content = "a"}) + member({.path = "root/b", .content = "b"})));
  add(ended(member({.path = "up/../up/c", .content = "c"})));
  EXPECT_EQ(refused(), Code::layer_path);
  image_.layers.pop_back();
  ASSERT_TRUE(remove_tree(*disk_, "root"));
  add(ended(member({.path = "etc", .type = '2', .target = "/../../outside"}) +
            member({.path = "etc/passwd", .content = "mine"}) + member({.path = "up/.wh.a"})));
  ASSERT_TRUE(unpack());
  EXPECT_EQ(file("outside/passwd"), "mine");
  EXPECT_EQ(file("b"), "b");
  EXPECT_FALSE(*disk_->status("root/a"));
  EXPECT_THAT(*disk_->list(""), ElementsAre("root"));
}

struct Hostile {
  std::string what;
  std::string archive;
  Code code;
};

TEST_F(AnImage, IsRefusedForWhatIsWrongWithIt) {
  const std::string deep = [] {
    std::string path;
    for (int i = 0; i < 2100; ++i) path += "d/";
    return path + "f";
  }();
  std::string wide(300, 'w');
  std::string chain;
  for (int i = 0; i < 45; ++i) {
    chain += member(
        {.path = "l" + std::to_string(i), .type = '2', .target = "l" + std::to_string(i + 1)});
  }
  std::string sparse = member({.path = "f", .type = 'S', .content = "x"});
  const Hostile cases[] = {
      {"parent", member({.path = "../f"}), Code::layer_path},
      {"parent within", member({.path = "a/../../f"}), Code::layer_path},
      {"parent at the end", member({.path = "a/.."}), Code::layer_path},
      {"dot", member({.path = "a/./f"}), Code::layer_path},
      {"empty name", member({.path = "a//f"}), Code::layer_path},
      {"deep", long_member({.path = deep}), Code::layer_path},
      {"wide", long_member({.path = wide}), Code::layer_path},
      {"whiteout of the parent", member({.path = "a/.wh..."}), Code::layer_path},
      {"whiteout of nothing", member({.path = ".wh."}), Code::layer_path},
      {"file as root", member({.path = "./"}), Code::layer_path},
      {"hard link outside", member({.path = "f", .type = '1', .target = "../../etc/shadow"}),
       Code::layer_link},
      {"hard link to nothing", member({.path = "f", .type = '1', .target = "g"}), Code::layer_link},
      {"hard link to itself",
       member({.path = "f"}) + member({.path = "f", .type = '1', .target = "f"}), Code::layer_link},
      {"hard link to a directory",
       member({.path = "d", .type = '5'}) + member({.path = "f", .type = '1', .target = "d"}),
       Code::layer_link},
      {"hard link over its directory",
       member({.path = "d/f"}) + member({.path = "d", .type = '1', .target = "d/f"}),
       Code::layer_link},
      {"link to nowhere", member({.path = "f", .type = '2'}), Code::layer_link},
      {"links in a circle",
       member({.path = "a", .type = '2', .target = "b"}) +
           member({.path = "b", .type = '2', .target = "a"}) + member({.path = "a/f"}),
       Code::layer_link},
      {"a chain of links", chain + member({.path = "l0/f"}), Code::layer_link},
      {"character device", member({.path = "null", .type = '3'}), Code::layer_kind},
      {"block device", member({.path = "sda", .type = '4'}), Code::layer_kind},
      {"pipe", member({.path = "pipe", .type = '6'}), Code::layer_kind},
      {"sparse file", sparse, Code::layer_sparse},
      {"sparse file of pax",
       member({.path = "pax", .type = 'x', .content = "22 GNU.sparse.major=1\n"}) +
           member({.path = "f"}),
       Code::layer_sparse},
      {"below a file", member({.path = "f"}) + member({.path = "f/g"}), Code::layer_in_the_way},
      {"global path", member({.path = "pax", .type = 'g', .content = "10 path=f\n"}),
       Code::bad_layer},
      {"size of a billion files",
       [] {
         auto text = member({.path = "f"});
         text.replace(124, 12, std::string(12, '\xff'));
         return text;
       }(),
       Code::bad_layer},
      {"no archive", std::string(2048, 'x'), Code::bad_layer},
  };
  for (const auto& [what, archive, code] : cases) {
    SCOPED_TRACE(what);
    image_.layers.clear();
    add(ended(archive));
    EXPECT_EQ(refused(), code) << what_;
    EXPECT_THAT(what_, HasSubstr("layer " + hex(image_.layers.front().blob.digest)));
    EXPECT_THAT(*disk_->list(""), ElementsAre("root")) << "nothing is written outside";
    ASSERT_TRUE(remove_tree(*disk_, "root"));
  }
}

TEST_F(AnImage, IsRefusedWhenALayerIsAnother) {
  const auto archive = ended(member({.path = "f", .content = "x"}));
  add(archive, gzip(archive));
  auto& layer = image_.layers.front();
  const auto right = layer;
  const auto expect = [&](Code code) {
    EXPECT_EQ(refused(), code) << what_;
    ASSERT_TRUE(remove_tree(*disk_, "root"));
    layer = right;
  };
  layer.unpacked = 1024;
  expect(Code::other_layer);
  layer.unpacked += 512;
  expect(Code::other_layer);
  layer.diff[0] ^= 1U;
  expect(Code::other_layer);
  auto& stored = blobs_[right.blob.digest];
  const auto whole = stored;
  stored.resize(stored.size() - 9);
  expect(Code::bad_layer);
  stored = whole + "more";
  expect(Code::bad_layer);
  stored = gzip(archive.substr(0, 700));
  expect(Code::bad_layer);
  stored = zstd(archive);
  expect(Code::other_layer);
  // A gigabyte of zeros would be a megabyte.
  stored = gzip(archive + std::string(std::size_t{8} << 20U, '\0'));
  expect(Code::other_layer);
  stored = whole;
  EXPECT_TRUE(unpack());
}

TEST(ARootOnTheDisk, IsWrittenWithoutFollowingAnythingOutside) {
  const auto top = fs::temp_directory_path() / ("caisson-root." + std::to_string(getpid()));
  fs::remove_all(top);
  fs::create_directories(top / "site");
  fs::create_directory(top / "victim");
  {
    const auto disk = *open_disk(top / "site");
    const auto archive =
        ended(member({.path = "out", .type = '2', .target = (top / "victim").string()}) +
              member({.path = "out/file", .content = "within", .mode = 0755}) +
              member({.path = "climb", .type = '2', .target = "../../victim"}) +
              member({.path = "climb/file", .content = "within"}));
    Image image;
    image.workdir = "/";
    image.uid = getuid();
    image.layers.push_back({.blob = {.digest = sha256(archive), .size = archive.size()},
                            .diff = sha256(archive),
                            .unpacked = archive.size()});
    const auto root = unpack_image(
        image, {.uid = getuid(), .gid = getgid()},
        [&](const Blob&, const Take& take) { return take(archive); }, *disk, "root");
    if (geteuid() == 0) {
      ASSERT_TRUE(root) << root.error().what;
      EXPECT_EQ(*read_file(*disk, below("root", (top / "victim/file").string().substr(1)), 100),
                "within");
      EXPECT_EQ(*read_file(*disk, "root/victim/file", 100), "within");
    }
  }
  EXPECT_TRUE(fs::is_empty(top / "victim"));
  fs::remove_all(top);
}

}  // namespace
}  // namespace caisson::installer

#include "generator/bundle/create.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zstd.h>

#include "base/hex.h"
#include "base/scratch.h"
#include "generator/bundle/diff.h"
#include "generator/bundle/places.h"
#include "generator/bundle/scan_tree.h"
#include "generator/bundle/testing.h"
#include "generator/signing/roots.h"
#include "generator/signing/testing.h"
#include "installer/command/command.h"
#include "installer/format/sums.h"

namespace caisson::bundle {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Silent final : public Progress {
 public:
  void begin(std::string_view, std::uint64_t) override {}
  void advance(std::uint64_t) override {}
};

/// Bytes that hardly compress, or compress well, and are the same every time.
std::string noise(std::size_t size, unsigned seed, unsigned kinds = 256) {
  std::string bytes(size, '\0');
  auto state = seed * 2654435761U + 1;
  for (auto& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>((state >> 24U) % kinds);
  }
  return bytes;
}

std::string command(const std::string& line) {
  std::string out;
  auto* pipe = popen(("( " + line + " ) 2>&1").c_str(), "r");
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) out += static_cast<char>(c);
  const int status = pclose(pipe);
  return status == 0 ? out : out + "exit " + std::to_string(status);
}

class Create : public ::testing::Test {
 protected:
  Recipe recipe() {
    Recipe recipe{.product = "shop",
                  .version = {1, 2, 3},
                  .from = {1, 0, 0},
                  .arch = "amd64",
                  .forms = {"systemd", "compose"},
                  .date = 1735689600,
                  .packing = {.level = 3, .threads = 2},
                  .installer = Source(testing::program("installer")),
                  .spec_sha256 = sha256_hex("spec")};
    const auto add = [&](std::string path, std::string bytes, bool executable = false) {
      recipe.contents.push_back(
          {.path = std::move(path), .executable = executable, .source = Source(std::move(bytes))});
    };
    add("bin/caisson", testing::program("caisson"), true);
    add("bin/caisson-runtime", testing::program("runtime"), true);
    add("docker/caisson-runtime", testing::program("runtime"), true);
    for (int i = 0; i < 300; ++i) {
      add("compose/config/tenant-" + std::to_string(i) + ".json", noise(700, 1 + i % 7, 16));
    }
    add("compose/config/a/b.json", "{}");
    add("compose/config/empty", "");
    add("compose/empty", "");
    add("assets/model", noise(std::size_t{20} * 1024 * 1024 + 17, 5));
    add("assets/text", noise(std::size_t{9} * 1024 * 1024, 6, 4));
    return recipe;
  }

  /// What the files of a bundle are, read as the format says.
  static std::map<std::string, std::string> contents(const fs::path& bundle,
                                                     const installer::Manifest& manifest) {
    std::map<std::string, std::string> files;
    for (const auto& pack : manifest.packs) {
      std::string bytes;
      for (const auto& chunk : pack.chunks) {
        const auto stored = *read_file(bundle / kBlobs / hex(chunk.digest));
        EXPECT_EQ(stored.size(), chunk.stored);
        std::string piece(chunk.size, '\0');
        EXPECT_EQ(ZSTD_decompress(piece.data(), piece.size(), stored.data(), stored.size()),
                  chunk.size);
        EXPECT_EQ(ZSTD_getFrameContentSize(stored.data(), stored.size()), chunk.size);
        bytes += piece;
      }
      std::size_t at = 0;
      for (const auto& file : pack.files) {
        files[file.path] = bytes.substr(at, file.size);
        EXPECT_EQ(sha256(files[file.path]), file.digest) << file.path;
        at += file.size;
      }
      EXPECT_EQ(at, bytes.size());
    }
    return files;
  }

  Scratch scratch_;
  Silent silent_;
};

TEST_F(Create, HoldsEveryFileAndIsCheckedWithStockToolsAlone) {
  const auto made = create(recipe(), scratch_ / "b", silent_);
  ASSERT_TRUE(made) << made.error().text();
  ASSERT_TRUE(made->refused.empty());
  const auto in = "cd '" + (scratch_ / "b").string() + "' && ";
  EXPECT_EQ(command(in + "sha256sum -c --strict --quiet SHA256SUMS"), "");
  EXPECT_EQ(
      command(in + "sed 's/^[0-9a-f]*  /.\\//' SHA256SUMS | sort > ../listed && find . -type f "
                   "! -name SHA256SUMS | sort | diff - ../listed"),
      "");
  EXPECT_TRUE(scratch_.read("b/SHA256SUMS").find("  MANIFEST\n") == 64);

  const auto manifest = manifest_at(scratch_ / "b");
  ASSERT_TRUE(manifest) << manifest.error().text();
  EXPECT_EQ(manifest->envelope.release.epoch, 1U);
  EXPECT_EQ(manifest->envelope.release.sequence, 1'000'002'000'003U);
  EXPECT_EQ(manifest->forms, (std::vector<std::string>{"compose", "systemd"}));
  const auto files = contents(scratch_ / "b", *manifest);
  const auto wanted = recipe();
  EXPECT_EQ(files.size(), wanted.contents.size());
  for (const auto& content : wanted.contents) {
    EXPECT_TRUE(files.at(content.path) == *content.source.all()) << content.path;
  }
  // The audit of one large file, by hand.
  std::string chunks;
  for (const auto& pack : manifest->packs) {
    if (pack.files.front().path != "assets/model") continue;
    EXPECT_EQ(pack.chunks.size(), 3U);
    for (const auto& chunk : pack.chunks) chunks += " blobs/sha256/" + hex(chunk.digest);
  }
  EXPECT_THAT(command(in + "zstd -dc" + chunks + " | sha256sum"),
              HasSubstr(sha256_hex(files.at("assets/model"))));
  // INSTALLED checks an installed tree.
  for (const auto& [path, bytes] : files) scratch_.write("tree/" + path, bytes);
  EXPECT_EQ(command("cd '" + (scratch_ / "tree").string() +
                    "' && sha256sum -c --strict --quiet ../b/INSTALLED"),
            "");
  // The small files of a directory share a chunk.
  EXPECT_LT(manifest->packs.size(), 12U);
}

TEST_F(Create, GivesTheSameBytesWhateverIsAroundIt) {
  const auto before = umask(022);
  fs::create_directories(scratch_ / "one");
  fs::create_directories(scratch_ / "another/place");
  auto first = recipe();
  first.packing.threads = 1;
  ASSERT_TRUE(create(std::move(first), scratch_ / "one/b", silent_));
  umask(077);
  setenv("TZ", "Pacific/Kiritimati", 1);
  setenv("LC_ALL", "tr_TR.UTF-8", 1);
  auto second = recipe();
  second.packing.threads = 5;
  std::reverse(second.contents.begin(), second.contents.end());
  ASSERT_TRUE(create(std::move(second), scratch_ / "another/place/c", silent_));
  unsetenv("TZ");
  unsetenv("LC_ALL");
  umask(before);
  const auto trees = "cd '" + scratch_.path().string() + "' && ";
  EXPECT_EQ(command(trees + "diff -r one/b another/place/c"), "");
  const auto modes = [&](const std::string& tree) {
    return command(trees + "cd " + tree + " && find . -printf '%m %y %p\\n' | sort");
  };
  EXPECT_EQ(modes("one/b"), modes("another/place/c"));
  EXPECT_THAT(modes("one/b"), HasSubstr("755 f ./caisson-install\n"));
  EXPECT_THAT(modes("one/b"), HasSubstr("755 d ./blobs/sha256\n"));
  EXPECT_THAT(modes("one/b"), HasSubstr("644 f ./MANIFEST\n"));
}

TEST_F(Create, LeavesNothingWhenItFails) {
  const auto nothing = [&] {
    std::set<std::string> left;
    for (const auto& entry : fs::directory_iterator(scratch_.path())) {
      left.insert(entry.path().filename().string());
    }
    return left.empty();
  };
  auto dynamic = recipe();
  dynamic.contents.push_back({.path = "bin/caddy", .source = Source("#!/bin/sh\n")});
  EXPECT_THAT(create(std::move(dynamic), scratch_ / "b", silent_).error().text(),
              HasSubstr("the program caddy cannot be carried"));
  EXPECT_TRUE(nothing());
  auto other = recipe();
  other.installer = Source(testing::program("", EM_AARCH64));
  EXPECT_THAT(create(std::move(other), scratch_ / "b", silent_).error().text(),
              HasSubstr("caisson-install is for arm64"));
  EXPECT_TRUE(nothing());
  auto conflict = recipe();
  conflict.contents.push_back({.path = "assets/model/part", .source = Source("x")});
  EXPECT_FALSE(create(std::move(conflict), scratch_ / "b", silent_));
  EXPECT_TRUE(nothing());
  auto leaking = recipe();
  leaking.contents.push_back(
      {.path = "assets/key", .source = Source(command("openssl genpkey -algorithm ed25519"))});
  const auto refused = create(std::move(leaking), scratch_ / "b", silent_);
  ASSERT_TRUE(refused);
  ASSERT_EQ(refused->refused.size(), 1U);
  EXPECT_EQ(refused->refused[0].place, "assets/key");
  EXPECT_TRUE(nothing());
  scratch_.write("b/mine", "do not touch");
  EXPECT_THAT(create(recipe(), scratch_ / "b", silent_).error().text(), HasSubstr("there already"));
  EXPECT_EQ(scratch_.read("b/mine"), "do not touch");
}

TEST_F(Create, FindsASecretAcrossTheBorderOfTwoChunks) {
  const std::string secret = "correct-horse-battery-staple";
  auto bytes = noise(std::size_t{17} * 1024 * 1024, 9);
  bytes.replace((std::size_t{8} << 20U) - 9, secret.size(), secret);
  auto with = recipe();
  with.secrets = {{.name = "stripe-key", .value = secret + "\n"}};
  with.contents.push_back({.path = "assets/dump", .source = Source(bytes)});
  const auto made = create(std::move(with), scratch_ / "b", silent_);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->refused.size(), 1U);
  EXPECT_EQ(made->refused[0].place, "assets/dump");
  EXPECT_THAT(made->refused[0].what, HasSubstr("the secret 'stripe-key'"));
  EXPECT_THAT(made->refused[0].what, Not(HasSubstr(secret)));
  auto accepted = recipe();
  accepted.secrets = {{.name = "stripe-key", .value = secret}};
  accepted.accepted = {"assets/dump"};
  accepted.contents.push_back({.path = "assets/dump", .source = Source(bytes)});
  const auto kept = create(std::move(accepted), scratch_ / "b", silent_);
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->accepted.size(), 1U);
  // The same is found in the finished bundle.
  const auto found = scan_tree(scratch_ / "b", {{.name = "stripe-key", .value = secret}}, silent_);
  ASSERT_TRUE(found) << found.error().text();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front(), kept->accepted.front());
}

TEST_F(Create, CarriesImagesByteForByteAndResolvesTheirUser) {
  testing::TestLayout layout(scratch_ / "images");
  const auto base = testing::layer(
      {{.path = "etc", .mode = 0755, .directory = true},
       {.path = "etc/passwd", .bytes = "root:x:0:0::/:/bin/sh\napp:x:700:701::/:/bin/sh\n"},
       {.path = "etc/group", .bytes = "root:x:0:\nweb:x:702:\n"},
       {.path = "etc/os-release", .bytes = "ID=debian\nVERSION_ID=\"12\"\n"},
       {.path = "var/lib/dpkg/status",
        .bytes = "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: "
                 "1:1.2.13\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n"}});
  const auto renamed = testing::layer({{.path = "etc/.wh.passwd"}});
  const auto again =
      testing::layer({{.path = "etc/passwd", .bytes = "app:x:900:901::/:/bin/sh\n"}});
  const auto plain = layout.add({.name = "shop/web:1", .user = "app", .layers = {base}});
  const auto other = layout.add(
      {.name = "shop/api:1", .user = "app:web", .layers = {base, renamed, again}, .gzip = false});
  layout.add({.name = "shop/bad:1", .user = "app", .layers = {base, renamed}});
  Shelf shelf;
  ASSERT_TRUE(shelf.add(scratch_ / "images"));
  auto with = recipe();
  with.images = {*shelf.find("shop/web:1", "amd64"),
                 *shelf.find("example.com/shop/api@" + other, "amd64")};
  const auto made = create(std::move(with), scratch_ / "b", silent_);
  ASSERT_TRUE(made) << made.error().text();
  const auto& images = made->manifest.images;
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].reference, "example.com/shop/api@" + other);
  EXPECT_EQ(images[0].uid, 900U);
  EXPECT_EQ(images[0].gid, 702U);
  EXPECT_EQ(images[1].uid, 700U);
  EXPECT_EQ(images[1].gid, 701U);
  EXPECT_EQ("sha256:" + hex(images[1].manifest.digest), plain);
  EXPECT_EQ(images[1].entrypoint, (std::vector<std::string>{"/bin/app"}));
  EXPECT_EQ(images[1].command, (std::vector<std::string>{"serve"}));
  EXPECT_EQ(images[1].environment, (std::vector<std::string>{"PATH=/bin", "A=b c"}));
  EXPECT_EQ(images[1].workdir, "/");
  EXPECT_EQ(images[1].layers[0].diff, sha256(base));
  EXPECT_EQ(images[1].layers[0].unpacked, base.size());
  EXPECT_THAT(scratch_.read("b/sbom.cdx.json"),
              HasSubstr("pkg:deb/debian/zlib1g@1%3A1.2.13?arch=amd64&distro=debian-12"));
  EXPECT_THAT(scratch_.read("b/sbom.cdx.json"), Not(HasSubstr("gone")));
  // Another tool reads the layout, and finds the digests that were given.
  const auto inspected = command("cd '" + scratch_.path().string() +
                                 "' && skopeo inspect --raw oci:b:shop/web:1 | sha256sum");
  EXPECT_THAT("sha256:" + inspected, HasSubstr(plain));

  auto bad = recipe();
  bad.images = {*shelf.find("shop/bad:1", "amd64")};
  EXPECT_THAT(create(std::move(bad), scratch_ / "c", silent_).error().text(),
              HasSubstr("/etc/passwd has no user 'app'"));
  EXPECT_THAT(shelf.find("shop/none:1", "amd64").error().text(),
              HasSubstr("no image 'shop/none:1'"));
  // One bit of a layer.
  const auto blob = "images/blobs/sha256/" + sha256_hex(base);
  auto bytes = scratch_.read(blob);
  const auto at = bytes.find("root:x");
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  scratch_.write(blob, bytes);
  Shelf damaged;
  ASSERT_TRUE(damaged.add(scratch_ / "images"));
  auto turned = recipe();
  turned.images = {*damaged.find("shop/api:1", "amd64")};
  EXPECT_THAT(create(std::move(turned), scratch_ / "c", silent_).error().text(),
              HasSubstr("has another content"));
}

TEST_F(Create, FindsAKeyInALayer) {
  testing::TestLayout layout(scratch_ / "images");
  const auto key = command("openssl genpkey -algorithm rsa");
  layout.add({.name = "x:1",
              .layers = {testing::layer(
                  {{.path = "srv/a", .bytes = "hello"}, {.path = "srv/key.pem", .bytes = key}})}});
  Shelf shelf;
  ASSERT_TRUE(shelf.add(scratch_ / "images"));
  auto with = recipe();
  with.images = {*shelf.find("x:1", "amd64")};
  const auto made = create(std::move(with), scratch_ / "b", silent_);
  ASSERT_TRUE(made) << made.error().text();
  ASSERT_EQ(made->refused.size(), 1U);
  EXPECT_EQ(made->refused[0].place, "image x:1: srv/key.pem");
}

TEST_F(Create, TakesKeysWhoseRootsASiteWouldFollow) {
  const auto root = signing::signer_of(signing::testing::ed25519(3));
  const auto keys = scratch_ / "keys";
  fs::create_directories(keys);
  const signing::Change change{
      .product = "shop",
      .roots = {signing::ring_key(signing::testing::ed25519(3), "root")},
      .releases = {signing::ring_key(signing::testing::ed25519(4), "one")}};
  ASSERT_TRUE(signing::write_next(keys, change));
  testing::TestLayout layout(scratch_ / "images");
  layout.add({.name = "web:1", .layers = {testing::layer({{.path = "bin/app", .bytes = "app"}})}});
  Shelf shelf;
  ASSERT_TRUE(shelf.add(scratch_ / "images"));
  const auto made = [&](const std::string& name) {
    auto with = recipe();
    with.keys = keys;
    with.images = {*shelf.find("web:1", "amd64")};
    return create(std::move(with), scratch_ / name, silent_);
  };
  EXPECT_THAT(made("b").error().text(), HasSubstr("root.1 lacks "));
  ASSERT_TRUE(signing::sign_newest(keys, *root, 1735689600));
  ASSERT_TRUE(signing::write_next(keys, {.raise_epoch = true}));
  ASSERT_TRUE(signing::sign_newest(keys, *root, 1735689600));
  const auto bundle = made("b");
  ASSERT_TRUE(bundle) << bundle.error().text();
  EXPECT_EQ(bundle->manifest.envelope.release.epoch, 2U);
  EXPECT_EQ(scratch_.read("b/keys/root.2"), scratch_.read("keys/root.2"));
  EXPECT_THAT(scratch_.read("b/SHA256SUMS"), HasSubstr("  keys/keyring.gpg\n"));
  EXPECT_THAT(scratch_.read("b/TRUST.txt"),
              HasSubstr(sha256_hex(scratch_.read("keys/root.1")) + "  keys/root.1\n"));
  // A site takes it as soon as a release key has signed it.
  const auto release = signing::signer_of(signing::testing::ed25519(4));
  const installer::Request request{.bundle = (scratch_ / "b").string(),
                                   .expected_root = sha256(scratch_.read("keys/root.1")),
                                   .strict = true};
  EXPECT_EQ(installer::verify_bundle(request).exit, installer::Exit::refused);
  const auto signature = release->sign(scratch_.read("b/SHA256SUMS"), 1735689600);
  ASSERT_TRUE(signature) << signature.error().text();
  scratch_.write("b/SHA256SUMS.gpg", *signature);
  const auto said = installer::verify_bundle(request);
  EXPECT_EQ(said.exit, installer::Exit::ok) << said.error;
  scratch_.write("keys/release.pem", "-----BEGIN PRIVATE KEY-----\n");
  EXPECT_THAT(made("c").error().text(), HasSubstr("release.pem' has no place in a bundle"));
  fs::remove(keys / "release.pem");
  auto other = recipe();
  other.product = "store";
  other.keys = keys;
  EXPECT_THAT(create(std::move(other), scratch_ / "c", silent_).error().text(),
              HasSubstr("says who signs shop, and this is store"));
}

TEST_F(Create, ADeltaHoldsWhatTheBaseHasNot) {
  testing::TestLayout layout(scratch_ / "images");
  const auto ground = testing::layer({{.path = "bin/app", .bytes = noise(300'000, 3)}});
  layout.add({.name = "web:1", .layers = {ground}});
  layout.add({.name = "web:2", .layers = {ground, testing::layer({{.path = "x", .bytes = "2"}})}});
  Shelf shelf;
  ASSERT_TRUE(shelf.add(scratch_ / "images"));
  auto old = recipe();
  auto program = noise(3'000'000, 11);
  old.contents.push_back(
      {.path = "bin/caddy", .executable = true, .source = Source(testing::program(program))});
  old.images = {*shelf.find("web:1", "amd64")};
  ASSERT_TRUE(create(std::move(old), scratch_ / "old", silent_));

  program.insert(1'000'000, "a few bytes more");
  const auto made = [&](const std::string& name, unsigned threads) {
    auto now = recipe();
    now.version = {1, 3, 0};
    now.packing.threads = threads;
    now.contents.push_back(
        {.path = "bin/caddy", .executable = true, .source = Source(testing::program(program))});
    now.contents.push_back({.path = "compose/new", .source = Source("new\n")});
    now.images = {*shelf.find("web:2", "amd64")};
    now.base = scratch_ / "old";
    return create(std::move(now), scratch_ / name, silent_);
  };
  const auto delta = made("delta", 1);
  ASSERT_TRUE(delta) << delta.error().text();
  ASSERT_TRUE(made("again", 4));
  const auto in = "cd '" + scratch_.path().string() + "' && ";
  EXPECT_EQ(command(in + "diff -r delta again"), "");
  EXPECT_LT(delta->bytes, 400'000U) << "the old one has 33 MB";
  const auto manifest = manifest_at(scratch_ / "delta");
  ASSERT_TRUE(manifest) << manifest.error().text();
  ASSERT_TRUE(manifest->base);
  EXPECT_EQ(hex(manifest->base->manifest), sha256_hex(scratch_.read("old/MANIFEST")));
  std::map<installer::Pack::From, int> kinds;
  for (const auto& pack : manifest->packs) {
    ++kinds[pack.from];
    if (pack.from != installer::Pack::From::patch) continue;
    EXPECT_EQ(pack.files.front().path, "bin/caddy");
    // zstd itself makes the new file of the old one.
    const auto before = manifest_at(scratch_ / "old");
    const auto files = contents(scratch_ / "old", *before);
    scratch_.write("before", files.at("bin/caddy"));
    EXPECT_EQ(sha256(files.at("bin/caddy")), pack.base);
    EXPECT_THAT(command(in + "zstd -q -d --patch-from before -c delta/blobs/sha256/" +
                        hex(pack.chunks[0].digest) + " | sha256sum"),
                HasSubstr(hex(pack.files.front().digest)));
  }
  EXPECT_EQ(kinds[installer::Pack::From::patch], 1);
  EXPECT_EQ(kinds[installer::Pack::From::chunks], 1);
  EXPECT_EQ(kinds[installer::Pack::From::base], static_cast<int>(recipe().contents.size()));
  const auto blob = std::string(kBlobs) + hex(manifest->images[0].layers[0].blob.digest);
  EXPECT_TRUE(fs::exists(scratch_ / "old" / blob));
  EXPECT_FALSE(fs::exists(scratch_ / "delta" / blob));

  auto backwards = recipe();
  backwards.base = scratch_ / "delta";
  EXPECT_THAT(create(std::move(backwards), scratch_ / "x", silent_).error().text(),
              HasSubstr("is a delta itself"));
  auto same = recipe();
  same.base = scratch_ / "old";
  EXPECT_THAT(create(std::move(same), scratch_ / "x", silent_).error().text(),
              HasSubstr("is not older than the release that stands on it"));
}

TEST(BundlePlaces, AreThoseOfTheSitesOnALineEach) {
  const auto places = places_of(
      {{.target = "compose",
        .volume = "runtime-data",
        .at = "shop_runtime-data",
        .tenants = {"acme", "globex"}},
       {.target = "compose", .volume = "files-data", .at = "shop_files-data", .service = "files"},
       {.target = "compose", .volume = "left", .at = "shop_left", .gone = true},
       {.target = "helm", .volume = "runtime-data", .at = "shop/data", .tenants = {"acme"}},
       {.target = "helm", .environment = "staging", .volume = "runtime-data", .at = "staging/data"},
       {.target = "systemd",
        .volume = "web-eu-data",
        .at = "/srv/a\nplace b",
        .service = "web",
        .replica_of = "eu"}},
      "shop");
  std::vector<std::string> lines;
  for (const auto& place : places)
    lines.push_back(place.form + " " + place.what + " " + place.where);
  EXPECT_THAT(lines,
              ElementsAre("compose service/files one volume for all tenants",
                          "compose tenant/acme runtime-data", "compose tenant/globex runtime-data",
                          "compose volume/files-data files-data of service files",
                          "compose volume/runtime-data runtime-data",
                          "helm tenant/acme runtime-data", "helm volume/runtime-data shop/data",
                          "systemd service/web a volume for each tenant",
                          StartsWith("systemd volume/web-eu-data sha256:")));
}

TEST(BundleDiff, SaysWhatChangesForASite) {
  installer::Manifest before;
  before.envelope.product = "shop";
  before.envelope.release = {.epoch = 1, .sequence = 1};
  before.version = {1, 0, 0};
  before.data = 3;
  before.reads = 2;
  before.packs = {{.files = {{.size = 10, .digest = sha256("a"), .path = "a"}}},
                  {.files = {{.size = 10, .digest = sha256("b"), .path = "b"}}},
                  {.files = {{.size = 10, .digest = sha256("c"), .path = "c"}}}};
  auto after = before;
  after.version = {1, 1, 0};
  after.from = {1, 0, 0};
  after.envelope.release.sequence = 2;
  after.data = 4;
  after.packs[1].files[0].digest = sha256("B");
  after.packs[2].files[0].path = "d";
  after.questions = {{.name = "domain", .type = installer::AnswerType::domain, .text = "Which?"}};
  before.forms = {"compose", "systemd"};
  after.forms = {"compose", "systemd"};
  before.places = {{"systemd", "tenant/acme", "runtime-data"}};
  after.places = {{"systemd", "tenant/acme", "runtime-acme-data"}};
  const auto text = diff_text(before, after);
  EXPECT_THAT(text, HasSubstr("\ndata that move\n"
                              "  systemd  tenant/acme  runtime-data -> runtime-acme-data\n"));
  EXPECT_THAT(text, HasSubstr("shop 1.0.0 -> shop 1.1.0\n"));
  EXPECT_THAT(text, HasSubstr("data     version 3 -> 4: going back needs the backup\n"));
  EXPECT_THAT(text, HasSubstr("asked    domain (domain)\n"));
  EXPECT_THAT(text, HasSubstr("changed  b  10 B -> 10 B\n"));
  EXPECT_THAT(text, HasSubstr("removed  c  10 B\n"));
  EXPECT_THAT(text, HasSubstr("added    d  10 B\n"));
  EXPECT_THAT(text, HasSubstr("the same 1 file\n"));
}

}  // namespace
}  // namespace caisson::bundle

// `caisson bundle` at the command line, on the example that is made for sites without a network.

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/scratch.h"
#include "cli/run_program.h"
#include "generator/bundle/diff.h"
#include "generator/bundle/parts.h"
#include "generator/bundle/testing.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;
using bundle::testing::layer;
using ::testing::HasSubstr;

class BundleCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(scratch_ / "spec");
    for (const auto* name : {"deployment.yaml", "make-assets"}) {
      fs::copy_file(fs::path(CAISSON_SOURCE_DIR "/examples/agentik") / name,
                    scratch_ / "spec" / name);
    }
    ASSERT_EQ(run_program({"bash", "spec/make-assets"}, {.directory = scratch_.path()}).code, 0);
    for (const auto* name : {"caisson", "caisson-runtime", "caisson-install", "caddy"}) {
      scratch_.write(std::string("programs/") + name, bundle::testing::program(name));
    }
    // The images of others, under the digests that the blueprint says.
    bundle::testing::TestLayout layout(scratch_ / "images");
    layout.add({.name = "caisson-edge:" CAISSON_VERSION,
                .user = "10001:10001",
                .layers = {layer({{.path = "bin/caddy", .bytes = "caddy"}})}});
    auto blueprint = caisson({"blueprints", "images.yaml"}).out;
    for (const auto* name : {"prometheus", "alertmanager", "blackbox", "grafana"}) {
      const auto digest = layout.add(
          {.name = name,
           .user = "nobody",
           .layers = {layer({{.path = "etc/passwd", .bytes = "nobody:x:65534:65534:::\n"},
                             {.path = std::string("bin/") + name, .bytes = name}})}});
      const auto at =
          blueprint.find("digest: sha256:", blueprint.find(std::string("\n") + name + ":"));
      blueprint.replace(at + 8, 71, digest);
    }
    scratch_.write("style/images.yaml", blueprint);
  }

  Ran create(const std::string& out, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"bundle", "create",   "spec/deployment.yaml",
                                   "--out",  out,        "--blueprints",
                                   "style",  "--images", "images"};
    for (const auto* name : {"caisson", "caisson-runtime", "caisson-install", "caddy"}) {
      words.emplace_back("--program");
      words.push_back(std::string(name) + "=programs/" + name);
    }
    words.insert(words.end(), more.begin(), more.end());
    return caisson(words, here());
  }

  Surroundings here() {
    return {.directory = scratch_.path(),
            .environment = {{"SOURCE_DATE_EPOCH", "1735689600"}, {"PAGERDUTY_KEY", pager_key_}}};
  }

  void edit(const std::string& from, const std::string& to) {
    auto spec = scratch_.read("spec/deployment.yaml");
    const auto at = spec.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    scratch_.write("spec/deployment.yaml", spec.replace(at, from.size(), to));
  }

  Scratch scratch_;
  std::string pager_key_ = "R0UT1NGKEYR0UT1NGKEYR0UT1NGKEY00";
};

TEST_F(BundleCommand, MakesTheBundleOfAgentik) {
  const auto ran = create("bundle");
  ASSERT_EQ(ran.code, 0) << ran.error;
  EXPECT_THAT(ran.out, HasSubstr("7 images, release 1/1000001000000"));
  const auto manifest = bundle::manifest_at(scratch_ / "bundle");
  ASSERT_TRUE(manifest) << manifest.error().text();
  std::map<std::string, bool> files;
  for (const auto& pack : manifest->packs) {
    for (const auto& file : pack.files) files[file.path] = file.executable;
  }
  for (const auto* path :
       {"bin/caisson", "bin/caisson-runtime", "bin/caddy", "systemd/install.sh"}) {
    ASSERT_TRUE(files.contains(path)) << path;
    EXPECT_TRUE(files.at(path)) << path;
  }
  for (const auto* path : {"assets/models/assistant-small.gguf", "compose/compose.yaml",
                           "spec/deployment.yaml", "systemd/system/agentik.target"}) {
    EXPECT_TRUE(files.contains(path)) << path;
  }
  EXPECT_EQ(files.count("helm/agentik/Chart.yaml"), 0U);
  // A secret's file is read to look for it, and does not leave.
  EXPECT_EQ(files.count("spec/secrets/sso.pem"), 0U);
  EXPECT_EQ(
      run_program({"sh", "-c", "cd bundle && sha256sum -c --strict --quiet SHA256SUMS"}, here())
          .out,
      "");
  EXPECT_EQ(create("bundle").code, 3);
  const auto again = create("other/../again", {"--threads", "1"});
  ASSERT_EQ(again.code, 0) << again.error;
  EXPECT_EQ(run_program({"diff", "-r", "bundle", "again"}, here()).out, "");
  EXPECT_EQ(caisson({"bundle", "scan", "bundle", "--spec", "spec/deployment.yaml"}, here()).out,
            "");
  EXPECT_THAT(scratch_.read("bundle/provenance.intoto.jsonl"),
              HasSubstr("https://slsa.dev/provenance/v1"));
}

TEST_F(BundleCommand, NamesWhatIsLinkedIntoTheProgramsAndCopiesItsLicences) {
#ifndef CAISSON_PARTS
  GTEST_SKIP() << "this build does not tell what it is linked from";
#endif
  // Some of what each is certainly linked or compiled from.
  const std::map<std::string, std::set<std::string>> certain{
      {"caisson-install", {"gcc-12", "glibc", "libzstd", "openssl", "tl-expected"}},
      {"caisson-runtime", {"boost1.81", "gcc-12", "glibc", "openssl", "sqlite3"}},
      {"caisson", {"boost1.81", "libgit2", "libzstd", "openssl", "yaml-cpp", "zlib"}}};
  for (const auto& [name, packages] : certain) {
    fs::copy_file(fs::path(CAISSON_BINARY_DIR "/bin") / name, scratch_ / ("programs/" + name),
                  fs::copy_options::overwrite_existing);
  }
  const auto ran = create("bundle");
  ASSERT_EQ(ran.code, 0) << ran.error;
  EXPECT_THAT(ran.error, HasSubstr("the program caddy does not say what is linked into it"));
  EXPECT_THAT(ran.error, Not(HasSubstr("the program caisson")));
  const auto sbom = scratch_.read("bundle/sbom.cdx.json");
  const auto licences = scratch_.read("bundle/LICENSES.txt");
  for (const auto& [name, packages] : certain) {
    const auto parts = bundle::parts_of(scratch_.read("programs/" + name));
    ASSERT_TRUE(parts) << name;
    std::set<std::string> names;
    for (const auto& part : *parts) {
      names.insert(part.name);
      EXPECT_FALSE(part.version.empty()) << part.name;
      EXPECT_THAT(part.text, HasSubstr("opyright")) << part.name;
      EXPECT_NE(licences.find(part.text), std::string::npos) << part.name;
      EXPECT_THAT(sbom, HasSubstr(part.purl));
    }
    EXPECT_THAT(names, ::testing::IsSupersetOf(packages)) << name;
    EXPECT_EQ(names.contains("sqlite3"), name == "caisson-runtime") << name;
  }
  auto damaged = scratch_.read("programs/caisson-install");
  damaged[damaged.rfind("\x1f\x8b\x08") + 1000] ^= 1;
  EXPECT_THAT(bundle::parts_of(damaged).error().text(), HasSubstr("is damaged"));
}

TEST_F(BundleCommand, IsReleasedAsTheGuideForContinuousIntegrationSays) {
  const auto document = read_file(CAISSON_SOURCE_DIR "/docs/ci.md");
  ASSERT_TRUE(document) << document.error().text();
  std::string script = "set -eux\ncaisson() { " CAISSON_BINARY_DIR
                       "/bin/caisson \"$@\"; }\n"
                       "openssl rand -base64 24 > release.passphrase\n"
                       "caisson keys generate release --passphrase-file release.passphrase\n"
                       "caisson keys generate root\n"
                       "caisson keys root keys --product agentik --root-key root.pub "
                       "--release-key release.pub --sign root\n";
  std::size_t blocks = 0;
  for (auto at = document->find("```sh\n"); at != std::string::npos;
       at = document->find("```sh\n", at)) {
    at += 6;
    script += document->substr(at, document->find("```", at) - at);
    ++blocks;
  }
  EXPECT_EQ(blocks, 3U);
  // What the guide takes for granted: programs beside this one, and images under their digests.
  std::string with = "deployment.yaml --blueprints style";
  for (const auto* name : {"caisson", "caisson-runtime", "caisson-install", "caddy"}) {
    with += std::string(" --program ") + name + "=programs/" + name;
  }
  for (auto at = script.find("bundle create deployment.yaml"); at != std::string::npos;
       at = script.find("bundle create deployment.yaml", at + 14)) {
    script.replace(at + 14, 15, with);
  }
  for (const auto* name : {"deployment.yaml", "models", "secrets"}) {
    if (fs::exists(scratch_ / "spec" / name)) {
      fs::rename(scratch_ / "spec" / name, scratch_.path() / name);
    }
  }
  const auto ran = run_program({"bash", "-c", script}, here());
  ASSERT_EQ(ran.code, 0) << ran.out << ran.error;
  EXPECT_TRUE(fs::exists(scratch_ / "parts/AGENTIK.001"));
}

TEST_F(BundleCommand, RefusesASecretThatIsInAnAsset) {
  std::ofstream(scratch_ / "spec/models/assistant-small.gguf", std::ios::app) << pager_key_;
  const auto ran = create("bundle");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.error, HasSubstr("assets/models/assistant-small.gguf: the value of the secret "
                                   "'pagerduty-key' (raw) must not leave"));
  EXPECT_THAT(ran.error, Not(HasSubstr(pager_key_)));
  EXPECT_FALSE(fs::exists(scratch_ / "bundle"));
  EXPECT_EQ(create("bundle", {"--accept", "assets/models/assistant-small.gguf"}).code, 0);
  const auto found =
      caisson({"bundle", "scan", "bundle", "--spec", "spec/deployment.yaml"}, here());
  EXPECT_EQ(found.code, 1);
  EXPECT_THAT(found.out, HasSubstr("assets/models/assistant-small.gguf: "));
}

TEST_F(BundleCommand, ChecksAssetsAgainstTheSpec) {
  edit("to: models/assistant-small.gguf,", "to: m.gguf, size: 1Ki,");
  auto ran = create("bundle");
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.error, HasSubstr("has 65536 bytes, and the spec says 1024"));
  edit("size: 1Ki", "sha256: " + std::string(64, '0'));
  ran = create("bundle");
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.error, HasSubstr("and the spec says " + std::string(64, '0')));
  EXPECT_FALSE(fs::exists(scratch_ / "bundle"));
}

TEST_F(BundleCommand, SaysWhatIsMissing) {
  EXPECT_THAT(create("bundle", {"--program", "nginx=x"}).error, HasSubstr("no program 'nginx'"));
  fs::remove_all(scratch_ / "images");
  bundle::testing::TestLayout empty(scratch_ / "images");
  empty.add({.name = "x", .layers = {layer({})}});
  EXPECT_THAT(create("bundle").error, HasSubstr("caisson: no image '"));
  edit("bundle: { for: [systemd, compose], arch: amd64, level: 9 }", "bundle: false");
  const auto ran = create("bundle");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.error, HasSubstr("the spec asks for no bundle"));
  const auto without = caisson({"bundle"}, here());
  EXPECT_EQ(without.code, 2);
  EXPECT_THAT(without.error, HasSubstr("usage: caisson bundle COMMAND"));
  EXPECT_THAT(caisson({"bundle", "craete"}, here()).error,
              HasSubstr("caisson bundle: unknown command 'craete'; did you mean 'create'?"));
}

TEST_F(BundleCommand, DiffSaysWhatChanges) {
  ASSERT_EQ(create("old").code, 0);
  edit("version: 1.1.0", "version: 1.2.0");
  edit("keep: 5", "keep: 6");
  ASSERT_EQ(create("new").code, 0);
  const auto ran = caisson({"bundle", "diff", "old", "new"}, here());
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_THAT(ran.out, HasSubstr("agentik 1.1.0 -> agentik 1.2.0"));
  EXPECT_THAT(ran.out, HasSubstr("changed  compose/compose.yaml"));
  EXPECT_EQ(caisson({"bundle", "diff", "old", "nowhere"}, here()).code, 3);
}

}  // namespace
}  // namespace caisson::cli

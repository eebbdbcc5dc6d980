// `caisson bundle` at the command line, on the example that is made for sites without a network.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include "base/files.h"
#include "base/hex.h"
#include "base/scratch.h"
#include "cli/run_program.h"
#include "generator/bundle/diff.h"
#include "generator/bundle/parts.h"
#include "generator/bundle/testing.h"
#include "installer/format/answers.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;
using bundle::testing::layer;
using ::testing::HasSubstr;
using ::testing::Not;

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
  for (const auto* path : {"bin/caisson", "bin/caisson-runtime", "bin/caddy"}) {
    ASSERT_TRUE(files.contains(path)) << path;
    EXPECT_TRUE(files.at(path)) << path;
  }
  for (const auto* path : {"assets/models/assistant-small.gguf", "compose/compose.yaml",
                           "spec/deployment.yaml", "systemd/system/agentik.target"}) {
    EXPECT_TRUE(files.contains(path)) << path;
  }
  EXPECT_EQ(files.count("helm/agentik/Chart.yaml"), 0U);
  // A site says where its certificates come from, and install.sh fills nothing in.
  EXPECT_EQ(files.count("systemd/install.sh"), 0U);
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

// Only programs that are linked statically tell what is in them (`scripts/program-parts`).
#ifdef CAISSON_PARTS
TEST_F(BundleCommand, NamesWhatIsLinkedIntoTheProgramsAndCopiesItsLicences) {
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
#endif

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

/// The lines below a heading of a text in Markdown that are commands.
std::string commands_of(const std::string& text, const std::string& heading) {
  const auto begin = text.find("```sh\n", text.find("## " + heading + "\n")) + 6;
  return text.substr(begin, text.find("```", begin) - begin);
}

class AskingSpec : public BundleCommand {
 protected:
  static constexpr auto kSpec = R"(caisson: v1
name: shop
version: 1.0.0
answers:
  domain: { type: domain, text: "Under which name is it reached?" }
  https: { type: port, default: 443, text: "On which port?" }
  mail-password: { type: secret, text: "Which | password?" }
domain: "${answer:domain}"
tenants: [{ slug: globex }, { slug: initech }]
secrets: { mail-password: { from: { file: { path: mail } } } }
edge: { https: "${answer:https}" }
observability:
  alerts:
    to: [{ email: ops@example.com }]
    smtp: { host: "mail.example.com:587", user: shop, password: mail-password }
)";

  Ran make(const std::string& targets, const std::string& more = {}) {
    scratch_.write("spec/deployment.yaml", kSpec + targets + more);
    return create("bundle", {"--no-strict"});
  }

  /// The files of the bundle, as a site installs them.
  std::map<std::string, std::string> installed() const {
    std::map<std::string, std::string> files;
    const auto manifest = bundle::manifest_at(scratch_ / "bundle");
    for (const auto& pack : manifest->packs) {
      std::string all;
      for (const auto& chunk : pack.chunks) {
        const auto stored = scratch_.read("bundle/blobs/sha256/" + hex(chunk.digest));
        std::string piece(chunk.size, '\0');
        EXPECT_EQ(ZSTD_decompress(piece.data(), piece.size(), stored.data(), stored.size()),
                  chunk.size);
        all += piece;
      }
      for (const auto& file : pack.files) {
        files[file.path] = all.substr(0, file.size);
        all.erase(0, file.size);
      }
    }
    return files;
  }
};

TEST_F(AskingSpec, IsBundledWithPlaceholdersInItsConfigurationAlone) {
  const auto made = make("targets: { bundle: { for: [systemd], level: 3 } }\n");
  ASSERT_EQ(made.code, 0) << made.error;
  const auto manifest = scratch_.read("bundle/MANIFEST");
  EXPECT_THAT(manifest, HasSubstr("\nanswer domain domain\ntext Under which name is it reached?\n"
                                  "answer https port\ndefault 443\ntext On which port?\n"
                                  "answer mail-password secret\ntext Which | password?\n"));
  const auto files = installed();
  const auto& site = files.at("systemd/SITE");
  EXPECT_THAT(site, HasSubstr("\nport 80\nanswered-port https\n"));
  EXPECT_THAT(site, HasSubstr("\nfile 0644 root site.json\n"));
  EXPECT_THAT(files.at("systemd/config/site.json"),
              HasSubstr("https://127.0.0.1:${answer:https}\""));
  EXPECT_THAT(files.at("systemd/config/Caddyfile"), HasSubstr("https://${answer:domain} {"));
  EXPECT_THAT(files.at("systemd/config/README.md"), HasSubstr("https://globex.${answer:domain}"));
  EXPECT_FALSE(files.contains("systemd/install.sh"));
  // The samples stand nowhere, and the spec is as it was written.
  for (const auto& [path, bytes] : files) {
    EXPECT_EQ(bytes.find("answers.example"), std::string::npos) << path;
    EXPECT_EQ(bytes.find("47102"), std::string::npos) << path;
  }
  EXPECT_EQ(files.at("spec/deployment.yaml"), scratch_.read("spec/deployment.yaml"));

  // What a site fills in is what would have been generated for it.
  scratch_.write("answers.env", "domain=shop.site.example\nhttps=8443\n");
  const auto generated = caisson({"generate", "spec/deployment.yaml", "--answers", "answers.env",
                                  "--target", "systemd", "--out", "generated", "--no-strict"},
                                 here());
  ASSERT_EQ(generated.code, 0) << generated.error;
  for (const auto* name : {"Caddyfile", "runtime.json", "dashboard.json"}) {
    const auto filled = installer::filled(name, files.at(std::string("systemd/config/") + name),
                                          {{"domain", "shop.site.example"}, {"https", "8443"}});
    ASSERT_TRUE(filled) << filled.error().what;
    EXPECT_EQ(*filled, scratch_.read(std::string("generated/systemd/config/") + name));
  }
}

TEST_F(AskingSpec, AsksWhereCertificatesComeFromWhenTheirAuthorityIsOutOfReach) {
  std::string spec(kSpec);
  spec.replace(spec.find("}\"", spec.find("edge:")) + 2, 0,
               ", tls: { mode: acme, email: ops@example.com }");
  scratch_.write("spec/deployment.yaml",
                 spec + "targets: { bundle: { for: [systemd], level: 3 } }\n");
  const auto made = create("bundle", {"--no-strict"});
  ASSERT_EQ(made.code, 0) << made.error;
  EXPECT_THAT(scratch_.read("bundle/MANIFEST"),
              HasSubstr("answer certificates word\ndefault internal\nchoice files\n"
                        "choice internal\ntext Where do certificates come from"));
  const auto files = installed();
  EXPECT_THAT(files.at("systemd/SITE"),
              HasSubstr("secret answered edge-certificate certificates files the chain"));
  EXPECT_THAT(files.at("systemd/config/Caddyfile"),
              HasSubstr("import certificates_on_demand_${answer:certificates}\n"));
  for (const auto* certificates : {"files", "internal"}) {
    // A name that no authority would certify.
    const std::string answers = "domain=shop.localhost\nhttps=8443\ncertificates=";
    scratch_.write("answers.env", answers + certificates + "\n");
    const auto generated =
        caisson({"generate", "spec/deployment.yaml", "--answers", "answers.env", "--target",
                 "systemd", "--out", std::string("of-") + certificates, "--no-strict"},
                here());
    ASSERT_EQ(generated.code, 0) << generated.error;
    const auto filled = installer::filled(
        "Caddyfile", files.at("systemd/config/Caddyfile"),
        {{"domain", "shop.localhost"}, {"https", "8443"}, {"certificates", certificates}});
    ASSERT_TRUE(filled) << filled.error().what;
    EXPECT_EQ(*filled,
              scratch_.read(std::string("of-") + certificates + "/systemd/config/Caddyfile"));
  }
  scratch_.write("answers.env", "domain=shop.example\ncertificates=acme\n");
  auto ran = caisson({"validate", "spec/deployment.yaml", "--answers", "answers.env"}, here());
  EXPECT_THAT(ran.out, HasSubstr("error[E0230]: the answer 'certificates' is none of: files"));
  scratch_.write("spec/deployment.yaml", spec);
  ran = caisson({"validate", "spec/deployment.yaml", "--answers", "answers.env"}, here());
  EXPECT_THAT(ran.out, HasSubstr("the spec does not ask for the answer 'certificates'"));
}

TEST_F(AskingSpec, IsRefusedWhereAnAnswerChangesMore) {
  auto made = make("targets: { bundle: { for: [systemd, compose], level: 3 } }\n");
  EXPECT_EQ(made.code, 1);
  EXPECT_THAT(made.error, HasSubstr("spec/deployment.yaml:5:11: error[E0312]: the answer 'domain' "
                                    "changes more than values of the configuration: compose/"));
  EXPECT_THAT(made.error, HasSubstr("the answer 'https' changes more"));
  EXPECT_FALSE(fs::exists(scratch_ / "bundle"));
  made = make("targets: { bundle: { for: [systemd], level: 3 } }\n",
              "backup: { schedule: \"30 2 * * *\", to: \"/srv/${answer:domain}\" }\n");
  EXPECT_EQ(made.code, 1);
  EXPECT_THAT(made.error, HasSubstr("error[E0312]: the answer 'domain' changes"));
  EXPECT_THAT(made.error, HasSubstr("systemd/"));
}

TEST_F(AskingSpec, IsRefusedWhenASiteMayAnswerWhatItDoesNotTake) {
  scratch_.write("spec/deployment.yaml", R"(caisson: v1
name: shop
version: 1.0.0
answers: { resolver: { type: address, text: "Which?" } }
tenants: []
services:
  web: { image: "registry.example.com/web:1", egress: ["${answer:resolver}:53"] }
targets: { bundle: { for: [systemd] } }
)");
  const auto made = create("bundle", {"--no-strict"});
  EXPECT_EQ(made.code, 1);
  EXPECT_THAT(made.error, HasSubstr("E0113"));
  EXPECT_THAT(made.error, HasSubstr("a site may give answers that the spec does not take: "
                                    "resolver=2001:db8::1"));
}

TEST_F(AskingSpec, IsToldToTheSiteInInstallMd) {
  ASSERT_EQ(make("targets: { bundle: { for: [systemd], level: 3 } }\n").code, 0);
  const auto text = scratch_.read("bundle/INSTALL.md");
  EXPECT_THAT(text, HasSubstr("| `domain` | a host name as acme.example.com | has to be answered | "
                              "Under which name is it reached? |\n"));
  EXPECT_THAT(text, HasSubstr("| `443` | On which port? |\n"));
  EXPECT_THAT(text, HasSubstr("Which \\| password? |\n"));
  EXPECT_EQ(commands_of(text, "Update"),
            "/opt/shop/caisson-install update \"$MEDIUM\" --answers \"$ANSWERS\" --dry-run\n"
            "/opt/shop/caisson-install update \"$MEDIUM\" --answers \"$ANSWERS\"\n");
  EXPECT_THAT(commands_of(text, "Check it"), HasSubstr("gpgv --weak-digest SHA1"));
}

TEST_F(AskingSpec, TakesAnswersOnTheCommandLineAndNamesWhatIsMissing) {
  scratch_.write("spec/deployment.yaml", kSpec);
  auto ran = caisson({"validate", "spec/deployment.yaml", "--no-strict"}, here());
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("error[E0229]: nobody has answered 'domain'"));
  scratch_.write("answers.env", "# the demo\ndomain=demo.example\n");
  for (const auto* command : {"validate", "plan"}) {
    ran = caisson({command, "spec/deployment.yaml", "--no-strict", "--answers", "answers.env"},
                  here());
    EXPECT_EQ(ran.code, 0) << ran.out << ran.error;
  }
  EXPECT_THAT(ran.out, HasSubstr("at demo.example"));
  scratch_.write("answers.env", "domain demo.example\n");
  ran = caisson({"validate", "spec/deployment.yaml", "--answers", "answers.env"}, here());
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.error, HasSubstr("answers.env:1: a line is NAME=ANSWER"));
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
  EXPECT_THAT(ran.out, Not(HasSubstr("data that move")));
  EXPECT_EQ(caisson({"bundle", "diff", "old", "nowhere"}, here()).code, 3);
}

TEST_F(BundleCommand, SaysWhichDataASiteHasToTakeAlong) {
  ASSERT_EQ(create("old").code, 0);
  const auto before = bundle::manifest_at(scratch_ / "old");
  ASSERT_TRUE(before);
  for (const auto* form : {"compose", "systemd"}) {
    const auto found = std::ranges::find_if(before->places, [&](const auto& place) {
      return place.form == form && place.what == "tenant/northwind";
    });
    ASSERT_NE(found, before->places.end()) << form;
    EXPECT_EQ(found->where, "runtime-data");
  }
  edit("version: 1.1.0", "version: 1.2.0");
  edit("name: Northwind Traders, tier: pro", "name: Northwind Traders, tier: enterprise");
  const auto made = create("new", {"--base", "old"});
  EXPECT_EQ(made.code, 0) << made.error;
  const std::string line = "systemd  tenant/northwind  runtime-data -> runtime-northwind-data\n";
  EXPECT_THAT(made.error, HasSubstr(line));
  EXPECT_THAT(caisson({"bundle", "diff", "old", "new"}, here()).out,
              HasSubstr("\ndata that move\n  compose  tenant/northwind  runtime-data -> "));
}

}  // namespace
}  // namespace caisson::cli

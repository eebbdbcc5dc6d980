#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/scratch.h"
#include "cli/run_program.h"
#include "generator/signing/roots.h"
#include "installer/format/manifest.h"
#include "installer/format/sums.h"
#include "installer/format/testing.h"
#include "installer/format/waiver.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;

/// A directory with a home for gpg, and `caisson` on the PATH.
class Desk {
 public:
  Desk() {
    fs::create_directory(scratch_ / "home");
    fs::permissions(scratch_ / "home", fs::perms::owner_all);
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;
  ~Desk() { (void)bash("gpgconf --kill all"); }

  [[nodiscard]] Ran bash(const std::string& text) const {
    return run_program({"bash", "-eu", "-o", "pipefail", "-c", text}, surroundings());
  }
  [[nodiscard]] Ran run(std::vector<std::string> arguments) const {
    return caisson(std::move(arguments), surroundings());
  }
  [[nodiscard]] const Scratch& files() const { return scratch_; }

  /// As much of a bundle as a signature is about.
  void make_bundle(const std::string& name) const {
    const auto manifest = installer::testing::sample_manifest();
    scratch_.write(name + "/MANIFEST", manifest);
    fs::create_directories(scratch_ / (name + "/keys"));
  }

 private:
  [[nodiscard]] Surroundings surroundings() const {
    return {
        .directory = scratch_.path(),
        .environment = {{"GNUPGHOME", (scratch_ / "home").string()},
                        {"PATH", CAISSON_BINARY_DIR "/bin:" + std::string(std::getenv("PATH"))}}};
  }
  Scratch scratch_;
};

/// Lists what a bundle has, as `bundle create` does.
std::string list_of(const std::string& bundle) {
  return "(cd " + bundle + "; { sha256sum MANIFEST; sha256sum keys/*; } > SHA256SUMS)\n";
}

/// The blocks for a shell, in their order.
std::vector<std::string> blocks(const std::string& path) {
  std::ifstream lines(path);
  std::vector<std::string> found;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "```sh") found.emplace_back();
    if (line.starts_with("```")) {
      inside = line == "```sh";
    } else if (inside) {
      found.back() += line + "\n";
    }
  }
  return found;
}

TEST(Keys, EveryCommandOfTheGuideWorks) {
  const Desk desk;
  desk.make_bundle("agentik-1.1.0-amd64");
  // One shell for all, as for somebody who copies them. `bundle create` needs more than keys.
  std::string script;
  for (auto block : blocks(CAISSON_SOURCE_DIR "/docs/keys.md")) {
    if (const auto at = block.find("caisson bundle sign"); at != std::string::npos) {
      block.insert(at, "cp keys/* agentik-1.1.0-amd64/keys/\n" + list_of("agentik-1.1.0-amd64"));
    }
    script += block;
  }
  EXPECT_THAT(script, AllOf(HasSubstr("keys revoke"), HasSubstr("keys import"), HasSubstr("gpg:")));
  const auto ran = desk.bash("set -x\n" + script);
  ASSERT_EQ(ran.code, 0) << ran.error;
  const auto shown = desk.run({"keys", "root", "keys"});
  EXPECT_EQ(shown.code, 0) << shown.error;
  EXPECT_THAT(shown.out, StartsWith("root 4 of agentik, epoch 2, threshold 2\n"));
  // A site follows that chain.
  const auto roots = signing::read_roots(desk.files() / "keys");
  ASSERT_TRUE(roots) << roots.error().text();
  const auto first = installer::expected_root(roots->files, sha256(roots->files.front().text));
  ASSERT_TRUE(first) << first.error().what;
  const auto last = installer::follow_chain(*first, roots->files, [](const auto&) {});
  ASSERT_TRUE(last) << last.error().what;
  EXPECT_EQ(last->revoked().size(), 1U);
  EXPECT_FALSE(installer::fault_of_ring("keyring.gpg", roots->ring, last->root()));
  EXPECT_FALSE(fs::exists(desk.files() / "keys/root.5"));
  for (const auto& [name, text] : desk.files().files()) {
    if (!name.starts_with("keys/")) continue;
    EXPECT_THAT(text, Not(HasSubstr("PRIVATE KEY"))) << name;
  }
}

TEST(Keys, ASignatureIsTheSameOnAnyDayAndGpgvTakesIt) {
  const Desk desk;
  desk.make_bundle("bundle");
  ASSERT_EQ(
      desk.bash("caisson keys generate root; caisson keys generate a; caisson keys generate b "
                "--algorithm p256; SOURCE_DATE_EPOCH=1600000000 caisson keys root bundle/keys "
                "--product agentik --root-key root.pub --release-key a.pub --release-key "
                "b.pub --sign root; " +
                list_of("bundle") +
                "caisson bundle sign bundle --key a; caisson bundle sign "
                "bundle --key b; cd bundle; for s in SHA256SUMS.gpg SHA256SUMS.p256.gpg; do "
                "gpgv --keyring ./keys/keyring.gpg $s SHA256SUMS; done")
          .code,
      0);
  const auto first = desk.files().read("bundle/SHA256SUMS.gpg");
  ASSERT_EQ(desk.run({"bundle", "sign", "bundle", "--key", "a"}).code, 0);
  EXPECT_EQ(desk.files().read("bundle/SHA256SUMS.gpg"), first);
}

TEST(Keys, NothingIsSignedThatNoSiteWouldTake) {
  const Desk desk;
  desk.make_bundle("bundle");
  ASSERT_EQ(desk.bash("for k in root other a b; do caisson keys generate $k; done; "
                      "caisson keys root bundle/keys --product agentik --threshold 1 --root-key "
                      "root.pub --release-key a.pub || test $? = 1; " +
                      list_of("bundle"))
                .code,
            0);
  const auto why = [&](std::vector<std::string> arguments) {
    const auto ran = desk.run(std::move(arguments));
    EXPECT_EQ(ran.code, 3) << ran.error << ran.out;
    return ran.error;
  };
  const std::vector<std::string> sign{"bundle", "sign", "bundle", "--key", "a"};
  EXPECT_THAT(why(sign), HasSubstr("signed by 0 of the 1 keys of root 1 that are needed"));
  // A root that lacks signatures cannot be built on, nor be signed by whoever likes.
  EXPECT_THAT(why({"keys", "root", "bundle/keys", "--release-key", "b.pub"}),
              HasSubstr("let it be signed"));
  EXPECT_THAT(why({"keys", "root", "bundle/keys", "--sign", "other"}),
              HasSubstr("is a root key neither of root.1 nor of the root before it"));
  ASSERT_EQ(desk.run({"keys", "root", "bundle/keys", "--sign", "root"}).code, 0);
  // The signature of the root came after the list.
  EXPECT_THAT(why(sign), HasSubstr("is not what SHA256SUMS lists"));
  ASSERT_EQ(desk.bash(list_of("bundle")).code, 0);
  EXPECT_THAT(why({"keys", "root", "bundle/keys", "--sign", "root"}), HasSubstr("already"));
  EXPECT_THAT(why({"bundle", "sign", "bundle", "--key", "b"}),
              HasSubstr("root 1 does not name key"));
  EXPECT_THAT(why({"keys", "revoke", "bundle/keys", "a.pub", "--sign", "root"}),
              HasSubstr("would name no release key"));
  EXPECT_THAT(why({"keys", "revoke", "bundle/keys", "root.pub", "--root-key", "other.pub",
                   "--threshold", "2"}),
              HasSubstr("a threshold of 2 does not fit 1 root keys"));
  EXPECT_THAT(why({"keys", "revoke", "bundle/keys", "b.pub"}), HasSubstr("names no key"));
  EXPECT_FALSE(fs::exists(desk.files() / "bundle/keys/root.2"));
  EXPECT_THAT(why({"keys", "generate", "a"}), HasSubstr("is there already"));
  EXPECT_THAT(why({"keys", "root", "new", "--root-key", "root.pub"}), HasSubstr("--product"));

  const auto manifest = desk.files().read("bundle/MANIFEST");
  desk.files().write("bundle/MANIFEST", manifest + " ");
  EXPECT_THAT(why(sign), HasSubstr("B02"));
  desk.files().write("bundle/MANIFEST",
                     installer::testing::with(manifest, "version 1.1.0", "version 1.1.1"));
  EXPECT_THAT(why(sign), HasSubstr("does not have the digest of this MANIFEST"));
  desk.files().write("bundle/MANIFEST", manifest);
  desk.files().write("bundle/keys/keyring.gpg", desk.files().read("b.pub"));
  EXPECT_THAT(why(sign), HasSubstr("keys/keyring.gpg is not what SHA256SUMS lists"));
  ASSERT_EQ(desk.bash(list_of("bundle")).code, 0);
  EXPECT_THAT(why(sign), HasSubstr("B0116"));
  EXPECT_FALSE(fs::exists(desk.files() / "bundle/SHA256SUMS.gpg"));
  desk.files().write("bundle/keys/keyring.gpg", desk.files().read("a.pub"));
  ASSERT_EQ(desk.bash(list_of("bundle")).code, 0);
  EXPECT_EQ(desk.run(sign).code, 0);
}

TEST(Keys, AWaiverNamesOneReleaseAndIsSignedByWhoeverMaySignReleases) {
  const Desk desk;
  desk.make_bundle("bundle");
  ASSERT_EQ(desk.bash("for k in root other a; do caisson keys generate $k; done; caisson keys root "
                      "bundle/keys --product agentik --root-key root.pub --release-key a.pub "
                      "--sign root; " +
                      list_of("bundle"))
                .code,
            0);
  const auto waive = [&](const std::string& key, const std::string& reason) {
    return desk.run({"bundle", "waive", "bundle", "waiver", "--key", key, "--reason", reason});
  };
  auto ran = waive("other", "it mends more");
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.error, HasSubstr("does not name key"));
  for (const auto& reason : {std::string("two\nlines"), std::string(5000, 'a'), std::string()}) {
    ran = waive("a", reason);
    EXPECT_EQ(ran.code, 3);
    EXPECT_THAT(ran.error, HasSubstr("say it in one line"));
  }
  EXPECT_FALSE(fs::exists(desk.files() / "waiver"));
  ran = waive("a", "it mends more");
  ASSERT_EQ(ran.code, 0) << ran.error;
  const auto text = desk.files().read("waiver");
  const auto read = installer::read_waiver(text);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->product, "agentik");
  EXPECT_EQ(read->reason, "it mends more");
  EXPECT_THAT(ran.out, StartsWith(read->release + "  waiver  waiver.gpg"));
  // The name holds the digest of the MANIFEST.
  EXPECT_THAT(read->release, EndsWith(desk.bash("sha256sum bundle/MANIFEST").out.substr(0, 16)));
  EXPECT_EQ(desk.bash("gpgv --keyring ./bundle/keys/keyring.gpg waiver.gpg waiver").code, 0);
}

TEST(Keys, APassphraseIsAskedForOnTheTerminalAndNotShown) {
  const Desk desk;
  // Answers when it is asked, as a person does.
  desk.files().write("person.py", R"(
import os, pty, sys
answers = sys.argv[1].split(",")
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
seen, asked = b"", 0
while True:
    try:
        more = os.read(terminal, 1000)
    except OSError:
        break
    if not more:
        break
    seen += more
    while asked < len(answers) and seen.count(b": ") > asked:
        os.write(terminal, answers[asked].encode() + b"\n")
        asked += 1
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
)");
  const auto made =
      desk.bash("python3 person.py horse,horse caisson keys generate key --passphrase");
  EXPECT_EQ(made.code, 0) << made.out << made.error;
  EXPECT_THAT(made.out, AllOf(HasSubstr("new passphrase: "), Not(HasSubstr("horse"))));
  EXPECT_THAT(desk.files().read("key"), HasSubstr("ENCRYPTED PRIVATE KEY"));
  const auto differs =
      desk.bash("python3 person.py horse,cow caisson keys generate other --passphrase");
  EXPECT_EQ(differs.code, 3);
  EXPECT_FALSE(fs::exists(desk.files() / "other"));
  const auto root = desk.bash(
      "python3 person.py horse caisson keys root keys --product agentik "
      "--root-key key.pub --release-key key2.pub --sign key || true");
  EXPECT_THAT(root.out, AllOf(HasSubstr("passphrase of key: "), HasSubstr("key2.pub")));
  // Where nobody can be asked, a file is named.
  const auto alone = desk.bash("setsid -w caisson keys root keys --sign key < /dev/null || true");
  EXPECT_THAT(alone.error, HasSubstr("--passphrase-file"));
}

TEST(Keys, AreCompletedByBash) {
  const auto offered = [](const std::string& words, int count) {
    const auto ran = run_program({"bash", "--norc", "-c",
                                  "source <('" CAISSON_BINARY_DIR
                                  "/bin/caisson' completion bash) && COMP_WORDS=(caisson " +
                                      words + "); COMP_CWORD=" + std::to_string(count) +
                                      "; _caisson && printf '%s\\n' \"${COMPREPLY[@]}\""});
    EXPECT_EQ(ran.error, "");
    return ran.out;
  };
  EXPECT_THAT(offered("keys gen", 2), HasSubstr("generate"));
  EXPECT_THAT(offered("keys root --thr", 3), HasSubstr("--threshold"));
  EXPECT_THAT(offered("bundle si", 2), HasSubstr("sign"));
}

}  // namespace
}  // namespace caisson::cli

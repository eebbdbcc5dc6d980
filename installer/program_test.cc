// caisson-install as a site runs it: its results, its exit codes, that it gives up the network
// before it opens a medium, and how much memory it takes.

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "installer/command/command.h"
#include "installer/command/progress.h"
#include "installer/verify/bundle_testing.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::Maker;
using testing::noise;
using ::testing::Not;
using testing::put;
using testing::take;

struct Ran {
  int exit = -1;
  std::string out;
  std::string error;
  bool confined = false;
  bool opened_before_confined = false;  ///< a file below the scratch directory
  long peak = 0;                        ///< KiB resident at the most
};

/// The text at an address of a stopped process, as far as `start` is long.
bool begins_with(pid_t child, std::uint64_t address, const std::string& start) {
  std::string text;
  while (text.size() < start.size()) {
    errno = 0;
    const long word = ptrace(PTRACE_PEEKDATA, child, address + text.size(), nullptr);
    if (errno != 0) return false;
    text.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  return text.starts_with(start);
}

long peak_of(pid_t child) {
  std::ifstream status("/proc/" + std::to_string(child) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::atol(line.c_str() + 6);
  }
  return 0;
}

class TheProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    maker_.add_sample();
    maker_.seal();
    maker_.put_directory(scratch_ / "bundle");
    put(scratch_ / "roots/root.1", maker_.root_text);
  }

  /// Runs the program and looks at each of its calls of the system.
  Ran run(std::vector<std::string> arguments) {
    return run(std::move(arguments), [this](pid_t child, Ran& ran) { follow(child, ran); });
  }

  template <class Follow>
  Ran run(std::vector<std::string> arguments, const Follow& follow) {
    arguments.insert(arguments.begin(), CAISSON_BINARY_DIR "/bin/caisson-install");
    std::vector<char*> words;
    for (auto& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    const auto out = (scratch_ / "out").string();
    const auto error = (scratch_ / "error").string();
    const pid_t child = fork();
    if (child == 0) {
      dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
      dup2(open(error.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
      // A sanitized build looks for leaks at its end by tracing itself, and who is traced cannot.
      setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
      ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      execv(words[0], words.data());
      _exit(127);
    }
    Ran ran;
    follow(child, ran);
    ran.out = take(out);
    ran.error = take(error);
    return ran;
  }

  void follow(pid_t child, Ran& ran) {
    bool confined = false;
    int status = 0;
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, nullptr,
           PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
    ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
      int pass_on = 0;
      if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
        __ptrace_syscall_info info{};
        ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
          if (info.entry.nr == SYS_prctl && info.entry.args[0] == PR_SET_SECCOMP) confined = true;
          if (info.entry.nr == SYS_openat && !confined &&
              begins_with(child, info.entry.args[1], scratch_.path().string())) {
            ran.opened_before_confined = true;
          }
        }
      } else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
        ran.peak = peak_of(child);
      } else if (status >> 16 == 0) {
        pass_on = WSTOPSIG(status);
      }
      ptrace(PTRACE_SYSCALL, child, nullptr, pass_on);
    }
    ran.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    ran.confined = confined;
  }

  /// Looks at the program and at all that it starts: before any of them opens MANIFEST for the
  /// second time, `change` is called.
  static void follow_all(pid_t child, Ran& ran, const std::function<void()>& change) {
    int status = 0;
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, nullptr,
           PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
               PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
    ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    int opened = 0;
    for (pid_t one = waitpid(-1, &status, __WALL); one > 0; one = waitpid(-1, &status, __WALL)) {
      if (!WIFSTOPPED(status)) {
        if (one != child) continue;
        ran.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return;
      }
      int pass_on = 0;
      if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
        __ptrace_syscall_info info{};
        ptrace(PTRACE_GET_SYSCALL_INFO, one, sizeof info, &info);
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_openat &&
            begins_with(one, info.entry.args[1], "MANIFEST") && ++opened == 2) {
          change();
        }
      } else if (status >> 16 == 0 && WSTOPSIG(status) != SIGSTOP) {
        pass_on = WSTOPSIG(status);
      }
      ptrace(PTRACE_SYSCALL, one, nullptr, pass_on);
    }
  }

  Ran verify(std::string_view bundle, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"verify", (scratch_ / bundle).string(), "--roots",
                                       (scratch_ / "roots").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  Scratch scratch_;
  Maker maker_;
};

TEST_F(TheProgram, TakesRootsWithoutABundleAndTellsWhomItTrusts) {
  fs::create_directory(scratch_ / "kept");
  const auto root = (scratch_ / "bundle/keys/root.1").string();
  const auto kept = (scratch_ / "kept").string();
  auto ran = run({"trust", "update", root, "--roots", kept});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.error, HasSubstr("B0126"));
  ran = run({"trust", "update", root, "--roots", kept, "--expect-root", std::string(64, 'a')});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_FALSE(fs::exists(scratch_ / "kept/root.1"));
  const auto fingerprint = hex(sha256(maker_.root_text));
  ran = run({"trust", "update", root, "--roots", kept, "--expect-root", fingerprint});
  EXPECT_EQ(ran.exit, 0) << ran.error;
  EXPECT_TRUE(ran.confined);
  EXPECT_EQ(take(scratch_ / "kept/root.1"), maker_.root_text);
  EXPECT_THAT(ran.out, HasSubstr("shop is trusted by root 1, " + fingerprint));
  EXPECT_EQ(run({"trust", "show", "--roots", kept}).out, ran.out);
  ran = run({"trust", "show", "--roots", kept, "--json"});
  EXPECT_THAT(ran.out, HasSubstr(R"("root":1,"digest":")" + fingerprint));
  EXPECT_EQ(run({"verify", (scratch_ / "bundle").string(), "--roots", kept}).exit, 0);

  ran = run({"trust", "update", (scratch_ / "bundle/README").string(), "--roots", kept});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.error, HasSubstr("the name of a root is root.N"));
  EXPECT_EQ(run({"trust", "show", "--product", "shop-that-is-not-here"}).exit, 3);
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"trust"},
                                                {"trust", "update", "--roots", kept},
                                                {"trust", "show", root, "--roots", kept},
                                                {"trust", "show"}}) {
    EXPECT_EQ(run(wrong).exit, 2) << wrong.back();
  }
}

TEST_F(TheProgram, VerifiesADeltaWithTheReleaseThatItStandsOn) {
  Maker base;
  base.add({{"etc/kept", "kept"}});
  base.seal();
  put(scratch_ / "installed/MANIFEST", base.files.at("MANIFEST"));
  put(scratch_ / "installed/tree/etc/kept", "kept");
  Maker delta;
  delta.manifest.version = {.major = 1, .minor = 1};
  delta.manifest.base =
      Base{.manifest = sha256(base.files.at("MANIFEST")), .version = base.manifest.version};
  Pack same{.from = Pack::From::base};
  same.files.push_back({.size = 4, .digest = sha256("kept"), .path = "etc/kept"});
  delta.manifest.packs.push_back(same);
  delta.seal();
  delta.put_directory(scratch_ / "delta");
  put(scratch_ / "roots/root.1", delta.root_text);
  auto ran = verify("delta");
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.error, HasSubstr("--base"));
  ran = verify("delta", {"--base", (scratch_ / "installed").string()});
  EXPECT_EQ(ran.exit, 0) << ran.error;
  put(scratch_ / "installed/tree/etc/kept", "KEPT");
  ran = verify("delta", {"--base", (scratch_ / "installed").string()});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.error, HasSubstr("is not what was installed any more"));
}

TEST_F(TheProgram, TellsOnATerminalHowMuchItHasRead) {
  const auto verify = std::string(CAISSON_BINARY_DIR "/bin/caisson-install verify ") +
                      (scratch_ / "bundle").string() + " --roots " + (scratch_ / "roots").string();
  const auto on_terminal = [&](const std::string& options) {
    // `script` gives the command a terminal.
    const auto log = (scratch_ / "log").string();
    EXPECT_EQ(std::system(
                  ("script -qefc '" + verify + options + "' " + log + " </dev/null >/dev/null 2>&1")
                      .c_str()),
              0);
    return take(log);
  };
  EXPECT_THAT(on_terminal(""), HasSubstr("verify: 9."));
  EXPECT_THAT(on_terminal(""), HasSubstr(" of 9."));
  EXPECT_THAT(on_terminal(" --json"), ::testing::Not(HasSubstr("verify: ")));
  EXPECT_EQ(this->verify("bundle").error, "") << "a file is no terminal";
}

TEST(Progress, TellsWhatIsLeftAfterTheFirstSecond) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  EXPECT_EQ(progress_text("verify", 100, 1000, kSecond / 2), "verify: 100 bytes of 1.0 kB");
  EXPECT_EQ(progress_text("verify", 100, 1000, 2 * kSecond),
            "verify: 100 bytes of 1.0 kB, 19 s left");
  EXPECT_EQ(progress_text("verify", 1000, 1000, 9 * kSecond), "verify: 1.0 kB of 1.0 kB");
}

TEST_F(TheProgram, VerifiesInspectsAndExplains) {
  put(scratch_ / "bundle/._README", "Mac");
  auto ran = verify("bundle");
  EXPECT_EQ(ran.exit, 0) << ran.error;
  EXPECT_THAT(ran.out, HasSubstr("shop 1.0.0 for " + std::string(host_arch())));
  EXPECT_THAT(ran.out, HasSubstr("4 files of 9.0 MB from 3 chunks"));
  EXPECT_THAT(ran.error, HasSubstr("._README"));
  EXPECT_TRUE(ran.confined);
  EXPECT_FALSE(ran.opened_before_confined);

  ran = verify("bundle", {"--json", "--sums"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr(R"("result":"ok","product":"shop")"));
  EXPECT_THAT(ran.out, HasSubstr(R"("checked":"sums")"));

  auto digits = hex(sha256(maker_.root_text));
  digits.insert(32, " : ");
  ran = run({"inspect", (scratch_ / "bundle").string(), "--expect-root", digits});
  EXPECT_EQ(ran.exit, 0) << ran.error;
  EXPECT_THAT(ran.out, HasSubstr("registry.example/app:1  linux/"));
  EXPECT_THAT(ran.out, HasSubstr("0755  9.0 MB  bin/server"));

  ran = run({"explain", "B0303"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("the content is not what was signed"));
  EXPECT_EQ(run({"explain", "B9999"}).exit, 1);
  EXPECT_EQ(run({"--version"}).exit, 0);
  EXPECT_EQ(run({"--help"}).exit, 0);
}

TEST_F(TheProgram, SaysWhyItRefuses) {
  auto ran = verify("bundle", {"--strict"});
  EXPECT_EQ(ran.exit, 0) << ran.error;
  put(scratch_ / "bundle/._README", "Mac");
  ran = verify("bundle", {"--strict"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.error, HasSubstr("B0302"));
  put(scratch_ / "bundle/README", "READ ME\n");
  ran = verify("bundle", {"--json"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.out, HasSubstr(R"("result":"refused","code":"B0303")"));
  EXPECT_EQ(verify("nothing").exit, 1);
  ran = run({"verify", (scratch_ / "bundle").string(), "--expect-root", std::string(64, '0')});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_FALSE(ran.opened_before_confined);
  ran = run({"verify", (scratch_ / "bundle").string(), "--roots", "/nowhere"});
  EXPECT_EQ(ran.exit, 3);
  EXPECT_THAT(ran.error, HasSubstr("B0504"));
}

TEST_F(TheProgram, HandsOverToTheInstallerOfABundleOfANewerFormat) {
  const auto bundle = (scratch_ / "next").string();
  Maker next;
  next.files["caisson-install"] = take("/bin/echo");
  next.manifest.envelope.installer = sha256(next.files["caisson-install"]);
  next.manifest.envelope.format = 2;
  next.seal();
  next.put_directory(bundle);
  const auto root = hex(sha256(next.root_text));
  put(scratch_ / "next-roots/root.1", next.root_text);
  for (const auto* command : {"verify", "inspect", "install"}) {
    const auto ran = run({command, bundle, "--expect-root", root});
    EXPECT_EQ(ran.exit, 0) << ran.error;
    EXPECT_EQ(ran.out, std::string(command) + " " + bundle + " --expect-root " + root + "\n");
    EXPECT_FALSE(ran.opened_before_confined);
  }
  // Somebody else's, another one than was signed, and one for another host stay unread.
  const auto refused = [&](const std::string& roots) {
    const auto ran = run({"verify", bundle, "--roots", (scratch_ / roots).string()});
    EXPECT_EQ(ran.exit, 1);
    EXPECT_EQ(ran.out, "");
    return ran.error;
  };
  EXPECT_THAT(refused("roots"), HasSubstr("B0126"));
  put(bundle + "/caisson-install", take("/bin/true"));
  EXPECT_THAT(refused("next-roots"), HasSubstr("B0210"));
  next.manifest.envelope.arch = host_arch() == "amd64" ? "arm64" : "amd64";
  next.seal();
  next.put_directory(bundle);
  EXPECT_THAT(refused("next-roots"), HasSubstr("B0210"));
}

TEST_F(TheProgram, HandsNothingOverToAMediumThatChangesMeanwhile) {
  const auto bundle = (scratch_ / "next").string();
  const auto says_first = [&](std::uint64_t format, const std::string& word,
                              const std::string& instead) {
    Maker next;
    next.add_sample();
    next.files["caisson-install"] = take("/bin/echo");
    next.manifest.envelope.installer = sha256(next.files["caisson-install"]);
    next.manifest.envelope.format = format;
    next.seal();
    next.put_directory(bundle);
    const auto signed_text = next.files["MANIFEST"];
    auto text = signed_text;
    const auto at = text.find(word);
    EXPECT_NE(at, std::string::npos) << text;
    put(bundle + "/MANIFEST", text.replace(at, word.size(), instead));
    bool changed = false;
    auto ran = run({"verify", bundle, "--expect-root", hex(sha256(next.root_text))},
                   [&](pid_t child, Ran& its) {
                     follow_all(child, its, [&] {
                       put(bundle + "/MANIFEST", signed_text);
                       changed = true;
                     });
                   });
    EXPECT_TRUE(changed);
    return ran;
  };
  const auto handed_over = HasSubstr("the caisson-install that it brings goes on");
  EXPECT_THAT(says_first(2, "product shop\n", "product shop\n").error, handed_over);
  // Whom to trust was asked for another product than the one that has signed it.
  auto ran = says_first(2, "product shop\n", "product mine\n");
  EXPECT_EQ(ran.exit, 1);
  EXPECT_THAT(ran.error, Not(handed_over));
  // What is signed is for this program to read.
  ran = says_first(1, "format 1\n", "format 2\n");
  EXPECT_EQ(ran.exit, 0) << ran.error;
  EXPECT_THAT(ran.error, Not(handed_over));
}

TEST_F(TheProgram, RefusesACommandLineThatMakesNoSense) {
  const auto bundle = (scratch_ / "bundle").string();
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {},
           {"install"},
           {"verify"},
           {"verify", bundle},
           {"verify", bundle, "--roots"},
           {"verify", bundle, "--expect-root", "abc"},
           {"verify", bundle, bundle, "--roots", "x"},
           {"verify", bundle, "--roots", "x", "--expect-root", std::string(64, 'a')},
           {"verify", bundle, "--root", "x"},
           {"verify", bundle, "--roots", "x", "--keep-data"},
           {"install", bundle, "--again"},
           {"install", bundle, "--roots", "x", "--expect-root", std::string(64, 'a')},
           {"update"},
           {"update", "--apply"},
           {"update", bundle, "--apply", "--product", "shop"},
           {"update", bundle, "--stage", "--apply", "--product", "shop"},
           {"update", bundle, "--product", "shop"},
           {"doctor"},
           {"try", bundle, "--roots", "x"},
           {"try", "--dir", "x"},
           {"try", bundle, "--dir", "x"},
           {"try", bundle, "--end", "--dir", "x"},
           {"diagnose", "--product", "shop"},
           {"diagnose", "--product", "shop", "--dry-run", "--out", "x"},
           {"diagnose", "--product", "shop", "--dry-run", "--without", "log,doctr"},
           {"recover", "--product", "shop", "--waiver"},
           {"rollback"},
           {"rollback", bundle, "--product", "shop"},
           {"recover", "--product", "../shop"},
           {"uninstall", "--product", ".."},
           {"uninstall", "--product", ""},
           {"status", "--dry-run"}}) {
    EXPECT_EQ(run(arguments).exit, 2) << ::testing::PrintToString(arguments);
  }
}

TEST_F(TheProgram, RefusesOptionsThatWouldDoNothingInAForm) {
  const auto bundle = (scratch_ / "bundle").string();
  const auto expect_refused = [&](std::vector<std::string> arguments, const std::string& option) {
    arguments.push_back(option);
    if (option != "--stage" && option != "--plain-http") arguments.emplace_back("x");
    const auto ran = run(arguments);
    EXPECT_EQ(ran.exit, 2) << ::testing::PrintToString(arguments);
    EXPECT_THAT(ran.error, HasSubstr(option));
  };
  for (const auto* option : {"--secrets", "--answers"}) {
    expect_refused({"install", bundle, "--roots", "x", "--form", "helm"}, option);
  }
  expect_refused({"update", bundle, "--form", "helm"}, "--stage");
  for (const auto* form : {"systemd", "compose"}) {
    for (const auto* option : {"--registry", "--namespace", "--values", "--plain-http", "--ca",
                               "--user", "--password-file"}) {
      expect_refused({"install", bundle, "--roots", "x", "--form", form}, option);
    }
  }
  expect_refused({"install", bundle, "--roots", "x", "--form", "helm"}, "--user");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

constexpr long kMostResident = 64 * 1024;

TEST_F(TheProgram, TakesNoMoreThan64MiBForIncompressibleChunks) {
  Maker maker;
  for (int i = 0; i < 6; ++i) {
    maker.add_large("bin/" + std::to_string(i), noise(2 * kMostOfChunk, 100 + i));
  }
  maker.seal();
  maker.put_directory(scratch_ / "large");
  put(scratch_ / "roots/root.1", maker.root_text);
  const auto ran = verify("large");
  EXPECT_EQ(ran.exit, 0) << ran.error;
  EXPECT_LE(ran.peak, kMostResident);
  RecordProperty("peak_kib", static_cast<int>(ran.peak));
}

TEST_F(TheProgram, TakesNoMoreThan64MiBForTheLargestManifest) {
  // As many packs of their own as fit into 16 MiB, and the two largest chunks at the end.
  Maker maker;
  const auto empty = testing::frame_of("x");
  const auto chunk = maker.store(empty, 1);
  std::size_t size = 0;
  for (int i = 0; size + 400 < kMostOfText; ++i) {
    auto path = std::to_string(i);
    path.insert(0, 20 - path.size(), '0');
    maker.manifest.packs.push_back(
        {.chunks = {chunk}, .files = {{.size = 1, .digest = sha256("x"), .path = path}}});
    size += 6 + 64 + 1 + 2 + 1 + 1 + 1 + 5 + 2 + 5 + 65 + 20 + 1;
  }
  maker.manifest.packs.resize(std::min<std::size_t>(maker.manifest.packs.size(), kMostFiles - 2));
  maker.add_large("large", noise(2 * kMostOfChunk, 1));
  maker.add_large("larger", noise(2 * kMostOfChunk, 2));
  while (write_manifest(maker.manifest).size() > kMostOfText)
    maker.manifest.packs.erase(maker.manifest.packs.begin());
  maker.seal();
  maker.put_directory(scratch_ / "many");
  put(scratch_ / "roots/root.1", maker.root_text);
  const auto ran = verify("many");
  EXPECT_EQ(ran.exit, 0) << ran.error;
  EXPECT_LE(ran.peak, kMostResident);
  RecordProperty("peak_kib", static_cast<int>(ran.peak));
}

TEST_F(TheProgram, TakesNoMoreThan64MiBForTheLargestImagesAndQuestions) {
  Maker maker;
  maker.add_large("large", noise(2 * kMostOfChunk, 1));
  maker.add_large("larger", noise(2 * kMostOfChunk, 2));
  for (std::size_t i = 0; i < kMostQuestions; ++i) {
    Question question{.name = "q" + std::to_string(100 + i), .text = "Which?"};
    for (std::size_t j = 0; j < kMostChoices; ++j) {
      question.choices.push_back("choice-of-a-word" + std::to_string(1000 + j));
    }
    maker.manifest.questions.push_back(std::move(question));
  }
  for (std::size_t i = 0; i < kMostImages; ++i) {
    maker.add_image("registry.example/app:" + std::to_string(1000 + i), "layer");
    auto& image = maker.manifest.images.back();
    image.entrypoint.assign(64, "a-word-that-is-not-short");
    // In all as many as there may be, and long enough to fill 16 MiB.
    image.environment.assign(kMostProcessTexts / kMostImages - 64, "A=" + std::string(900, 'a'));
  }
  const auto text = write_manifest(maker.manifest).size();
  ASSERT_LT(text, kMostOfText);
  ASSERT_GT(text, kMostOfText * 7 / 8);
  maker.seal();
  maker.put_directory(scratch_ / "images");
  put(scratch_ / "roots/root.1", maker.root_text);
  const auto ran = verify("images");
  EXPECT_EQ(ran.exit, 0) << ran.error;
  EXPECT_LE(ran.peak, kMostResident);
  RecordProperty("peak_kib", static_cast<int>(ran.peak));
}

#endif

}  // namespace
}  // namespace caisson::installer

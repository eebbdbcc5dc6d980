#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch.h"
#include "cli/run_program.h"

namespace caisson::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kCommands[] = {
    "init",          "validate",      "explain",        "plan",
    "generate",      "diff",          "image",          "up",
    "down",          "conform",       "prove",          "sweep",
    "blueprints",    "schema",        "completion",     "lsp",
    "bundle",        "bundle create", "bundle scan",    "bundle diff",
    "bundle unpack", "bundle verify", "bundle inspect", "bundle sign",
    "bundle split",  "bundle join",   "bundle waive",   "keys",
    "keys generate", "keys import",   "keys root",      "keys revoke"};

/// The help of "bundle create" and of every other command.
Ran help_of(const std::string& command) {
  std::istringstream words(command);
  std::vector<std::string> arguments;
  for (std::string word; words >> word;) arguments.push_back(word);
  arguments.emplace_back("--help");
  return caisson(arguments);
}

constexpr auto kIntroduction = R"(# The command line

Written from the program's own help; a test keeps it so.

Exit codes never change their meaning: 0 it is as it should be, 1 there is something to look at, 2 the command line makes no
sense, 3 a file, a repository or a process was in the way. Each command says below what that is for it. The verdicts of `conform`
and `prove` are 0 passed, 1 leak, 2 inconclusive; there a senseless command line and a wrong spec are 3 as well.

Results go to standard output, remarks and failures to standard error. Colour is used on terminals only, and never when `NO_COLOR`
is set; `--color` overrides both. `--quiet` leaves out the remarks.
)";

std::string section(const std::string& title, const Ran& help) {
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.error, "");
  return "\n## " + title + "\n\n```text\n" + help.out + "```\n";
}

TEST(CommandLine, HelpIsWhatTheGuideShows) {
  auto text = kIntroduction + section("caisson", caisson({"--help"}));
  for (const auto* command : kCommands) {
    text += section(std::string("caisson ") + command, help_of(command));
  }
  const auto path = std::string(CAISSON_SOURCE_DIR) + "/docs/cli.md";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
    GTEST_SKIP() << "rewrote " << path;
  }
  std::ostringstream guide;
  guide << std::ifstream(path).rdbuf();
  EXPECT_TRUE(guide.str() == text) << "UPDATE_GOLDEN=1 rewrites docs/cli.md";
}

TEST(CommandLine, HelpFitsATerminal) {
  for (const auto* command : kCommands) {
    std::istringstream lines(help_of(command).out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 110U) << line;
  }
}

/// The examples of the program are not those of its groups of commands.
TEST(CommandLine, AGroupsHelpIsItsOwn) {
  EXPECT_THAT(caisson({"--help"}).out, HasSubstr("a first stack, from nothing"));
  for (const auto* group : {"bundle", "keys"}) {
    EXPECT_THAT(caisson({group, "--help"}).out, Not(HasSubstr("a first stack")));
  }
}

TEST(CommandLine, WithoutArgumentsTeaches) {
  const auto ran = caisson({});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.error, caisson({"--help"}).out);
}

TEST(CommandLine, PrintsItsVersion) {
  const auto ran = caisson({"--version"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "caisson " CAISSON_VERSION "\n");
}

TEST(CommandLine, MisuseIsNamedWithWhatWasMeant) {
  struct Case {
    std::vector<std::string> arguments;
    std::string error;
  };
  const Case cases[] = {
      {{"genrate", "x.yaml"},
       "caisson: unknown command 'genrate'; did you mean 'generate'?\nsee `caisson --help`\n"},
      {{"frobnicate"}, "caisson: unknown command 'frobnicate'\nsee `caisson --help`\n"},
      {{"--verison"},
       "caisson: unknown option '--verison'; did you mean '--version'?\nsee `caisson --help`\n"},
      {{"validate", "--fromat", "json", "x.yaml"},
       "caisson validate: unknown option '--fromat'; did you mean '--format'?\n"
       "see `caisson validate --help`\n"},
      {{"validate", "a.yaml", "b.yaml"},
       "caisson validate: unexpected argument 'b.yaml'\nsee `caisson validate --help`\n"},
      {{"validate"}, "caisson validate: SPEC is required\nsee `caisson validate --help`\n"},
      {{"validate", "x.yaml", "--format", "xml"},
       "caisson validate: --format: 'xml' is not one of text, json, sarif\n"
       "see `caisson validate --help`\n"},
      {{"generate", "x.yaml", "--target", "docker,helm3"},
       "caisson generate: --target: 'helm3' is not one of docker, compose, helm, systemd, local, "
       "sdk\n"
       "see `caisson generate --help`\n"},
      {{"completion", "tcsh"},
       "caisson completion: SHELL: 'tcsh' is not one of bash, zsh, fish\n"
       "see `caisson completion --help`\n"},
      {{"diff", "-"}, "caisson diff: SPEC must be a file in a git repository\n"},
  };
  for (const auto& wrong : cases) {
    const auto ran = caisson(wrong.arguments);
    EXPECT_EQ(ran.code, 2) << wrong.error;
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(ran.error, wrong.error);
  }
}

TEST(CommandLine, OnRunningStacksEverythingInTheWayIsThree) {
  const std::string spec = "/nonexistent/deployment.yaml";
  for (const auto* command : {"up", "down", "conform", "prove"}) {
    EXPECT_EQ(caisson({command}).code, 3) << command;
    EXPECT_EQ(caisson({command, spec, "--bogus"}).code, 3) << command;
    EXPECT_EQ(caisson({command, spec}).code, 3) << command;
    const auto wrong = caisson({command, "-"}, {.input = "caisson: v1\n"});
    EXPECT_EQ(wrong.code, 3) << command;
    EXPECT_THAT(wrong.error, StartsWith("<stdin>:"));
  }
  EXPECT_EQ(caisson({"conform", spec, "--level", "4"}).code, 3);
}

TEST(CommandLine, SaysTheCommandsThatLeadFromTheStackOfAnotherSpecToThisOnes) {
  const Scratch scratch;
  scratch.write("d.yaml", R"(caisson: v1
name: acme
domain: "${answer:domain}"
answers: { domain: { type: domain, text: "Its domain?", default: acme.localhost } }
tiers: { free: { isolation: schema } }
tenants: [{ slug: globex, tier: free }]
environments: { demo: { version: 1.1.0 } }
)");
  scratch.write("answers.env", "domain=shop.localhost\n");
  scratch.write("my blueprints/local/README.md", "# Ours\n");
  // Somebody has started another one there.
  scratch.write("state/state.json", "{}");
  scratch.write(
      "state/origin.json",
      R"({"target":"local","spec":"/gone/d.yaml","name":"acme","version":"1.0.0","environment":"",)"
      R"("digest":"other","down":"caisson down /gone/d.yaml"})");
  const std::string where = " --target local --state state`";
  const auto ran = caisson({"conform", "d.yaml", "--env", "demo", "--answers", "answers.env",
                            "--blueprints", "my blueprints", "--state", "state"},
                           {.directory = scratch.path()});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.error, HasSubstr("caisson: the stack in " + (scratch.path() / "state").string() +
                                   " was started from another spec (acme 1.0.0, /gone/d.yaml); "
                                   "remove it and its data with `caisson down d.yaml --env demo" +
                                   where +
                                   ", and start this spec's with `caisson up d.yaml --env demo "
                                   "--answers answers.env --blueprints 'my blueprints'" +
                                   where));
}

TEST(CommandLine, StopsWhatASpecStartedThatHasGoneWrongSince) {
  const Scratch scratch;
  const Surroundings here{.directory = scratch.path(),
                          .environment = {{"HOME", scratch.path().string()},
                                          {"XDG_STATE_HOME", (scratch.path() / "s").string()}}};
  const auto stack = [&](const std::string& directory) {
    scratch.write(directory + "/state.json", "{}");
    scratch.write(directory + "/origin.json",
                  R"({"target":"local","spec":")" + (scratch.path() / "d.yaml").string() +
                      R"(","name":"acme","version":"1.0.0","environment":"demo","digest":"other",)"
                      R"("down":"caisson down d.yaml --env demo"})");
  };
  scratch.write("d.yaml", "caisson: v1\nname: [\n");
  stack("there");
  const auto of_another = caisson({"down", "d.yaml", "--state", "there"}, here);
  EXPECT_EQ(of_another.code, 3);
  EXPECT_THAT(of_another.error, HasSubstr("stop it with `caisson down d.yaml --env demo --state " +
                                          (scratch.path() / "there").string() + "`"));
  for (const bool is_there : {true, false}) {
    stack("there");
    if (!is_there) std::filesystem::remove(scratch.path() / "d.yaml");
    const auto ran = caisson({"down", "d.yaml", "--env", "demo", "--state", "there"}, here);
    EXPECT_EQ(ran.code, 0) << ran.error;
    EXPECT_EQ(ran.out, "what d.yaml started is down\n");
    EXPECT_FALSE(std::filesystem::exists(scratch.path() / "there"));
  }
}

/// The commands in a message that begin so, as they are copied from it.
std::vector<std::string> commands_in(const std::string& text, const std::string& begin) {
  std::vector<std::string> commands;
  for (auto at = text.find("`" + begin); at != std::string::npos;) {
    const auto end = text.find('`', at + 1);
    commands.push_back(text.substr(at + 1, end - at - 1));
    at = text.find("`" + begin, end);
  }
  return commands;
}

/// Stacks that a spec `d.yaml` has started, as they note it of themselves.
class NotedStacks : public ::testing::Test {
 protected:
  void note(const std::string& name, const std::string& target = "local") {
    scratch_.write("s/caisson/" + name + "-1/state.json", "{}");
    scratch_.write("s/caisson/" + name + "-1/origin.json",
                   R"({"target":")" + target + R"(","spec":")" + spec_ + R"(","name":")" + name +
                       R"(","version":"1.0.0","environment":"","digest":"other","down":"caisson )" +
                       "down " + spec_ + " --target " + target + "\"}");
  }
  [[nodiscard]] bool stands(const std::string& name) const {
    return std::filesystem::exists(scratch_.path() / "s/caisson" / (name + "-1"));
  }
  Ran down(const std::vector<std::string>& options = {}) {
    std::vector<std::string> words{"down", "d.yaml"};
    words.insert(words.end(), options.begin(), options.end());
    return caisson(words, here_);
  }
  Ran type(const std::string& command) {
    return run_program({"sh", "-c", "PATH='" CAISSON_BINARY_DIR "/bin':$PATH; " + command}, here_);
  }

  const Scratch scratch_;
  const std::string spec_ = (scratch_.path() / "d.yaml").string();
  const Surroundings here_{.directory = scratch_.path(),
                           .environment = {{"HOME", scratch_.path().string()},
                                           {"XDG_STATE_HOME", (scratch_.path() / "s").string()}}};
};

TEST_F(NotedStacks, OfSeveralThatAWrongSpecStartedNoneIsStopped) {
  scratch_.write("d.yaml", "caisson: v1\nname: [\n");
  note("acme");
  note("acmf");
  const auto ran = down();
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(
      ran.error,
      HasSubstr("caisson: several stacks were started from d.yaml, and none is stopped; `"));
  for (const std::string name : {"acme", "acmf"}) {
    EXPECT_TRUE(stands(name));
    EXPECT_THAT(ran.error, HasSubstr("/" + name + "-1` stops " + name + " 1.0.0"));
  }
  const auto commands = commands_in(ran.error, "caisson down ");
  ASSERT_EQ(commands.size(), 2U) << ran.error;
  for (const auto& command : commands) {
    const auto typed = type(command);
    EXPECT_EQ(typed.code, 0) << command << typed.error;
  }
  EXPECT_FALSE(stands("acme") || stands("acmf"));
}

TEST_F(NotedStacks, OfAnotherTargetOrEnvironmentAreNamedWithTheirCommand) {
  scratch_.write("d.yaml", "caisson: v1\nname: [\n");
  note("acme", "compose");
  const auto ran = down();
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.error, HasSubstr("caisson: no stack of target local is known that was started "
                                   "from d.yaml; `caisson down " +
                                   spec_ + " --target compose --state " + scratch_.path().string() +
                                   "/s/caisson/acme-1` stops acme 1.0.0\n"));
  note("acme");
  const auto of_another = down({"--env", "demo"});
  EXPECT_EQ(of_another.code, 3);
  const auto commands = commands_in(of_another.error, "caisson down ");
  ASSERT_EQ(commands.size(), 1U) << of_another.error;
  EXPECT_EQ(type(commands.front()).code, 0);
  EXPECT_FALSE(stands("acme"));
}

TEST_F(NotedStacks, AreLeftAloneWhenAnOptionIsWrong) {
  note("acme");
  scratch_.write("wrong.env", "shade=red\n");
  scratch_.write("line.env", "red\n");
  for (const std::string spec :
       {"caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\n", "caisson: v1\nname: acme\n"}) {
    scratch_.write("d.yaml", spec);
    for (const auto& [option, value, said] :
         {std::tuple{"--answers", "gone.env",
                     "gone.env cannot be read: no such file or directory\n"},
          {"--answers", "line.env", "a line of it is NAME=ANSWER"},
          {"--answers", "wrong.env", "the spec does not ask for the answer 'shade'"},
          {"--blueprints", "gone", "cannot read the blueprints in 'gone'"},
          {"--blueprints", "git+file:///gone@0", "gone"},
          {"--state", "gone", "no stack in "},
          {"--env", "demp", "there is no environment 'demp'"},
          {"--target", "podman", "'podman' is not one of"}}) {
      const auto ran = down({option, value});
      EXPECT_EQ(ran.code, 3) << option << value;
      EXPECT_EQ(ran.out, "") << option << value;
      EXPECT_THAT(ran.error, HasSubstr(said)) << option;
      EXPECT_TRUE(stands("acme")) << option << value;
    }
  }
}

TEST_F(NotedStacks, AreNamedByASweepWithTheCommandThatRemovesThem) {
  note("acme", "compose");
  scratch_.write("s/caisson/acme-1/compose/compose.yaml", "name: acme\n");
  scratch_.write("s/caisson/acme-1/journal/r1.journal",
                 R"({"do":"open","run":"r1","pid":1,"start":"","expires":0})"
                 "\n");
  const auto ran = caisson({"sweep"}, here_);
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.error,
              HasSubstr("`caisson down " + spec_ + " --target compose --state " +
                        (scratch_.path() / "s/caisson/acme-1").string() + "` removes the whole"));
}

/// What is stopped needs nothing of what it was made of but its name.
TEST_F(NotedStacks, AreStoppedWithoutTheAnswersThatTheyWereStartedWith) {
  scratch_.write("d.yaml", R"(caisson: v1
name: acme
version: 1.0.0
answers:
  http: { type: port, text: "Its port?" }
  https: { type: port, text: "Its other port?" }
edge: { http: "${answer:http}", https: "${answer:https}" }
tenants: []
)");
  note("acme");
  const auto ran = down({"--state", (scratch_.path() / "s/caisson/acme-1").string()});
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_THAT(ran.error, ::testing::Not(HasSubstr("E0")));
  EXPECT_EQ(ran.out, "acme is down\n");
  EXPECT_FALSE(stands("acme"));
}

TEST(CommandLine, SaysWhenItsResultCouldNotBeWritten) {
  const auto ran =
      run_program({"sh", "-c", "exec '" CAISSON_BINARY_DIR "/bin/caisson' schema > /dev/full"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.error, StartsWith("caisson: cannot write to standard output: "));
}

TEST(CommandLine, ColoursOnlyWhenAsked) {
  const Scratch scratch;
  scratch.write("bad.yaml", "caisson: v1\nname: x\nversion: 1.0.0\ntenants: []\nbogus: 1\n");
  const Surroundings here{.directory = scratch.path()};
  EXPECT_THAT(caisson({"validate", "bad.yaml"}, here).out, ::testing::Not(HasSubstr("\x1b[")));
  EXPECT_THAT(caisson({"validate", "bad.yaml", "--color", "always"}, here).out, HasSubstr("\x1b["));
  // On a terminal, unless NO_COLOR.
  const auto on_terminal = [&](std::map<std::string, std::string> environment) {
    environment["TERM"] = "xterm";
    return run_program(
               {"script", "-qec", CAISSON_BINARY_DIR "/bin/caisson validate bad.yaml", "/dev/null"},
               {.directory = scratch.path(), .environment = environment})
        .out;
  };
  EXPECT_THAT(on_terminal({}), HasSubstr("\x1b["));
  EXPECT_THAT(on_terminal({{"NO_COLOR", "1"}}), ::testing::Not(HasSubstr("\x1b[")));
}

TEST(Init, WritesASpecThatIsValidAndNamedAfterItsDirectory) {
  const Scratch scratch;
  const Surroundings here{.directory = scratch.path()};
  const auto ran = caisson({"init", "My Shop"}, here);
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.error,
            "wrote My Shop/deployment.yaml\nnext: caisson validate 'My Shop/deployment.yaml'\n");
  EXPECT_THAT(scratch.read("My Shop/deployment.yaml"), HasSubstr("\nname: my-shop\n"));
  EXPECT_EQ(caisson({"validate", "--strict", "My Shop/deployment.yaml"}, here).code, 0);
  // Names that no host takes.
  for (const std::string name : {"360shop", "default", "docker"}) {
    EXPECT_EQ(caisson({"init", name}, here).code, 0);
    EXPECT_THAT(scratch.read(name + "/deployment.yaml"), HasSubstr("\nname: my-" + name + "\n"));
    EXPECT_EQ(caisson({"validate", "--strict", name + "/deployment.yaml"}, here).code, 0);
  }
}

TEST(Init, NeverTouchesAnExistingSpec) {
  const Scratch scratch;
  scratch.write("deployment.yaml", "mine");
  const auto ran = caisson({"init"}, {.directory = scratch.path()});
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.error,
            "caisson: 'deployment.yaml' exists already; edit it, or name another directory\n");
  EXPECT_EQ(scratch.read("deployment.yaml"), "mine");

  std::filesystem::create_symlink("nowhere", scratch / "link.yaml");
  std::filesystem::create_directory(scratch / "linked");
  std::filesystem::create_symlink("../escape", scratch / "linked/deployment.yaml");
  EXPECT_EQ(caisson({"init", "linked"}, {.directory = scratch.path()}).code, 3);
  EXPECT_FALSE(std::filesystem::exists(scratch / "escape"));
}

TEST(Schema, IsJsonAndTheReferenceIsMarkdown) {
  const auto schema = caisson({"schema"});
  EXPECT_EQ(schema.code, 0);
  EXPECT_THAT(schema.out, StartsWith("{"));
  EXPECT_THAT(schema.out, HasSubstr("https://json-schema.org/draft/2020-12/schema"));
  const auto reference = caisson({"schema", "--format", "markdown"});
  EXPECT_THAT(reference.out, StartsWith("# "));
}

}  // namespace
}  // namespace caisson::cli

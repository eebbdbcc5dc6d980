#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch.h"
#include "cli/run_program.h"

namespace caisson::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Not;

std::vector<std::string> lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> all;
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

/// What a real bash offers for the last of `words`.
std::vector<std::string> offered(const std::vector<std::string>& words,
                                 const Surroundings& here = {}) {
  std::string command =
      "source <('" CAISSON_BINARY_DIR "/bin/caisson' completion bash) && COMP_WORDS=(caisson";
  for (const auto& word : words) command += " '" + word + "'";
  command += "); COMP_CWORD=" + std::to_string(words.size()) +
             "; _caisson && printf '%s\\n' \"${COMPREPLY[@]}\"";
  const auto ran = run_program({"bash", "--norc", "-c", command}, here);
  EXPECT_EQ(ran.error, "");
  return lines(ran.out);
}

TEST(Completion, BashOffersCommands) {
  EXPECT_THAT(offered({""}),
              IsSupersetOf({"init", "validate", "generate", "diff", "--help", "--version"}));
  EXPECT_THAT(offered({"gen"}), ElementsAre("generate"));
}

TEST(Completion, BashOffersOptionsAndTheirValues) {
  EXPECT_THAT(offered({"validate", "--f"}), ElementsAre("--format"));
  EXPECT_THAT(offered({"validate", "--format", ""}), ElementsAre("text", "json", "sarif"));
  EXPECT_THAT(offered({"validate", "x.yaml", "--format", "s"}), ElementsAre("sarif"));
  EXPECT_THAT(offered({"plan", "--format", "d"}), ElementsAre("dot"));
  EXPECT_THAT(offered({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
}

TEST(Completion, BashOffersFilesDirectoriesAndFields) {
  const Scratch scratch;
  scratch.write("deployment.yaml", "");
  scratch.write("a dir/file", "");
  const Surroundings here{.directory = scratch.path()};
  EXPECT_THAT(offered({"validate", ""}, here), IsSupersetOf({"deployment.yaml", "a dir"}));
  const auto directories = offered({"generate", "--out", ""}, here);
  EXPECT_THAT(directories, Contains("a dir"));
  EXPECT_THAT(directories, Not(Contains("deployment.yaml")));
  EXPECT_THAT(offered({"explain", "runtime.rep"}), ElementsAre("runtime.replicas"));
  EXPECT_THAT(offered({"explain", "E000"}), Contains("E0001"));
}

TEST(Completion, ScriptsParseInTheirShells) {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    const Scratch scratch;
    const auto script = caisson({"completion", shell});
    ASSERT_EQ(script.code, 0);
    scratch.write("script", script.out);
    const auto ran = run_program({shell, "-n", "script"}, {.directory = scratch.path()});
    EXPECT_EQ(ran.code, 0) << shell << ": " << ran.error;
    EXPECT_EQ(ran.error, "") << shell;
  }
}

TEST(Completion, FishOffersCommandsAndValues) {
  const Scratch empty;  // fish offers the files of where it runs as well
  const auto offers = [&empty](const std::string& line) {
    return run_program(
               {"fish", "--no-config", "-c",
                "'" CAISSON_BINARY_DIR "/bin/caisson' completion fish | source; complete -C '" +
                    line + "'"},
               {.directory = empty.path()})
        .out;
  };
  EXPECT_THAT(lines(offers("caisson valid")), ElementsAre(::testing::StartsWith("validate\t")));
  EXPECT_THAT(lines(offers("caisson plan --format d")), ElementsAre(::testing::StartsWith("dot")));
}

TEST(Completion, ZshLoadsAndDefinesTheCompletion) {
  const auto ran = run_program({"zsh", "-f", "-c",
                                "autoload -Uz compinit && compinit -D -u && source "
                                "<('" CAISSON_BINARY_DIR "/bin/caisson' completion zsh) && "
                                "print $_comps[caisson]"});
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(ran.out, "_caisson\n");
}

}  // namespace
}  // namespace caisson::cli

// docs/ci.md shows configurations of three systems: they are YAML, and their commands run.

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch.h"
#include "cli/run_program.h"
#include "generator/render/read_tree.h"

namespace caisson::cli {
namespace {

using ::testing::HasSubstr;

/// The blocks of YAML of the document, in order.
std::vector<std::string> blocks() {
  std::ifstream document(std::filesystem::path(CAISSON_SOURCE_DIR) / "docs/ci.md");
  std::vector<std::string> all;
  bool inside = false;
  for (std::string line; std::getline(document, line);) {
    if (line == "```yaml") all.emplace_back();
    if (inside && line != "```") all.back() += line + '\n';
    inside = line == "```yaml" || (inside && line != "```");
  }
  return all;
}

/// Every text of the tree that is a command of caisson.
void commands_in(const render::Node& node, std::vector<std::string>& commands) {
  if (node.text() != nullptr && node.text()->starts_with("caisson "))
    commands.push_back(*node.text());
  for (const auto& key : node.keys()) commands_in(*node.child(key), commands);
}

TEST(ContinuousIntegration, CommandsOfEverySystemRunAndTheWaiversHold) {
  const auto all = blocks();
  ASSERT_EQ(all.size(), 5U)
      << "a spec, three systems, and a release, whose commands another test runs";
  const Scratch here;
  here.write("deployment.yaml", all[0]);
  const Surroundings strict{.directory = here.path(), .environment = {{"CI", "true"}}};
  ASSERT_EQ(caisson({"generate", "deployment.yaml", "--out", "deploy"}, strict).code, 0);
  for (std::size_t i = 1; i < 5; ++i) {
    const auto tree =
        render::read_tree("docs/ci.md", all[i], [](std::size_t) { return render::own_version; });
    ASSERT_TRUE(tree) << tree.error().text();
    std::vector<std::string> commands;
    commands_in(*tree, commands);
    if (i == 4) {
      EXPECT_EQ(commands.size(), 2U) << all[i];
      continue;
    }
    EXPECT_EQ(commands.size(), 3U) << all[i];
    for (const auto& command : commands) {
      std::istringstream words(command.substr(8, command.find('>') - 8));
      std::vector<std::string> arguments;
      for (std::string word; words >> word;) arguments.push_back(word);
      // Stacks are started by the tests of conformance; here the options have to be right.
      if (arguments.front() == "conform") arguments.emplace_back("--list");
      const auto ran = caisson(arguments, strict);
      EXPECT_EQ(ran.code, 0) << command << '\n' << ran.out << ran.error;
    }
  }
  // Without its waivers the same spec is refused, and says why here and not at home.
  here.write("bare.yaml", all[0].substr(0, all[0].find("waivers:")));
  const auto refused = caisson({"validate", "bare.yaml"}, strict);
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.out,
              HasSubstr("waivers: [{ rule: loss/runtime.resources.memory, where: local, "));
  EXPECT_THAT(refused.error, HasSubstr("CI=true means --strict"));
  EXPECT_EQ(caisson({"validate", "bare.yaml"}, {.directory = here.path()}).code, 0);
}

}  // namespace
}  // namespace caisson::cli

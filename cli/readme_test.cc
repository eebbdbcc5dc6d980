// The README's tour shows what Caisson says.

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/scratch.h"
#include "cli/run_program.h"

namespace caisson::cli {
namespace {

constexpr std::string_view indent = "    ";

/// The lines that the README has below `    $ caisson ARGUMENTS`, up to a blank line, the next
/// command or an ellipsis.
std::string shown_below(const std::string& arguments) {
  std::ifstream readme(std::filesystem::path(CAISSON_SOURCE_DIR) / "README.md");
  std::string shown;
  bool inside = false;
  for (std::string line; std::getline(readme, line);) {
    if (inside && (!line.starts_with(indent) || line.starts_with("    $ ") || line == "    ...")) {
      return shown;
    }
    if (inside) shown += line.substr(indent.size()) + '\n';
    inside = inside || line == "    $ caisson " + arguments;
  }
  return shown;
}

class Readme : public ::testing::TestWithParam<const char*> {};

TEST_P(Readme, ShowsWhatCaissonSays) {
  const Scratch here;
  std::filesystem::create_directory_symlink(std::filesystem::path(CAISSON_SOURCE_DIR) / "examples",
                                            here / "examples");
  std::istringstream arguments(GetParam());
  std::vector<std::string> words;
  for (std::string word; arguments >> word;) words.push_back(word);
  const auto shown = shown_below(GetParam());
  ASSERT_NE(shown, "");
  const auto ran = caisson(words, {.directory = here.path()});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ((ran.out + ran.error).substr(0, shown.size()), shown);
}

INSTANTIATE_TEST_SUITE_P(
    Tour, Readme,
    ::testing::Values("plan examples/quickstart/deployment.yaml",
                      "generate examples/quickstart/deployment.yaml --out deploy",
                      "explain examples/quickstart/deployment.yaml "
                      "compose/compose.yaml:/services/runtime/mem_limit",
                      "explain examples/quickstart/deployment.yaml docker/runtime.Dockerfile:12"));

}  // namespace
}  // namespace caisson::cli

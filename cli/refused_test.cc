// Specs that are right by themselves and wrong for what is generated from them: `caisson generate`
// says exactly what `.expected` says, and writes nothing. A first line `# options: ...` is added to
// the command line.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/scratch.h"
#include "cli/run_program.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

const fs::path kSpecs = fs::path(CAISSON_SOURCE_DIR) / "specs/refused";

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> cases() {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(kSpecs)) {
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// The lines that name a mistake, without what stands around them.
std::set<std::string> mistakes_in(const std::string& text) {
  std::set<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(": error[") != std::string::npos || line.find(": warning[") != std::string::npos)
      found.insert(line);
  }
  return found;
}

class RefusedSpec : public ::testing::TestWithParam<fs::path> {};

TEST_P(RefusedSpec, IsRefusedInTheseWords) {
  const Scratch scratch;
  const auto out = (scratch / "out").string();
  std::vector<std::string> words{"generate", GetParam().filename().string(), "--out", out};
  const auto text = contents(GetParam());
  if (text.starts_with("# options:")) {
    std::istringstream options(text.substr(10, text.find('\n') - 10));
    for (std::string word; options >> word;) words.push_back(word);
  }
  const auto ran = caisson(words, {.directory = kSpecs});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_FALSE(fs::exists(out));
  auto golden = GetParam();
  golden.replace_extension(".expected");
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(golden, std::ios::binary) << ran.error;
    GTEST_SKIP() << "golden written";
  }
  EXPECT_EQ(ran.error, contents(golden));

  // `validate` says the same: nothing was generated here before.
  words[0] = "validate";
  words.erase(words.begin() + 2, words.begin() + 4);
  const auto checked = caisson(words, {.directory = kSpecs});
  EXPECT_EQ(checked.code, 1);
  EXPECT_EQ(mistakes_in(checked.out), mistakes_in(contents(golden)));
}

INSTANTIATE_TEST_SUITE_P(Specs, RefusedSpec, ::testing::ValuesIn(cases()), [](const auto& spec) {
  auto name = spec.param.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace caisson::cli

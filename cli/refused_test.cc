// Specs that are right by themselves and wrong for what is generated from them: `caisson generate`
// says exactly what `.expected` says, and writes nothing. A first line `# options: ...` is added to
// the command line.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cli/run_program.h"
#include "generator/publish/scratch.h"

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

class RefusedSpec : public ::testing::TestWithParam<fs::path> {};

TEST_P(RefusedSpec, IsRefusedInTheseWords) {
  const publish::Scratch scratch;
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
}

INSTANTIATE_TEST_SUITE_P(Specs, RefusedSpec, ::testing::ValuesIn(cases()), [](const auto& spec) {
  auto name = spec.param.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace caisson::cli

// Specs that are right by themselves and wrong for what is generated from them: `caisson generate`
// says exactly what `.expected` says, and writes nothing. A first line `# options: ...` is added to
// the command line.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/scratch.h"
#include "cli/corpus_testing.h"
#include "cli/run_program.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;

const fs::path kSpecs = fs::path(CAISSON_SOURCE_DIR) / "specs/refused";

class RefusedSpec : public ::testing::TestWithParam<fs::path> {};

TEST_P(RefusedSpec, IsRefusedInTheseWords) {
  const Scratch scratch;
  const auto out = (scratch / "out").string();
  std::vector<std::string> words{"generate", GetParam().filename().string(), "--out", out};
  const auto options = options_of(contents(GetParam()));
  words.insert(words.end(), options.begin(), options.end());
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

INSTANTIATE_TEST_SUITE_P(Specs, RefusedSpec, ::testing::ValuesIn(specs_in(kSpecs)),
                         [](const auto& spec) {
                           auto name = spec.param.stem().string();
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace caisson::cli

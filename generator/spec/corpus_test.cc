// The corpora of the language: every file of specs/valid loads and says exactly what its
// `.expected` says (nothing when there is none), every file of specs/invalid is refused in exactly
// those words. A first line `# options: --env NAME --strict` stands for the command line.

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include <gtest/gtest.h>

#include "generator/spec/spec.h"

namespace caisson::spec {
namespace {

namespace fs = std::filesystem;

const fs::path specs = fs::path(CAISSON_SOURCE_DIR) / "specs";

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

LoadOptions options_of(const fs::path& path, const std::string& text) {
  LoadOptions options;
  options.today = "2026-06-01";
  options.read_file = [folder = path.parent_path()](std::string_view name) -> Result<std::string> {
    const fs::path file = folder / name;
    if (!fs::is_regular_file(file)) {
      return fail("cannot read '" + std::string(name) + "': no such file",
                  "the path is relative to the spec");
    }
    return contents(file);
  };
  constexpr std::string_view marker = "# options:";
  std::istringstream line(text.substr(0, text.find('\n')));
  if (!text.starts_with(marker)) return options;
  for (std::string word; line >> word;) {
    if (word == "--strict") options.strict = true;
    if (word == "--env") line >> options.environment;
  }
  return options;
}

struct Outcome {
  bool loaded = false;
  source::SourceSet sources;
  source::Diagnostics diagnostics;

  explicit Outcome(const fs::path& path) {
    std::string text = contents(path);
    const LoadOptions options = options_of(path, text);
    loaded =
        load(path.filename().string(), std::move(text), options, sources, diagnostics).has_value();
  }
  [[nodiscard]] std::string render(source::Format format) const {
    return source::render(diagnostics, sources, format);
  }
};

/// Compares with the golden beside the case, or writes it. A golden that is only being written
/// shows nothing, so it does not count as a pass.
void compare(const fs::path& golden, const std::string& actual) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    if (actual.empty()) {
      fs::remove(golden);
    } else {
      std::ofstream(golden, std::ios::binary) << actual;
    }
    GTEST_SKIP() << "golden written";
  }
  EXPECT_EQ(contents(golden), actual);
}

std::vector<fs::path> cases(const std::string& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(specs / folder))
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

std::string name_of(const testing::TestParamInfo<fs::path>& info) {
  std::string name = info.param.stem().string();
  std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

fs::path beside(fs::path path, std::string_view extension) {
  return path.replace_extension(extension);
}

class ValidSpec : public testing::TestWithParam<fs::path> {};

TEST_P(ValidSpec, Loads) {
  const Outcome outcome(GetParam());
  EXPECT_TRUE(outcome.loaded);
  compare(beside(GetParam(), ".expected"), outcome.render(source::Format::text));
}
INSTANTIATE_TEST_SUITE_P(Specs, ValidSpec, testing::ValuesIn(cases("valid")), name_of);

class InvalidSpec : public testing::TestWithParam<fs::path> {};

TEST_P(InvalidSpec, IsRefusedInTheseWords) {
  const Outcome outcome(GetParam());
  EXPECT_FALSE(outcome.loaded);
  EXPECT_TRUE(outcome.diagnostics.has_errors());
  compare(beside(GetParam(), ".expected"), outcome.render(source::Format::text));
}
INSTANTIATE_TEST_SUITE_P(Specs, InvalidSpec, testing::ValuesIn(cases("invalid")), name_of);

TEST(Corpus, MachinesReadTheSameFacts) {
  for (const std::string_view name : {"all-at-once", "document-wide-characters", "tenants-csv"}) {
    const fs::path path = specs / "invalid" / (std::string(name) + ".yaml");
    const Outcome outcome(path);
    EXPECT_FALSE(outcome.loaded);
    compare(beside(path, ".expected.json"), outcome.render(source::Format::json));
    compare(beside(path, ".expected.sarif"), outcome.render(source::Format::sarif));
  }
}

TEST(Corpus, IsLargeEnoughToMean) {
  EXPECT_GE(cases("valid").size(), 20U);
  EXPECT_GE(cases("invalid").size(), 80U);
}

TEST(Corpus, ExpectationsHaveTheirCases) {
  for (const auto& entry : fs::recursive_directory_iterator(specs)) {
    const std::string name = entry.path().filename().string();
    const std::size_t at = name.find(".expected");
    if (at == std::string::npos) continue;
    EXPECT_TRUE(fs::exists(entry.path().parent_path() / (name.substr(0, at) + ".yaml"))) << name;
  }
}

TEST(Examples, LoadUnchanged) {
  for (const auto& [name, environment] : {std::pair{"quickstart", ""},
                                          {"agentik", ""},
                                          {"agentik", "development"},
                                          {"devtools", ""},
                                          {"devtools", "demo"}}) {
    const fs::path path = fs::path(CAISSON_SOURCE_DIR) / "examples" / name / "deployment.yaml";
    std::string text = contents(path);
    LoadOptions options = options_of(path, text);
    options.environment = environment;
    source::SourceSet sources;
    source::Diagnostics diagnostics;
    EXPECT_TRUE(load("deployment.yaml", std::move(text), options, sources, diagnostics))
        << name << ' ' << environment << '\n'
        << source::render(diagnostics, sources, source::Format::text);
  }
}

}  // namespace
}  // namespace caisson::spec

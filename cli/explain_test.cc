#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/run_program.h"
#include "generator/publish/scratch.h"

namespace caisson::cli {
namespace {

using ::testing::HasSubstr;

const std::string kSpec =
    (std::filesystem::path(CAISSON_SOURCE_DIR) / "examples/quickstart/deployment.yaml").string();
const std::filesystem::path kOutput =
    std::filesystem::path(CAISSON_SOURCE_DIR) / "output/quickstart";

/// The number of the first line of a generated file that has the text.
std::string line_of(const std::string& file, const std::string& text) {
  std::ifstream in(kOutput / file);
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.find(text) != std::string::npos) return std::to_string(number);
  }
  return "0";
}

TEST(Explain, FindsTheValueOfALineOfYamlAndOfJson) {
  const auto limit = line_of("compose/compose.yaml", "mem_limit");
  const auto said = caisson({"explain", kSpec, "compose/compose.yaml:" + limit});
  EXPECT_EQ(said.code, 0) << said.error;
  EXPECT_THAT(said.out, HasSubstr("/mem_limit\n"));
  EXPECT_THAT(said.out, HasSubstr("runtime.resources.memory"));
  // A key whose value begins on the next line, and a comment, stand for what follows.
  const auto key = line_of("compose/compose.yaml", "services:");
  EXPECT_THAT(caisson({"explain", kSpec, "compose/compose.yaml:" + key}).out,
              HasSubstr("compose/compose.yaml:/services"));
  const auto json = line_of("local/stack.json", "\"domain\"");
  EXPECT_THAT(caisson({"explain", kSpec, "local/stack.json:" + json}).out,
              HasSubstr("local/stack.json:/domain\n"));
  EXPECT_EQ(caisson({"explain", kSpec, "compose/compose.yaml:99999"}).code, 1);
  EXPECT_EQ(caisson({"explain", kSpec, "compose/compose.yaml:0"}).code, 1);
}

TEST(Explain, TakesPathsAsTheyAreOnTheScreen) {
  const auto limit = line_of("compose/compose.yaml", "mem_limit");
  const auto plain = caisson({"explain", kSpec, "compose/compose.yaml:" + limit});
  for (const auto* prefix : {"deploy/", "./deploy/", "/srv/acme/deploy/"}) {
    EXPECT_EQ(caisson({"explain", kSpec, prefix + ("compose/compose.yaml:" + limit)}).out,
              plain.out);
  }
  EXPECT_EQ(caisson({"explain", kSpec, "compose/compose.yaml:" + limit + ":7"}).out, plain.out);
  EXPECT_EQ(caisson({"explain", kSpec, "deploy/docker/runtime.Dockerfile:12"}).out,
            caisson({"explain", kSpec, "docker/runtime.Dockerfile:12"}).out);
  EXPECT_EQ(caisson({"explain", kSpec, "xcompose/compose.yaml:3"}).code, 1);
}

TEST(Explain, SaysHowAWaiverIsWritten) {
  for (const auto* code : {"E0306", "E0308", "W0301"}) {
    EXPECT_THAT(caisson({"explain", code}).out,
                HasSubstr("waivers: [{ rule: loss/FIELD, where: TARGET"))
        << code;
  }
  EXPECT_THAT(caisson({"explain", "waivers"}).out, HasSubstr("loss/FIELD"));
}

}  // namespace
}  // namespace caisson::cli

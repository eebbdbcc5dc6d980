#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch.h"
#include "cli/run_program.h"

namespace caisson::cli {
namespace {

using ::testing::AllOf;
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

TEST(Explain, FindsTheValueOfALineOfAUnit) {
  const std::string unit = "systemd/system/acme-runtime.service";
  const auto said = [&](const std::string& text) {
    const auto ran = caisson({"explain", kSpec, unit + ":" + line_of(unit, text)});
    EXPECT_EQ(ran.code, 0) << ran.error;
    return ran.out;
  };
  EXPECT_THAT(said("MemoryMax="), AllOf(HasSubstr(unit + ":/Service/MemoryMax\n"),
                                        HasSubstr("runtime.resources.memory")));
  EXPECT_THAT(said("ExecStart="), HasSubstr(unit + ":/Service/ExecStart\n"));
  EXPECT_THAT(said("[Service]"), HasSubstr(unit + ":/Service\n"));
  // A comment stands for what follows it.
  EXPECT_THAT(caisson({"explain", kSpec, unit + ":1"}).out, HasSubstr(unit + ":/Unit\n"));
  EXPECT_THAT(caisson({"explain", kSpec, unit + ":999"}).error, HasSubstr("has lines 1 to "));
}

/// One file of every kind that there is in a target, at its beginning, middle and end.
TEST(Explain, SaysOfEveryKindOfFileWhereALineIsFrom) {
  namespace fs = std::filesystem;
  std::set<std::string> kinds;
  for (const auto* example : {"quickstart", "nginx"}) {
    const auto root = fs::path(CAISSON_SOURCE_DIR) / "output" / example;
    const auto spec = fs::path(CAISSON_SOURCE_DIR) / "examples" / example / "deployment.yaml";
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (!entry.is_regular_file()) continue;
      const auto path = entry.path().lexically_relative(root);
      const auto name = path.filename();
      const auto kind =
          path.begin()->string() + " " + (name.has_extension() ? name.extension() : name).string();
      std::ifstream in(entry.path());
      const auto lines = std::count(std::istreambuf_iterator<char>(in), {}, '\n');
      if (lines == 0 || !kinds.insert(kind).second) continue;
      for (const auto line : std::set<std::ptrdiff_t>{1, lines / 2 + 1, lines}) {
        const auto ran =
            caisson({"explain", spec.string(), path.string() + ":" + std::to_string(line)});
        EXPECT_EQ(ran.code, 0) << path << ":" << line << " " << ran.error;
        EXPECT_THAT(ran.out, HasSubstr("  origin: ")) << path << ":" << line;
      }
    }
  }
  for (const auto* kind :
       {"systemd .service", "systemd .socket", "systemd .conf", "systemd .sh", "systemd .ndjson",
        "compose Caddyfile", "compose .conf", "docker .Dockerfile", "local .json", "helm .tpl"})
    EXPECT_TRUE(kinds.contains(kind)) << kind;
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

TEST(Explain, TakesAFileOfTheFolderThatItStandsIn) {
  const Scratch scratch;
  const auto limit = line_of("compose/compose.yaml", "mem_limit");
  const auto plain = caisson({"explain", kSpec, "compose/compose.yaml:" + limit});
  const Surroundings there{.directory = scratch.path() / "deploy/compose"};
  std::filesystem::create_directories(there.directory);
  const auto inside = caisson({"explain", kSpec, "compose.yaml:" + limit}, there);
  const auto beside = caisson({"explain", kSpec, "../docker/runtime.Dockerfile:12"}, there);
  const auto other = caisson({"explain", kSpec, "stack.json:3"}, there);
  EXPECT_EQ(inside.out, plain.out) << inside.error;
  EXPECT_EQ(beside.out, caisson({"explain", kSpec, "docker/runtime.Dockerfile:12"}).out);
  EXPECT_EQ(other.code, 1) << "it is in the folder 'local'";
}

TEST(Explain, ShowsTheWholeOfAFileAtItsRoot) {
  const auto whole = caisson({"explain", kSpec, "compose/compose.yaml:/"});
  EXPECT_EQ(whole.code, 0) << whole.error;
  EXPECT_THAT(whole.out, HasSubstr("value:  { \"name\": \"acme\""));
}

TEST(Explain, SaysOfWhatStandsAsItIsWrittenThatItIsFromThere) {
  const Scratch scratch;
  scratch.write("deployment.yaml",
                "caisson: v1\nname: acme\nversion: 1.0.0\n"
                "tenants:\n  - { slug: globex, owner: a@globex.example }\n"
                "auth:\n  tokens:\n    issuer: https://id.example\n    audience: acme\n"
                "    key: signing\n    leeway: 5s\n"
                "secrets: { signing: { from: generate } }\n"
                "services:\n  web:\n    build: { context: . }\n    local:\n      command:\n"
                "        - /usr/bin/web\n        - --quiet\n");
  const Surroundings here{.directory = scratch.path()};
  const auto origin = [&](const std::string& place) {
    const auto ran = caisson({"explain", "deployment.yaml", place}, here);
    EXPECT_EQ(ran.code, 0) << ran.error;
    return ran.out.substr(std::min(ran.out.find("  origin: "), ran.out.size()));
  };
  const std::string config = "local/config/runtime.json:";
  EXPECT_EQ(origin(config + "/auth/tokens/issuer"), "  origin: deployment.yaml:8\n");
  EXPECT_EQ(origin(config + "/tenants/0/owner"), "  origin: deployment.yaml:5\n");
  EXPECT_EQ(origin(config + "/auth/tokens/leeway-ms"),
            "  origin: derived from deployment.yaml:11\n");
  EXPECT_EQ(origin(config + "/auth/tokens/tenant-claim"),
            "  origin: derived from the default of auth.tokens.tenant-claim\n");
  // The runtime, the dashboard and the edge stand before the service.
  const auto stack = caisson({"explain", "deployment.yaml", "local/stack.json:/processes"}, here);
  EXPECT_EQ(stack.code, 0) << stack.error;
  bool found = false;
  for (const auto* number : {"0", "1", "2", "3", "4"}) {
    const auto args = caisson({"explain", "deployment.yaml",
                               "local/stack.json:/processes/" + std::string(number) + "/args/0"},
                              here);
    if (args.out.find("--quiet") == std::string::npos) continue;
    found = true;
    EXPECT_THAT(args.out, HasSubstr("  origin: deployment.yaml:19\n"));
  }
  EXPECT_TRUE(found);
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

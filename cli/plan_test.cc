#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch.h"
#include "cli/run_program.h"

namespace caisson::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kQuickstart =
    std::string(CAISSON_SOURCE_DIR) + "/examples/quickstart/deployment.yaml";

TEST(PlanCommand, ShowsTheStackWithTheLineOfEachValue) {
  const auto ran = caisson({"plan", kQuickstart});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.error, "");
  EXPECT_THAT(ran.out, HasSubstr("umbrella"));
  EXPECT_THAT(ran.out, HasSubstr("deployment.yaml:15"));
}

TEST(PlanCommand, JsonNamesTenantsAndOrigins) {
  const auto plan = boost::json::parse(caisson({"plan", kQuickstart, "--json"}).out);
  EXPECT_EQ(plan.at("plan").at("tenants").as_array().size(), 3U);
  EXPECT_FALSE(plan.at("origins").as_object().empty());
}

TEST(PlanCommand, DotIsAGraphThatGraphvizDraws) {
  const auto graph = caisson({"plan", kQuickstart, "--format", "dot"});
  EXPECT_EQ(graph.code, 0);
  const auto drawn = run_program({"dot", "-Tsvg"}, {.input = graph.out});
  EXPECT_EQ(drawn.code, 0) << drawn.error;
  EXPECT_THAT(drawn.out, HasSubstr("<svg"));
}

TEST(PlanCommand, ShowsTheMergedEnvironment) {
  const auto spec = std::string(CAISSON_SOURCE_DIR) + "/examples/devtools/deployment.yaml";
  const auto base = caisson({"plan", spec});
  const auto demo = caisson({"plan", spec, "--env", "demo"});
  EXPECT_THAT(base.out, HasSubstr("app.devtools.example"));
  EXPECT_THAT(demo.out, HasSubstr("demo.devtools.example"));
}

TEST(PlanCommand, ASpecWithErrorsHasNoPlan) {
  const auto ran = caisson({"plan", "-"}, {.input = "caisson: v1\n"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.error, StartsWith("<stdin>:"));
}

TEST(Explain, TellsWhatACodeMeans) {
  const auto ran = caisson({"explain", "E0008"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, StartsWith("E0008: duplicate key\n\n"));
  const auto unknown = caisson({"explain", "E9999"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.error, StartsWith("caisson explain: no code 'E9999'"));
}

TEST(Explain, TellsWhatAFieldMeans) {
  const auto ran = caisson({"explain", "runtime.replicas"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, StartsWith("runtime.replicas"));
  const auto misspelt = caisson({"explain", "runtime.replica"});
  EXPECT_EQ(misspelt.code, 1);
  EXPECT_THAT(misspelt.error, HasSubstr("runtime.replicas"));
}

TEST(Explain, ListsWhatCanBeExplained) {
  const auto ran = caisson({"explain"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.out, HasSubstr("\nruntime.replicas\n"));
  EXPECT_THAT(ran.out, HasSubstr("\nE0008  duplicate key\n"));
}

TEST(Explain, FollowsAGeneratedValueToItsLine) {
  const Scratch scratch;
  scratch.write("deployment.yaml",
                "caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\nruntime:\n"
                "  resources:\n    memory: 300Mi\n");
  const Surroundings here{.directory = scratch.path()};
  const auto ran = caisson(
      {"explain", "deployment.yaml", "compose/compose.yaml:/services/runtime/mem_limit"}, here);
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_THAT(ran.out, StartsWith("compose/compose.yaml:/services/runtime/mem_limit\n  value:  "));
  EXPECT_THAT(ran.out, HasSubstr("origin: deployment.yaml:7"));

  const auto whole = caisson({"explain", "deployment.yaml", "compose/Caddyfile"}, here);
  EXPECT_EQ(whole.out, "compose/Caddyfile\n  origin: default of edge\n");

  const auto nowhere =
      caisson({"explain", "deployment.yaml", "compose/compose.yaml:/services/nope"}, here);
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_THAT(nowhere.error, HasSubstr("has nothing at '/services/nope'"));
  const auto misspelt = caisson({"explain", "deployment.yaml", "compose/compos.yaml:/x"}, here);
  EXPECT_EQ(misspelt.code, 1);
  EXPECT_THAT(misspelt.error, HasSubstr("did you mean 'compose/compose.yaml'?"));
}

TEST(Explain, FollowsALineOfATextToWhatItSays) {
  const Scratch scratch;
  scratch.write("deployment.yaml", "caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\n");
  const Surroundings here{.directory = scratch.path()};
  const auto label = caisson({"explain", "deployment.yaml", "docker/runtime.Dockerfile:14"}, here);
  EXPECT_EQ(label.code, 0) << label.error;
  EXPECT_THAT(label.out, StartsWith("docker/runtime.Dockerfile:14\n  line:   LABEL "));
  EXPECT_THAT(label.out, HasSubstr("\n  origin: blueprint docker/runtime.yaml:"));
  EXPECT_THAT(label.out, HasSubstr("\n          derived from deployment.yaml:1\n"));
  const auto title = caisson({"explain", "deployment.yaml", "compose/README.md:1"}, here);
  EXPECT_EQ(title.out,
            "compose/README.md:1\n  line:   # acme 1.0.0 as a compose project\n"
            "  origin: blueprint compose/README.md:1\n          deployment.yaml:2\n"
            "          deployment.yaml:3\n");
}

TEST(Explain, FollowsTheInventoryToo) {
  const Scratch scratch;
  scratch.write("deployment.yaml", "caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\n");
  const Surroundings here{.directory = scratch.path()};
  const auto spec = caisson({"explain", "deployment.yaml", "caisson.lock.json:/spec"}, here);
  EXPECT_EQ(spec.code, 0) << spec.error;
  EXPECT_THAT(spec.out, HasSubstr("origin: derived from deployment.yaml:1\n"));
  // The first file is compose/.env.example, the second the edge's.
  const auto file =
      caisson({"explain", "deployment.yaml", "caisson.lock.json:/files/1/path"}, here);
  EXPECT_EQ(file.out,
            "caisson.lock.json:/files/1/path\n  value:  \"compose/Caddyfile\"\n"
            "  origin: derived from the default of edge\n");
}

TEST(Explain, SaysHowAPlaceIsNamed) {
  const Scratch scratch;
  scratch.write("deployment.yaml", "caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\n");
  const Surroundings here{.directory = scratch.path()};
  for (const auto& [place, message] : {
           std::pair{"docker/runtime.Dockerfile:99", "has lines 1 to "},
           std::pair{"docker/runtime.Dockerfile:0", "has lines 1 to "},
           std::pair{"docker/state/.keep:1", "has no lines"},
           std::pair{"docker/runtime.Dockerfile:/FROM", "as in 'docker/runtime.Dockerfile:1'"},
           std::pair{"compose/compose.yaml:99999", "has lines 1 to "},
           std::pair{"compose/compose.yaml:/services/runtme/user",
                     "did you mean '/services/runtime'?"},
           std::pair{"compose/compose.yaml:/name/x", "'/name' is a value with nothing in it"},
       }) {
    const auto ran = caisson({"explain", "deployment.yaml", place}, here);
    EXPECT_EQ(ran.code, 1) << place;
    EXPECT_EQ(ran.out, "") << place;
    EXPECT_THAT(ran.error, HasSubstr(message)) << place;
  }
}

}  // namespace
}  // namespace caisson::cli

#include <filesystem>
#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch.h"
#include "cli/run_program.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto kSpec = R"(caisson: v1
name: acme
version: 1.0.0
tiers: { free: { isolation: schema } }
tenants: { file: tenants.csv }
)";

/// A repository whose spec and tenant list are in `deploy/`: v1 has one tenant, v2 two.
class Diff : public ::testing::Test {
 protected:
  void SetUp() override {
    scratch.write("work/README", "");
    git({"init", "-q", "-b", "main"});
    git({"add", "-A"});
    git({"commit", "-q", "-m", "start"});
    git({"tag", "start"});
    scratch.write("work/deploy/deployment.yaml", kSpec);
    scratch.write("work/deploy/tenants.csv", "slug,tier\nglobex,free\n");
    git({"add", "-A"});
    git({"commit", "-q", "-m", "one"});
    git({"tag", "v1"});
    scratch.write("work/deploy/tenants.csv", "slug,tier\nglobex,free\ninitech,free\n");
    git({"commit", "-q", "-a", "-m", "two"});
    git({"tag", "v2"});
  }

  void git(std::vector<std::string> arguments, const std::string& directory = "work") {
    arguments.insert(arguments.begin(),
                     {"git", "-c", "user.name=t", "-c", "user.email=t@example.com"});
    const auto ran = run_program(arguments, {.directory = scratch / directory});
    ASSERT_EQ(ran.code, 0) << ran.error;
  }

  Ran diff(std::vector<std::string> arguments, const std::string& directory = "work") {
    arguments.insert(arguments.begin(), "diff");
    return caisson(arguments, {.directory = scratch / directory});
  }

  Scratch scratch;
};

TEST_F(Diff, SaysWhatWouldBeLookedForElsewhere) {
  const auto spec = [](const std::string& isolation, const std::string& size) {
    return R"(caisson: v1
name: acme
version: 1.0.0
tiers: { free: { isolation: )" +
           isolation + R"( }, other: { isolation: schema } }
runtime: { storage: )" +
           size + R"( }
tenants: [{ slug: globex, tier: free }, { slug: initech, tier: other }]
)";
  };
  scratch.write("work/deploy/deployment.yaml", spec("schema", "4Gi"));
  git({"commit", "-q", "-a", "-m", "shared"});
  scratch.write("work/deploy/deployment.yaml", spec("deployment", "2Gi"));
  const auto ran = diff({"deploy/deployment.yaml"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("compose/compose.yaml"));
  EXPECT_THAT(ran.error, AllOf(HasSubstr("error[E0310]: tenant 'globex' moves to"),
                               HasSubstr("error[E0311]: volume 'runtime-data' shrinks")));
  const auto accepted = diff({"deploy/deployment.yaml", "--accept-move", "tenant/globex"});
  EXPECT_THAT(accepted.error, testing::Not(HasSubstr("E0310")));
}

TEST_F(Diff, NothingChanged) {
  const auto ran = diff({"deploy/deployment.yaml"});
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.error, "HEAD -> working tree: the artifacts are the same\n");
}

TEST_F(Diff, ShowsWhatAFileBesideTheSpecChanges) {
  const auto before = scratch.files();
  const auto ran = diff({"deploy/deployment.yaml", "v1"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, StartsWith("changed  +"));
  EXPECT_THAT(ran.out, AllOf(HasSubstr("\n--- a/"), HasSubstr("\n@@ "), HasSubstr("initech")));
  EXPECT_THAT(ran.error, HasSubstr("v1 -> working tree: "));
  // Nothing was checked out, generated or locked.
  EXPECT_EQ(scratch.files(), before);
}

TEST_F(Diff, SeesUncommittedChanges) {
  scratch.write("work/deploy/deployment.yaml", std::string(kSpec) + "targets: { docker: false }\n");
  const auto ran = diff({"deployment.yaml"}, "work/deploy");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("removed  +0 -"));
  EXPECT_THAT(ran.out, HasSubstr("docker/runtime.Dockerfile\n+++ /dev/null\n"));
}

TEST_F(Diff, ComparesTwoRevisionsAlsoInABareRepository) {
  const auto range = diff({"deploy/deployment.yaml", "v1..v2"});
  EXPECT_EQ(range.code, 1);
  EXPECT_THAT(range.error, HasSubstr("v1 -> v2: "));
  git({"clone", "-q", "--bare", "work", "bare.git"}, ".");
  const auto bare = diff({"deploy/deployment.yaml", "v1..v2"}, "bare.git");
  EXPECT_EQ(bare.code, 1) << bare.error;
  EXPECT_EQ(bare.out, range.out);
  const auto one = diff({"deploy/deployment.yaml", "v1"}, "bare.git");
  EXPECT_EQ(one.code, 3);
  EXPECT_EQ(
      one.error,
      "caisson: a bare repository has no working tree to compare with; name two revisions: A..B\n");
}

TEST_F(Diff, WritesJson) {
  const auto ran = diff({"deploy/deployment.yaml", "v1", "--json"});
  EXPECT_EQ(ran.code, 1);
  const auto json = boost::json::parse(ran.out);
  EXPECT_EQ(json.at("before").at("revision").as_string(), "v1");
  EXPECT_EQ(json.at("before").at("commit").as_string().size(), 40U);
  EXPECT_EQ(json.at("after").at("revision").as_string(), "working tree");
  const auto& changes = json.at("changes").as_array();
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes[0].at("change").as_string(), "changed");
  EXPECT_GT(changes[0].at("added").as_int64(), 0);
  EXPECT_THAT(std::string(changes[0].at("diff").as_string()), StartsWith("--- a/"));
}

TEST_F(Diff, SaysWhyItCannotCompare) {
  const auto unknown = diff({"deploy/deployment.yaml", "nope"});
  EXPECT_EQ(unknown.code, 3);
  EXPECT_THAT(unknown.error, HasSubstr("git knows no revision 'nope'"));

  const auto absent = diff({"deploy/deployment.yaml", "start"});
  EXPECT_EQ(absent.code, 3);
  EXPECT_THAT(absent.error,
              HasSubstr("'deploy/deployment.yaml' does not exist at revision 'start'"));

  scratch.write("plain/deployment.yaml", kSpec);
  scratch.write("plain/tenants.csv", "slug,tier\n");
  const auto plain = diff({"deployment.yaml"}, "plain");
  EXPECT_EQ(plain.code, 3);
  EXPECT_THAT(plain.error, HasSubstr("is not inside a git repository"));
}

TEST_F(Diff, ASpecWithErrorsOnEitherSideNamesItsPlace) {
  scratch.write("work/deploy/deployment.yaml", std::string(kSpec) + "bogus: 1\n");
  const auto now = diff({"deploy/deployment.yaml"});
  EXPECT_EQ(now.code, 3);
  EXPECT_THAT(now.error, HasSubstr("deploy/deployment.yaml:6:1: error[E0101]"));
  git({"commit", "-q", "-a", "-m", "broken"});
  scratch.write("work/deploy/deployment.yaml", kSpec);
  const auto then = diff({"deploy/deployment.yaml"});
  EXPECT_EQ(then.code, 3);
  EXPECT_THAT(then.error, HasSubstr("HEAD:deploy/deployment.yaml:6:1: error[E0101]"));
}

TEST_F(Diff, AFileMissingAtTheRevisionIsADiagnosticThere) {
  git({"rm", "-q", "--cached", "deploy/tenants.csv"});
  git({"commit", "-q", "-m", "forgotten"});
  const auto ran = diff({"deploy/deployment.yaml"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.error,
              AllOf(HasSubstr("HEAD:deploy/deployment.yaml:5:"), HasSubstr("tenants.csv")));
}

}  // namespace
}  // namespace caisson::cli

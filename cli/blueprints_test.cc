// The house style, replaced from a directory and from a commit of a git repository.

#include <filesystem>
#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch.h"
#include "cli/run_program.h"

namespace caisson::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class BlueprintSource : public ::testing::Test {
 protected:
  void SetUp() override {
    scratch.write("deployment.yaml", "caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\n");
    auto style = caisson({"blueprints", "compose/service.yaml"}).out;
    const auto at = style.find("on-failure:5");
    ASSERT_NE(at, std::string::npos);
    style.replace(at, 12, "on-failure:7");
    scratch.write("style/caisson/compose/service.yaml", style);
    scratch.write("style/README.md", "how we like it\n");
    git({"init", "--quiet", "--initial-branch=main", "."});
    git({"add", "--all"});
    git({"commit", "--quiet", "--message=style"});
    commit = git({"rev-parse", "HEAD"});
    commit.pop_back();
  }

  std::string git(std::vector<std::string> words) {
    words.insert(words.begin(), {"git", "-c", "user.name=t", "-c", "user.email=t@example.com"});
    const auto ran = run_program(words, {.directory = scratch / "style"});
    EXPECT_EQ(ran.code, 0) << ran.error;
    return ran.out;
  }

  Ran generate(const std::string& where) {
    return caisson(
        {"generate", "deployment.yaml", "--out", "out", "--no-strict", "--blueprints", where},
        {.directory = scratch.path()});
  }

  [[nodiscard]] std::string url() const { return "git+file://" + (scratch / "style").string(); }

  Scratch scratch;
  std::string commit;
};

TEST_F(BlueprintSource, AWordThatNothingReadsIsRefused) {
  const auto shipped = caisson({"blueprints", "images.yaml"}).out;
  const auto with = [&](const std::string& from, const std::string& to) {
    auto text = shipped;
    text.replace(text.find(from), from.size(), to);
    scratch.write("mine/images.yaml", text);
    return generate("mine");
  };
  const auto word = with("  tag: 2.10.0\n", "  tag: 2.10.0\n  digests: sha256:00\n");
  EXPECT_EQ(word.code, 1);
  EXPECT_THAT(word.error, HasSubstr("nothing reads 'digests'; did you mean 'digest'?"));
  EXPECT_THAT(word.error, HasSubstr("images.yaml:6"));
  EXPECT_THAT(with("caddy:\n", "cady:\n").error, HasSubstr("nothing reads 'cady'"));
  std::filesystem::remove(scratch / "mine/images.yaml");
  scratch.write("mine/docker/runtime.yaml",
                caisson({"blueprints", "docker/runtime.yaml"}).out + "stages: []\n");
  EXPECT_THAT(generate("mine").error, HasSubstr("nothing reads 'stages'"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "out"));
}

TEST_F(BlueprintSource, IsACommitThatTheInventoryRecords) {
  const auto ran = generate(url() + "@" + commit + "#caisson");
  ASSERT_EQ(ran.code, 0) << ran.error;
  EXPECT_THAT(scratch.read("out/compose/compose.yaml"), HasSubstr("on-failure:7"));
  const auto pinned = boost::json::parse(scratch.read("out/caisson.lock.json"));
  EXPECT_EQ(pinned.at("blueprints-commit"), boost::json::value(commit));

  // What is not committed does not count.
  scratch.write("style/caisson/compose/service.yaml", "restart: always\n");
  EXPECT_EQ(generate(url() + "@" + commit + "#caisson").code, 0);
  EXPECT_THAT(scratch.read("out/compose/compose.yaml"), HasSubstr("on-failure:7"));

  EXPECT_EQ(caisson({"generate", "deployment.yaml", "--out", "shipped", "--no-strict"},
                    {.directory = scratch.path()})
                .code,
            0);
  const auto shipped = boost::json::parse(scratch.read("shipped/caisson.lock.json"));
  EXPECT_EQ(shipped.at("blueprints-commit"), "");
  EXPECT_NE(shipped.at("blueprints"), pinned.at("blueprints"));
}

TEST_F(BlueprintSource, IsRefusedUnpinnedWithThePinThatItNeeds) {
  git({"tag", "v1"});
  for (const auto& unpinned :
       {std::string(), std::string("@main"), std::string("@v1"), "@" + commit.substr(0, 12)}) {
    const auto ran = generate(url() + unpinned + "#caisson");
    EXPECT_EQ(ran.code, 3) << unpinned;
    EXPECT_THAT(ran.error, HasSubstr("may be another tomorrow; today it is " + url() + "@" +
                                     commit + "#caisson"));
    EXPECT_FALSE(std::filesystem::exists(scratch / "out"));
  }
}

TEST_F(BlueprintSource, IsRefusedWhenItCannotBeRead) {
  for (const auto& [where, message] : {
           std::pair{"git+https://example.com/style@" + commit, "clone it"},
           std::pair{std::string("git+file://style@" + commit), "absolute path"},
           std::pair{url() + "/caisson@" + commit, "cannot open the git repository"},
           std::pair{url() + "@" + std::string(40, 'a'), "no revision"},
           std::pair{url() + "@" + commit + "#nowhere", "no directory 'nowhere'"},
           std::pair{url() + "@" + commit, "no blueprint 'README.md' to replace"},
       }) {
    const auto ran = generate(where);
    EXPECT_EQ(ran.code, 3) << where;
    EXPECT_THAT(ran.error, HasSubstr(message)) << where;
  }
}

TEST_F(BlueprintSource, LeadsFromAValueToItsOwnLine) {
  auto style = caisson({"blueprints", "compose/service.yaml"}).out;
  scratch.write("mine/compose/service.yaml", "# One line more than the shipped one.\n" + style);
  const auto place = "compose/compose.yaml:/services/runtime/cap_drop/0";
  const auto here = Surroundings{.directory = scratch.path()};
  const auto shipped = caisson({"explain", "deployment.yaml", place}, here);
  const auto mine = caisson({"explain", "deployment.yaml", place, "--blueprints", "mine"}, here);
  EXPECT_EQ(mine.code, 0) << mine.error;
  EXPECT_THAT(shipped.out, HasSubstr("origin: blueprint compose/service.yaml:6\n"));
  EXPECT_THAT(mine.out, HasSubstr("origin: blueprint compose/service.yaml:7\n"));
}

TEST(BlueprintsCommand, ListsAndPrintsThem) {
  const auto all = caisson({"blueprints"});
  EXPECT_EQ(all.code, 0);
  EXPECT_THAT(all.out, HasSubstr("compose/service.yaml\n"));
  const auto misspelt = caisson({"blueprints", "compose/servce.yaml"});
  EXPECT_EQ(misspelt.code, 1);
  EXPECT_EQ(misspelt.out, "");
  EXPECT_THAT(misspelt.error, HasSubstr("did you mean 'compose/service.yaml'?"));
}

}  // namespace
}  // namespace caisson::cli

#include "generator/publish/commit.h"

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/scratch.h"

namespace caisson::publish {
namespace {

TEST(CommitAround, SaysWhichCommitAndWhetherFilesOfItChanged) {
  const Scratch scratch;
  const auto git = [&](const std::string& arguments) {
    const auto command = "cd '" + scratch.path().string() +
                         "' && HOME=/nonexistent GIT_COMMITTER_DATE='1735689600 +0300' git -c "
                         "user.name=t -c user.email=t@example.com -c commit.gpgsign=false " +
                         arguments + " >out 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  };
  const auto spec = scratch / "deploy/deployment.yaml";
  scratch.write("deploy/deployment.yaml", "version: 1\n");
  EXPECT_FALSE(*commit_around(spec)) << "no repository";
  git("init -q -b main .");
  EXPECT_FALSE(*commit_around(spec)) << "no commit yet";
  git("add deploy");
  git("commit -q -m one");
  git("rev-parse HEAD");
  const auto commit = *commit_around(spec);
  ASSERT_TRUE(commit);
  EXPECT_EQ(commit->id + "\n", scratch.read("out"));
  EXPECT_EQ(commit->seconds, 1735689600);
  EXPECT_FALSE(commit->changed) << "a file that git does not know is no change";
  scratch.write("deploy/deployment.yaml", "version: 2\n");
  EXPECT_TRUE((*commit_around(spec))->changed);
  git("add deploy");
  EXPECT_TRUE((*commit_around(spec))->changed) << "staged";
}

}  // namespace
}  // namespace caisson::publish

#include "generator/publish/revision.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <git2.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch.h"

namespace caisson::publish {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A repository with two commits: the spec and a tenant list in `deploy/`, then both changed.
class AtRevision : public ::testing::Test {
 protected:
  void SetUp() override {
    git("init -q -b main .");
    scratch.write("work/README", "no spec yet\n");
    git("add -A");
    git("commit -q -m start");
    git("tag start");
    scratch.write("work/deploy/deployment.yaml", "version: 1\n");
    scratch.write("work/deploy/tenants.csv", "slug\nacme\n");
    scratch.write("work/shared.csv", "slug\n");
    git("add -A");
    git("commit -q -m one");
    git("tag -a -m one v1");
    scratch.write("work/deploy/deployment.yaml", "version: 2\n");
    fs::remove(scratch / "work/deploy/tenants.csv");
    fs::create_symlink("deployment.yaml", scratch / "work/deploy/link");
    git("add -A");
    git("commit -q -m two");
    scratch.write("work/deploy/deployment.yaml", "uncommitted\n");
  }

  void git(const std::string& arguments, const std::string& directory = "work") {
    fs::create_directories(scratch / directory);
    const auto command = "cd '" + (scratch / directory).string() +
                         "' && HOME=/nonexistent git -c user.name=t -c user.email=t@example.com "
                         "-c commit.gpgsign=false " +
                         arguments + " 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

  [[nodiscard]] Repository repository(std::string_view spec = "work/deploy/deployment.yaml") const {
    auto found = Repository::around(scratch / spec);
    if (!found) {
      ADD_FAILURE() << found.error().text();
      std::abort();
    }
    return *std::move(found);
  }

  Scratch scratch;
};

TEST_F(AtRevision, ReadsTheSpecAsItWas) {
  const auto repo = repository();
  EXPECT_EQ(repo.spec_path(), "deploy/deployment.yaml");
  EXPECT_FALSE(repo.bare());
  for (const auto& [name, text] : {std::pair{"HEAD", "version: 2\n"},
                                   {"HEAD~1", "version: 1\n"},
                                   {"v1", "version: 1\n"},
                                   {"main", "version: 2\n"},
                                   {"v1^{tree}", "version: 1\n"}}) {
    const auto revision = Revision::open(repo, name);
    ASSERT_TRUE(revision) << revision.error().text();
    EXPECT_EQ(revision->id().size(), 40U);
    const auto spec = revision->spec();
    ASSERT_TRUE(spec) << spec.error().text();
    EXPECT_EQ(*spec, text) << name;
  }
}

TEST_F(AtRevision, ReadsFilesBesideTheSpec) {
  const auto repo = repository();
  const auto v1 = Revision::open(repo, "v1");
  ASSERT_TRUE(v1);
  EXPECT_EQ(*v1->file("tenants.csv"), "slug\nacme\n");
  EXPECT_EQ(*v1->file("./../shared.csv"), "slug\n");
  const auto head = Revision::open(repo, "HEAD");
  ASSERT_TRUE(head);
  EXPECT_EQ(*head->file("tenants.csv"), std::nullopt);
}

TEST_F(AtRevision, RefusesWhatIsNotAPlainFileInside) {
  const auto repo = repository();
  const auto head = Revision::open(repo, "HEAD");
  ASSERT_TRUE(head);
  for (const auto& [path, why] : {std::pair{"../../etc/passwd", "is outside the git repository"},
                                  {"/etc/passwd", "is outside the git repository"},
                                  {"link", "is a symbolic link"},
                                  {"../deploy", "is not a file"}}) {
    const auto file = head->file(path);
    ASSERT_FALSE(file) << path;
    EXPECT_THAT(file.error().what, HasSubstr(why));
  }
}

TEST_F(AtRevision, SaysWhatIsMissing) {
  const auto repo = repository();
  const auto unknown = Revision::open(repo, "nope");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().text(),
            "git knows no revision 'nope'; use a branch, a tag, a commit or something like HEAD~1");
  EXPECT_FALSE(Revision::open(repo, "HEAD~9"));
  EXPECT_FALSE(Revision::open(repo, ""));
  const auto blob = Revision::open(repo, "HEAD:README");
  ASSERT_FALSE(blob);
  EXPECT_EQ(blob.error().what, "'HEAD:README' is not a commit");

  const auto start = Revision::open(repo, "start");
  ASSERT_TRUE(start);
  const auto spec = start->spec();
  ASSERT_FALSE(spec);
  EXPECT_THAT(spec.error().what,
              HasSubstr("'deploy/deployment.yaml' does not exist at revision 'start'"));
}

TEST_F(AtRevision, WorksAfterTheSpecAndItsDirectoryAreGone) {
  fs::remove_all(scratch / "work/deploy");
  const auto repo = repository();
  EXPECT_EQ(repo.spec_path(), "deploy/deployment.yaml");
  EXPECT_EQ(*Revision::open(repo, "HEAD")->spec(), "version: 2\n");
}

TEST_F(AtRevision, WorksThroughASymbolicLinkToTheRepository) {
  fs::create_directory_symlink(scratch / "work/deploy", scratch / "shortcut");
  const auto repo = repository("shortcut/deployment.yaml");
  EXPECT_EQ(repo.spec_path(), "deploy/deployment.yaml");
}

TEST_F(AtRevision, WorksInBareRepositoriesAndWorktrees) {
  git("clone -q --bare work bare.git", ".");
  const auto bare = repository("bare.git/deploy/deployment.yaml");
  EXPECT_TRUE(bare.bare());
  EXPECT_EQ(bare.spec_path(), "deploy/deployment.yaml");
  EXPECT_EQ(*Revision::open(bare, "v1")->spec(), "version: 1\n");

  git("worktree add -q ../second v1");
  const auto second = repository("second/deploy/deployment.yaml");
  EXPECT_EQ(*Revision::open(second, "HEAD")->spec(), "version: 1\n");
}

TEST_F(AtRevision, SaysWhenThereIsNoRepositoryOrNoCommit) {
  scratch.write("plain/deployment.yaml", "");
  const auto plain = Repository::around(scratch / "plain/deployment.yaml");
  ASSERT_FALSE(plain);
  EXPECT_THAT(plain.error().what, HasSubstr("is not inside a git repository"));

  git("init -q .", "empty");
  const auto empty = repository("empty/deployment.yaml");
  const auto head = Revision::open(empty, "HEAD");
  ASSERT_FALSE(head);
  EXPECT_THAT(head.error().what, HasSubstr("has no commits yet"));
}

TEST_F(AtRevision, SaysWhenAnObjectIsMissing) {
  // As in a partial clone: the tree is there, the blob is not.
  git("rev-parse HEAD:deploy/deployment.yaml >../blob");
  const auto id = scratch.read("blob").substr(0, 40);
  ASSERT_TRUE(fs::remove(scratch / ("work/.git/objects/" + id.substr(0, 2) + "/" + id.substr(2))));
  const auto repo = repository();
  const auto head = Revision::open(repo, "HEAD");
  ASSERT_TRUE(head);
  const auto spec = head->spec();
  ASSERT_FALSE(spec);
  EXPECT_THAT(spec.error().text(), HasSubstr("a partial or shallow clone may lack it"));
}

TEST_F(AtRevision, ListsTheFilesBelowADirectory) {
  using Files = std::vector<std::pair<std::string, std::string>>;
  const auto repository = Repository::at(scratch / "work");
  ASSERT_TRUE(repository) << repository.error().text();
  const auto first = Revision::open(*repository, "v1");
  ASSERT_TRUE(first);
  EXPECT_EQ(*first->files_below("deploy"),
            (Files{{"deployment.yaml", "version: 1\n"}, {"tenants.csv", "slug\nacme\n"}}));
  EXPECT_EQ(first->files_below("")->size(), 4U);
  EXPECT_THAT(first->files_below("nowhere").error().text(), HasSubstr("no directory 'nowhere'"));
  EXPECT_THAT(first->files_below("shared.csv").error().text(), HasSubstr("no directory"));
  const auto second = Revision::open(*repository, "main");
  ASSERT_TRUE(second);
  EXPECT_THAT(second->files_below("deploy").error().text(), HasSubstr("symbolic link"));
}

TEST_F(AtRevision, OpensARepositoryByItsOwnPathAlone) {
  EXPECT_THAT(Repository::at(scratch / "work/deploy").error().text(),
              HasSubstr("cannot open the git repository at"));
  EXPECT_FALSE(Repository::at(scratch / "missing"));
}

}  // namespace
}  // namespace caisson::publish

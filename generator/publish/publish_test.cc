#include "generator/publish/publish.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/stat.h>

#include "base/scratch.h"

namespace caisson::publish {
namespace {

namespace fs = std::filesystem;
using render::Artifact;
using render::Artifacts;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Files = std::map<std::string, std::string>;

Artifact file(std::string path, std::string bytes, unsigned mode = 0644) {
  return {.path = std::move(path), .bytes = std::move(bytes), .mode = mode, .owner = "/targets"};
}

Provenance made_from(std::string_view spec) {
  return {.version = "1.2.3", .spec_sha256 = std::string(64, spec.empty() ? '0' : spec[0])};
}

/// An output directory and the runs that a test makes against it.
class Publish : public ::testing::Test {
 protected:
  Comparison compared(const Artifacts& artifacts, std::set<std::string, std::less<>> targets = {}) {
    const auto tree = Tree::open(out(), Tree::Access::read);
    EXPECT_TRUE(tree);
    auto result = compare(
        *tree,
        {.artifacts = artifacts, .made_from = made_from("a"), .targets = std::move(targets)});
    if (!result) {
      ADD_FAILURE() << result.error().text();
      return {};
    }
    return *std::move(result);
  }

  Result<void> published(const Artifacts& artifacts, bool force = false,
                         std::set<std::string, std::less<>> targets = {}) {
    const auto comparison = compared(artifacts, std::move(targets));
    auto tree = Tree::open(out(), Tree::Access::write);
    if (!tree) return tl::unexpected(tree.error());
    return apply(*tree, comparison, force);
  }

  /// What is in the directory apart from the inventory.
  [[nodiscard]] Files files() const {
    Files all;
    for (const auto& [path, text] : scratch.files()) {
      if (path != "out/caisson.lock.json") all[path.substr(4)] = text;
    }
    return all;
  }

  [[nodiscard]] fs::path out() const { return scratch / "out"; }

  static std::vector<std::string> paths(const std::vector<Change>& changes) {
    std::vector<std::string> all;
    all.reserve(changes.size());
    for (const auto& change : changes) all.push_back(change.path);
    return all;
  }

  Scratch scratch;
};

TEST_F(Publish, SecondRunChangesNothing) {
  const Artifacts artifacts{file("compose/compose.yaml", "a\n"), file("local/up", "b\n", 0755)};
  ASSERT_TRUE(published(artifacts));
  EXPECT_EQ(files(), (Files{{"compose/compose.yaml", "a\n"}, {"local/up", "b\n"}}));
  const auto stamp = fs::last_write_time(out() / "compose/compose.yaml");
  const auto again = compared(artifacts);
  EXPECT_THAT(again.changes, IsEmpty());
  EXPECT_EQ(again.unchanged, 2U);
  ASSERT_TRUE(published(artifacts));
  EXPECT_EQ(fs::last_write_time(out() / "compose/compose.yaml"), stamp);
}

TEST_F(Publish, TouchesOnlyWhatChanged) {
  ASSERT_TRUE(published({file("compose/a", "1"), file("compose/b", "1")}));
  struct stat before{};
  ASSERT_EQ(stat((out() / "compose/a").c_str(), &before), 0);
  ASSERT_TRUE(published({file("compose/a", "1"), file("compose/b", "2")}));
  struct stat after{};
  ASSERT_EQ(stat((out() / "compose/a").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(files(), (Files{{"compose/a", "1"}, {"compose/b", "2"}}));
}

TEST_F(Publish, PrunesOnlyWhatItOwns) {
  ASSERT_TRUE(published({file("compose/a", "1"), file("compose/old/b", "1")}));
  scratch.write("out/compose/mine", "precious");
  scratch.write("out/notes.txt", "precious");
  ASSERT_TRUE(published({file("compose/a", "1")}));
  EXPECT_EQ(files(),
            (Files{{"compose/a", "1"}, {"compose/mine", "precious"}, {"notes.txt", "precious"}}));
}

TEST_F(Publish, KeepsTheFilesOfOtherTargets) {
  ASSERT_TRUE(published({file("compose/a", "1"), file("docker/b", "1")}));
  ASSERT_TRUE(published({file("compose/c", "1")}, false, {"compose"}));
  EXPECT_EQ(files(), (Files{{"compose/c", "1"}, {"docker/b", "1"}}));
  // The file of the other target is still known, and so still pruned when its turn comes.
  ASSERT_TRUE(published({file("compose/c", "1")}));
  EXPECT_EQ(files(), (Files{{"compose/c", "1"}}));
}

TEST_F(Publish, RefusesAHandEditedFileUnlessForced) {
  ASSERT_TRUE(published({file("compose/a", "1\n")}));
  scratch.write("out/compose/a", "edited\n");
  const auto before = scratch.files();
  const auto comparison = compared({file("compose/a", "2\n"), file("compose/new", "x")});
  ASSERT_EQ(comparison.conflicts.size(), 1U);
  EXPECT_EQ(comparison.conflicts[0].reason, "was edited by hand");
  EXPECT_THAT(diff(comparison.conflicts[0].change), HasSubstr("-edited\n+2\n"));
  const auto refused = published({file("compose/a", "2\n"), file("compose/new", "x")});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(),
              HasSubstr("compose/a' was edited by hand; move your change into the spec"));
  EXPECT_EQ(scratch.files(), before);
  ASSERT_TRUE(published({file("compose/a", "2\n"), file("compose/new", "x")}, true));
  EXPECT_EQ(files(), (Files{{"compose/a", "2\n"}, {"compose/new", "x"}}));
}

TEST_F(Publish, AcceptsAHandEditThatIsWhatGeneratingWouldWrite) {
  ASSERT_TRUE(published({file("compose/a", "1\n")}));
  scratch.write("out/compose/a", "2\n");
  ASSERT_TRUE(published({file("compose/a", "2\n")}));
  EXPECT_THAT(compared({file("compose/a", "2\n")}).changes, IsEmpty());
}

TEST_F(Publish, RefusesToPruneAHandEditedFile) {
  ASSERT_TRUE(published({file("compose/a", "1"), file("compose/b", "1")}));
  scratch.write("out/compose/b", "edited");
  EXPECT_FALSE(published({file("compose/a", "1")}));
  EXPECT_EQ(files(), (Files{{"compose/a", "1"}, {"compose/b", "edited"}}));
  EXPECT_TRUE(published({file("compose/a", "1")}, true));
  EXPECT_EQ(files(), (Files{{"compose/a", "1"}}));
}

TEST_F(Publish, RefusesAForeignFileInTheWay) {
  scratch.write("out/compose/a", "mine");
  const auto comparison = compared({file("compose/a", "1")});
  ASSERT_EQ(comparison.conflicts.size(), 1U);
  EXPECT_EQ(comparison.conflicts[0].reason, "was not generated by caisson");
  EXPECT_FALSE(published({file("compose/a", "1")}));
  EXPECT_EQ(scratch.files(), (Files{{"out/compose/a", "mine"}}));
}

TEST_F(Publish, NeverReplacesADirectory) {
  scratch.write("out/compose/a/mine", "precious");
  const auto comparison = compared({file("compose/a", "1")});
  ASSERT_EQ(comparison.conflicts.size(), 1U);
  EXPECT_FALSE(comparison.conflicts[0].forcible);
  EXPECT_FALSE(published({file("compose/a", "1")}, true));
  EXPECT_EQ(scratch.files(), (Files{{"out/compose/a/mine", "precious"}}));
}

TEST_F(Publish, ReplacesALinkOnlyWhenForced) {
  scratch.write("outside", "untouched");
  fs::create_directories(out() / "compose");
  fs::create_symlink("../../outside", out() / "compose/a");
  EXPECT_FALSE(published({file("compose/a", "1")}));
  ASSERT_TRUE(published({file("compose/a", "1")}, true));
  EXPECT_EQ(scratch.read("outside"), "untouched");
  EXPECT_FALSE(fs::is_symlink(out() / "compose/a"));
}

TEST_F(Publish, RestoresALostExecutableBitAndALostFile) {
  const Artifacts artifacts{file("local/up", "x", 0755), file("local/b", "y")};
  ASSERT_TRUE(published(artifacts));
  fs::permissions(out() / "local/up", fs::perms{0644});
  fs::remove(out() / "local/b");
  const auto comparison = compared(artifacts);
  EXPECT_THAT(paths(comparison.changes), ElementsAre("local/b", "local/up"));
  EXPECT_EQ(diff(comparison.changes[1]), "mode of local/up: 0644 -> 0755\n");
  EXPECT_THAT(comparison.conflicts, IsEmpty());
  ASSERT_TRUE(published(artifacts));
  EXPECT_THAT(compared(artifacts).changes, IsEmpty());
}

TEST_F(Publish, ALaxUmaskIsNotADifference) {
  ASSERT_TRUE(published({file("local/b", "y")}));
  fs::permissions(out() / "local/b", fs::perms{0664});
  EXPECT_THAT(compared({file("local/b", "y")}).changes, IsEmpty());
}

TEST_F(Publish, ContinuesAfterARunThatWasKilledBeforeTheInventory) {
  ASSERT_TRUE(published({file("compose/a", "1"), file("compose/b", "1")}));
  scratch.write("out/compose/a", "2");
  EXPECT_TRUE(published({file("compose/a", "2"), file("compose/b", "2")}));
  EXPECT_EQ(files(), (Files{{"compose/a", "2"}, {"compose/b", "2"}}));
}

TEST_F(Publish, RefusesAnInventoryThatNamesPathsOutside) {
  ASSERT_TRUE(published({file("compose/a", "1")}));
  scratch.write("victim", "untouched");
  auto lock = scratch.read("out/caisson.lock.json");
  scratch.write("out/caisson.lock.json", lock.replace(lock.find("compose/a"), 9, "../victim"));
  const auto tree = Tree::open(out(), Tree::Access::read);
  const Artifacts none;
  const auto comparison = compare(*tree, {.artifacts = none, .made_from = made_from("a")});
  ASSERT_FALSE(comparison);
  EXPECT_THAT(comparison.error().what, HasSubstr("names a path outside"));
  EXPECT_EQ(scratch.read("victim"), "untouched");
}

TEST_F(Publish, TheInventoryIsPartOfTheComparison) {
  ASSERT_TRUE(published({file("compose/a", "1")}));
  const auto tree = Tree::open(out(), Tree::Access::read);
  const Artifacts artifacts{file("compose/a", "1")};
  const auto comparison = compare(*tree, {.artifacts = artifacts, .made_from = made_from("b")});
  ASSERT_TRUE(comparison);
  EXPECT_THAT(paths(comparison->changes), ElementsAre("caisson.lock.json"));
}

TEST(CompareArtifacts, NamesAddedChangedAndRemoved) {
  const auto changes =
      compare({file("a", "1\n"), file("b", "1\n"), file("c", "1\n"), file("d", "1", 0644)},
              {file("b", "1\n"), file("c", "2\n3\n"), file("d", "1", 0755), file("e", "1\n")});
  EXPECT_EQ(summary(changes),
            "removed  +0 -1        a\n"
            "changed  +2 -1        c\n"
            "changed  +0 -0        d\n"
            "added    +1 -0        e\n");
  EXPECT_EQ(diff(changes[0]), "--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n");
  EXPECT_THAT(compare({file("a", "1")}, {file("a", "1")}), IsEmpty());
}

TEST_F(Publish, PropertyTheTreeIsWhatWasAskedForAndStrangersSurvive) {
  EXPECT_TRUE(
      rc::check("after any two runs the tree holds the second run and every foreign file", [] {
        const auto bytes = rc::gen::element<std::string>("", "x", "y\n");
        const Scratch place;
        place.write("out/compose/stranger", "s");
        place.write("out/local/e/stranger", "s");
        Files wanted;
        for (int run = 0; run < 2; ++run) {
          wanted.clear();
          Artifacts artifacts;
          for (const auto* path : {"compose/a", "compose/b/c", "docker/d", "local/e/f/g", "top"}) {
            if (!*rc::gen::arbitrary<bool>()) continue;
            wanted[path] = *bytes;
            artifacts.push_back(file(path, wanted[path]));
          }
          auto tree = Tree::open(place / "out", Tree::Access::write);
          RC_ASSERT(tree.has_value());
          const auto comparison =
              compare(*tree, {.artifacts = artifacts, .made_from = made_from("a")});
          RC_ASSERT(comparison.has_value());
          RC_ASSERT(apply(*tree, *comparison, false).has_value());
          const auto again = compare(*tree, {.artifacts = artifacts, .made_from = made_from("a")});
          RC_ASSERT(again.has_value() && again->changes.empty());
        }
        Files expected{{"out/compose/stranger", "s"}, {"out/local/e/stranger", "s"}};
        for (const auto& [path, text] : wanted) expected["out/" + path] = text;
        expected["out/caisson.lock.json"] = place.read("out/caisson.lock.json");
        RC_ASSERT(place.files() == expected);
      }));
}

}  // namespace
}  // namespace caisson::publish

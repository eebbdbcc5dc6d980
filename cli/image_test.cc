// `caisson image` at the command line; scripts/test-images holds its images against other tools.

#include <filesystem>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch.h"
#include "cli/run_program.h"
#include "generator/image/testing.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ImageCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    write_spec("true");
    scratch.write("program", image::testing::program());
    fs::permissions(program_, fs::perms::owner_all);
  }

  Ran image(std::vector<std::string> words, const std::string& date = "") {
    words.insert(words.begin(), {"image", "deployment.yaml", "--runtime", program_.string()});
    Surroundings here{.directory = scratch.path()};
    if (!date.empty()) here.environment["SOURCE_DATE_EPOCH"] = date;
    return caisson(words, here);
  }

  void write_spec(const std::string& docker) {
    scratch.write("deployment.yaml",
                  "caisson: v1\nname: acme\nversion: 1.0.0\ntenants: []\n"
                  "targets: { docker: " +
                      docker + " }\n");
  }

  std::set<std::string> files(const std::string& directory) {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(scratch / directory)) {
      if (entry.is_regular_file()) {
        found.insert(entry.path().lexically_relative(scratch / directory).string());
      }
    }
    return found;
  }

  Scratch scratch;
  fs::path program_ = scratch / "program";
};

TEST_F(ImageCommand, ReplacesItsOwnLayoutAndLeavesNoOldBlobs) {
  const auto first = image({"--out", "images"});
  ASSERT_EQ(first.code, 0) << first.error;
  EXPECT_THAT(first.out, HasSubstr("caisson-runtime:"));
  EXPECT_THAT(first.out, HasSubstr("caisson-dashboard:"));
  const auto before = files("images");
  ASSERT_EQ(image({"--out", "images"}).out, first.out);
  EXPECT_EQ(files("images"), before);

  const auto later = image({"--out", "images"}, "86400");
  ASSERT_EQ(later.code, 0) << later.error;
  EXPECT_NE(later.out, first.out);
  const auto after = files("images");
  EXPECT_EQ(after.size(), before.size());
  EXPECT_NE(after, before);
}

TEST_F(ImageCommand, LeavesADirectoryOfSomebodyElseAlone) {
  scratch.write("mine/notes", "do not touch\n");
  const auto ran = image({"--out", "mine"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.error, HasSubstr("'mine' holds something else than images"));
  EXPECT_EQ(files("mine"), std::set<std::string>{"notes"});
}

TEST_F(ImageCommand, NeedsNoTargetOfThatNameAndNoOtherProgram) {
  write_spec("false");
  EXPECT_EQ(image({"--tar", "images.tar"}).code, 0);
  EXPECT_TRUE(fs::exists(scratch / "images.tar"));
  for (const auto& [program, message] :
       {std::pair{"/bin/sh", "dynamically linked"}, std::pair{"deployment.yaml", "not a 64-bit"}}) {
    program_ = program[0] == '/' ? fs::path(program) : scratch / program;
    fs::permissions(scratch / "deployment.yaml", fs::perms::owner_all);
    const auto ran = image({"--out", "images"});
    EXPECT_EQ(ran.code, 3);
    EXPECT_THAT(ran.error, HasSubstr("'/bin/caisson-runtime' cannot run: "));
    EXPECT_THAT(ran.error, HasSubstr(message));
    EXPECT_FALSE(fs::exists(scratch / "images"));
  }
}

TEST_F(ImageCommand, SaysWhatTheCommandLineLacks) {
  EXPECT_EQ(image({}).code, 2);
  for (const auto* date : {"yesterday", "-1", "8589934592", "99999999999999999999"}) {
    const auto ran = image({"--out", "images"}, date);
    EXPECT_EQ(ran.code, 3) << date;
    EXPECT_THAT(ran.error, HasSubstr("SOURCE_DATE_EPOCH is '" + std::string(date) + "'"));
    EXPECT_FALSE(fs::exists(scratch / "images"));
  }
}

}  // namespace
}  // namespace caisson::cli

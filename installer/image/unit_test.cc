#include "installer/image/unit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.h"
#include "installer/disk/crash_disk_testing.h"
#include "installer/image/testing.h"

namespace caisson::installer {
namespace {

using testing::ended;
using ::testing::HasSubstr;
using testing::member;
using ::testing::Not;

class AUnitOfAnImage : public ::testing::Test {
 protected:
  AUnitOfAnImage() {
    const auto archive = ended(member({.path = "usr/bin/app", .content = "#!", .mode = 0755}) +
                               member({.path = "bin", .type = '2', .target = "usr/bin"}) +
                               member({.path = "usr/bin/sh", .type = '2', .target = "app"}) +
                               member({.path = "usr/bin/data", .content = "no program"}) +
                               member({.path = "srv/run", .content = "#!", .mode = 0755}));
    image_.reference = "example/app:1";
    image_.workdir = "/srv";
    image_.entrypoint = {"/bin/app"};
    image_.layers.push_back({.blob = {.digest = sha256(archive), .size = archive.size()},
                             .diff = sha256(archive),
                             .unpacked = archive.size()});
    auto root = unpack_image(
        image_, kOwner, [&](const Blob&, const Take& take) { return take(archive); }, *disk_,
        "root");
    EXPECT_TRUE(root) << root.error().what;
    if (root) root_.emplace(*std::move(root));
  }

  std::string written(std::string_view unit = "[Service]\nExecStart=/bin/false\n") {
    const auto text = unit_of_image(image_, kOwner, *root_, "/opt/100%/app", unit);
    return text ? *text : std::string(entry_of(text.error().code).number) + text.error().what;
  }

  static constexpr NewOwner kOwner{.uid = 900, .gid = 901};
  testing::Machine machine_;
  std::unique_ptr<Disk> disk_ = machine_.open("/top");
  Image image_;
  std::optional<RootDirectory> root_;
};

TEST_F(AUnitOfAnImage, RunsItsEntrypointWithItsCommandVariablesAndDirectory) {
  image_.command = {"serve", "100% of $HOME", "a\"b\\c\n", ""};
  image_.environment = {"PATH=/bin", "GREETING=50% \"x\" $y"};
  EXPECT_EQ(written(),
            "# Written by Caisson: image sha256:" + std::string(64, '0') +
                " for 900:901\n\n[Service]\nExecStart=\n"
                R"(ExecStart="@/usr/bin/app" "/bin/app" "serve" "100%% of $$HOME" "a\"b\\c\x0a" "")"
                "\nRootDirectory=/opt/100%%/app\nWorkingDirectory=/srv\n"
                "Environment=\"PATH=/bin\"\n"
                R"(Environment="GREETING=50%% \"x\" $y")"
                "\n");
}

TEST_F(AUnitOfAnImage, GivesWayToWhatTheUnitSays) {
  image_.command = {"serve"};
  image_.environment = {"PATH=/bin", "LEVEL=debug", "QUOTED=image"};
  const auto text = written(
      "[Service]\nExecStart=/bin/false \"two words\" plain \"50%% $$x \\\"\\\\\\n\"\n"
      "Environment=LEVEL=info\nEnvironment=\"QUOTED=of the spec\"\n");
  EXPECT_THAT(text, HasSubstr(R"("/bin/app" "two words" "plain" "50%% $$x \"\\\x0a")"));
  EXPECT_THAT(text, Not(HasSubstr("serve")));
  EXPECT_THAT(text, Not(HasSubstr("LEVEL")));
  EXPECT_THAT(text, Not(HasSubstr("QUOTED")));
  EXPECT_THAT(text, HasSubstr("PATH"));
}

TEST_F(AUnitOfAnImage, FindsItsProgramWhereTheImageHasIt) {
  image_.environment = {"PATH=relative:/sbin:/bin"};
  image_.entrypoint = {"sh"};
  EXPECT_THAT(written(), HasSubstr(R"(ExecStart="@/usr/bin/sh" "sh")"));
  image_.entrypoint = {"./run"};
  EXPECT_THAT(written(), HasSubstr(R"(ExecStart="@/srv/run" "./run")"));
  image_.environment.clear();
  image_.entrypoint.clear();
  EXPECT_THAT(written("[Service]\nExecStart=/bin/false app --all\n"),
              HasSubstr(R"(ExecStart="@/usr/bin/app" "app" "--all")"));
}

TEST_F(AUnitOfAnImage, IsRefusedWithoutAProgram) {
  EXPECT_THAT(written(), Not(HasSubstr("B0709")));
  for (const auto* name : {"/bin/none", "none", "./none", "/bin/data", "/srv", "/", "..", ""}) {
    image_.entrypoint = {name};
    EXPECT_THAT(written(), HasSubstr("B0709")) << name;
  }
  image_.entrypoint.clear();
  EXPECT_THAT(written(), HasSubstr("it does not say what it runs"));
  image_.entrypoint = {"/bin/app", std::string(1'000'000, 'x')};
  EXPECT_THAT(written(), HasSubstr("B0709"));
}

}  // namespace
}  // namespace caisson::installer

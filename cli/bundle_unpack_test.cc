#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/scratch.h"
#include "cli/run_program.h"
#include "generator/bundle/testing.h"
#include "installer/image/testing.h"
#include "installer/verify/bundle.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;
using installer::testing::ended;
using installer::testing::member;
using ::testing::HasSubstr;

class BundleUnpack : public ::testing::Test {
 protected:
  BundleUnpack() {
    scratch_.write("web.service", "[Service]\nExecStart=/bin/false\nEnvironment=A=of-the-spec\n");
    add("shop/web:1", member({.path = "bin/app", .content = "first", .mode = 0755}));
    add("shop/web:2", member({.path = "bin/app", .content = "second", .mode = 0755}));
    add("shop/hostile:1", member({.path = "../../escaped", .content = "x"}));
  }

  void add(const std::string& name, const std::string& members) {
    layout_.add({.name = name,
                 .user = std::to_string(getuid()) + ":" + std::to_string(getgid()),
                 .layers = {ended(members)},
                 .arch = std::string(installer::host_arch())});
  }

  Ran unpack(const std::string& reference, const std::string& owner = own()) {
    return caisson({"bundle", "unpack", reference, "--images", "images", "--unit", "web.service",
                    "--owner", owner, "--to", "web"},
                   {.directory = scratch_.path()});
  }

  static std::string own() { return std::to_string(getuid()) + ":" + std::to_string(getgid()); }

  Scratch scratch_;
  bundle::testing::TestLayout layout_{scratch_ / "images"};
};

TEST_F(BundleUnpack, PutsAnImageInThePlaceOfTheOneBefore) {
  auto ran = unpack("shop/web:1");
  ASSERT_EQ(ran.code, 0) << ran.error;
  EXPECT_EQ(scratch_.read("web/root/bin/app"), "first");
  EXPECT_THAT(scratch_.read("web/image.conf"),
              HasSubstr("ExecStart=\"@/bin/app\" \"/bin/app\" \"serve\"\nRootDirectory=" +
                        fs::canonical(scratch_ / "web").string() +
                        "/root\nWorkingDirectory=/\nEnvironment=\"PATH=/bin\"\n"));
  const auto written = fs::last_write_time(scratch_ / "web/image.conf");
  ran = unpack("shop/web:1");
  ASSERT_EQ(ran.code, 0) << ran.error;
  EXPECT_EQ(fs::last_write_time(scratch_ / "web/image.conf"), written) << "it lies there already";
  ran = unpack("shop/web:2");
  ASSERT_EQ(ran.code, 0) << ran.error;
  EXPECT_EQ(scratch_.read("web/root/bin/app"), "second");
  EXPECT_FALSE(fs::exists(scratch_ / "web.new"));
  EXPECT_FALSE(fs::exists(scratch_ / "web.old"));
}

TEST_F(BundleUnpack, LeavesWhatLiesThereWhenAnImageIsRefused) {
  ASSERT_EQ(unpack("shop/web:1").code, 0);
  const auto ran = unpack("shop/hostile:1");
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.error, HasSubstr("B0702"));
  EXPECT_EQ(scratch_.read("web/root/bin/app"), "first");
  EXPECT_FALSE(fs::exists(scratch_ / "web.new"));
  EXPECT_FALSE(fs::exists(scratch_ / "escaped"));
  EXPECT_EQ(unpack("shop/none:1").code, 3);
}

TEST_F(BundleUnpack, SaysWhatItNeeds) {
  for (const auto* owner : {"", "1", "1:", ":1", "root:root", "1:2:3", "-1:1", "4294967296:1"}) {
    const auto ran = unpack("shop/web:1", owner);
    EXPECT_EQ(ran.code, 2) << owner;
  }
  EXPECT_EQ(caisson({"bundle", "unpack", "shop/web:1"}).code, 2);
}

}  // namespace
}  // namespace caisson::cli

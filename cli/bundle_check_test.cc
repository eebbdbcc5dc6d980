#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/run_program.h"
#include "installer/verify/bundle_testing.h"

namespace caisson::cli {
namespace {

namespace fs = std::filesystem;
using installer::testing::Maker;
using installer::testing::put;
using installer::testing::take;
using ::testing::HasSubstr;

class BundleCheck : public ::testing::Test {
 protected:
  BundleCheck() {
    maker_.add_sample();
    // A vendor checks bundles for processors of all kinds.
    maker_.manifest.envelope.arch = installer::host_arch() == "amd64" ? "arm64" : "amd64";
    maker_.manifest.images[0].platform = "linux/" + maker_.manifest.envelope.arch;
    maker_.seal();
    maker_.put_directory(scratch_ / "bundle");
    put(scratch_ / "keys/root.1", maker_.root_text);
    fs::create_directory(scratch_ / "parts");
  }

  Ran run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "bundle");
    return caisson(std::move(arguments), {.directory = scratch_.path()});
  }

  Scratch scratch_;
  Maker maker_;
};

TEST_F(BundleCheck, VerifiesAndInspectsWhatASiteWould) {
  auto ran = run({"verify", "bundle", "--roots", "keys", "--strict"});
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_THAT(ran.out, HasSubstr("4 files of 9.0 MB from 3 chunks"));
  ran =
      run({"verify", "bundle", "--expect-root", hex(sha256(maker_.root_text)), "--sums", "--json"});
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_THAT(ran.out, HasSubstr(R"("checked":"sums")"));
  ran = run({"inspect", "bundle", "--roots", "keys"});
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_THAT(ran.out, HasSubstr("0755  9.0 MB  bin/server"));
  put(scratch_ / "bundle/README", "READ ME\n");
  ran = run({"verify", "bundle", "--roots", "keys"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.error, HasSubstr("B0303"));
}

TEST_F(BundleCheck, SplitsAndJoins) {
  auto ran = run({"split", "bundle", "--part-size", "4", "--out", "parts"});
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_THAT(ran.out, HasSubstr("SHOP.003"));
  EXPECT_EQ(run({"verify", "parts", "--roots", "keys"}).code, 0);
  ran = run({"join", "parts/SHOP.002", "--out", "shop.tar"});
  EXPECT_EQ(ran.code, 0) << ran.error;
  EXPECT_EQ(run({"verify", "shop.tar", "--roots", "keys", "--strict"}).code, 0);
  ran = run({"join", "parts", "--out", "shop.tar"});
  EXPECT_EQ(ran.code, 3) << "nothing is overwritten";
  fs::remove(scratch_ / "parts/SHOP.002");
  ran = run({"join", "parts", "--out", "again.tar"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.error, HasSubstr("part 2 of 3 is not there"));
}

TEST_F(BundleCheck, SaysWhatItNeeds) {
  EXPECT_EQ(run({"verify", "bundle"}).code, 2);
  EXPECT_EQ(run({"verify", "bundle", "--roots", "keys", "--expect-root", "ab"}).code, 2);
  EXPECT_EQ(run({"inspect", "bundle", "--expect-root", "ab"}).code, 2);
  EXPECT_EQ(run({"split", "bundle", "--part-size", "0", "--out", "parts"}).code, 2);
  EXPECT_EQ(run({"split", "bundle", "--part-size", "4096", "--out", "parts"}).code, 2);
}

}  // namespace
}  // namespace caisson::cli

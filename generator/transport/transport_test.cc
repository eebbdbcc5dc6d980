#include "generator/transport/transport.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/verify/bundle_testing.h"
#include "installer/verify/content.h"

namespace caisson::transport {
namespace {

namespace fs = std::filesystem;
using namespace installer;
using installer::testing::Maker;
using installer::testing::put;
using installer::testing::site;
using installer::testing::take;
using installer::testing::verified;

class ATransport : public ::testing::Test {
 protected:
  ATransport() {
    maker_.add_sample();
    maker_.seal();
    maker_.put_directory(scratch_ / "bundle");
    put(scratch_ / "bundle/._README", "stays behind");
    fs::create_directory(scratch_ / "parts");
  }

  std::unique_ptr<Medium> medium(std::string_view name) {
    auto medium = open_medium(scratch_ / name);
    EXPECT_TRUE(medium) << medium.error().what;
    return *std::move(medium);
  }

  bool holds(std::string_view name) {
    const auto bundle = verified(scratch_ / name, maker_.root_text, site());
    return bundle && find_unlisted(*bundle, true) && check_content(*bundle, {});
  }

  Scratch scratch_;
  Maker maker_;
};

TEST_F(ATransport, IsTheSameWhateverItWasMadeFrom) {
  const auto whole = join(*medium("bundle"), scratch_ / "shop.tar");
  ASSERT_TRUE(whole) << whole.error().what;
  EXPECT_EQ(whole->name, "shop.tar");
  EXPECT_EQ(whole->size, fs::file_size(scratch_ / "shop.tar"));
  EXPECT_TRUE(holds("shop.tar"));
  const auto parts = split(*medium("shop.tar"), 3'000'000, scratch_ / "parts");
  ASSERT_TRUE(parts) << parts.error().what;
  EXPECT_EQ(parts->size(), 4U);
  for (const auto& part : *parts) EXPECT_LE(part.size, 3'000'000U);
  EXPECT_EQ(parts->front().name, "SHOP.001");
  EXPECT_TRUE(holds("parts"));
  ASSERT_TRUE(join(*medium("parts/SHOP.002"), scratch_ / "again.tar"));
  EXPECT_EQ(take(scratch_ / "again.tar"), take(scratch_ / "shop.tar"));
}

TEST_F(ATransport, IsPutTogetherAndUnpackedByStockTools) {
  ASSERT_TRUE(split(*medium("bundle"), kLeastPart, scratch_ / "parts"));
  // As docs/bundle.md says it.
  const auto script = "cd '" + (scratch_ / "parts").string() +
                      "' && for part in SHOP.???; do tail -c +513 \"$part\"; done > shop.tar && "
                      "tar -xf shop.tar && cd shop-1.0.0-* && sha256sum --quiet -c --strict "
                      "SHA256SUMS && test ! -e ._README";
  EXPECT_EQ(std::system(script.c_str()), 0);
}

TEST_F(ATransport, IsNotThereAfterARefusal) {
  put(scratch_ / "bundle/README", "read ME\n");
  const auto refused = join(*medium("bundle"), scratch_ / "shop.tar");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::wrong_content);
  EXPECT_FALSE(fs::exists(scratch_ / "shop.tar"));
  const auto parts = split(*medium("bundle"), kLeastPart, scratch_ / "parts");
  ASSERT_FALSE(parts);
  EXPECT_TRUE(fs::is_empty(scratch_ / "parts"));
}

TEST_F(ATransport, OverwritesNothing) {
  put(scratch_ / "shop.tar", "mine");
  put(scratch_ / "parts/SHOP.002", "mine");
  EXPECT_EQ(join(*medium("bundle"), scratch_ / "shop.tar").error().code, Code::host_in_the_way);
  EXPECT_EQ(split(*medium("bundle"), kLeastPart, scratch_ / "parts").error().code,
            Code::host_in_the_way);
  EXPECT_EQ(take(scratch_ / "shop.tar"), "mine");
  EXPECT_EQ(take(scratch_ / "parts/SHOP.002"), "mine");
  EXPECT_FALSE(fs::exists(scratch_ / "parts/SHOP.001"));
}

}  // namespace
}  // namespace caisson::transport

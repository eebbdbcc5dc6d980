#include "installer/format/moves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caisson::installer {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Manifest with_places(std::vector<Place> places) {
  Manifest manifest;
  manifest.places = std::move(places);
  return manifest;
}

/// The release after another one.
Manifest next(Manifest manifest) {
  ++manifest.envelope.release.sequence;
  return manifest;
}

const Manifest kShared = with_places({{"helm", "tenant/acme", "runtime-data"},
                                      {"systemd", "service/files", "one volume for all tenants"},
                                      {"systemd", "tenant/acme", "runtime-data"},
                                      {"systemd", "volume/runtime-data", "/var/lib/shop/runtime"}});

TEST(Moves, AreWhatAFormLooksForElsewhere) {
  auto after = next(kShared);
  after.places[2].where = "runtime-acme-data";
  after.places.push_back({"systemd", "volume/runtime-acme-data", "/var/lib/shop/runtime-acme"});
  const auto moves = moves_of(kShared, after, Form::systemd);
  ASSERT_EQ(moves.size(), 1U);
  EXPECT_EQ(moves[0].what, "tenant/acme");
  EXPECT_EQ(moves[0].from, "runtime-data");
  EXPECT_EQ(moves[0].to, "runtime-acme-data");
  EXPECT_THAT(moves_of(kShared, after, Form::helm), IsEmpty());
  EXPECT_THAT(moves_of(kShared, after, Form::compose), IsEmpty());
}

TEST(Moves, AreNoneOfWhatIsNewOrLeavesOrOfAReleaseThatSaysNoPlaces) {
  EXPECT_THAT(moves_of(kShared, kShared, Form::systemd), IsEmpty());
  EXPECT_THAT(moves_of(with_places({}), kShared, Form::systemd), IsEmpty());
  EXPECT_THAT(moves_of(kShared, with_places({}), Form::systemd), IsEmpty());
}

TEST(Moves, AreRefusedUntilEachIsAccepted) {
  auto after = next(kShared);
  after.places[1].where = "a volume for each tenant";
  after.places[2].where = "runtime-acme-data";
  auto fits = check_moves(kShared, after, Form::systemd, {});
  ASSERT_FALSE(fits);
  EXPECT_EQ(fits.error().code, Code::data_move);
  EXPECT_EQ(fits.error().what,
            "service/files from one volume for all tenants to a volume for each tenant; "
            "tenant/acme from runtime-data to runtime-acme-data");
  fits = check_moves(kShared, after, Form::systemd, {"tenant/acme"});
  ASSERT_FALSE(fits);
  EXPECT_THAT(fits.error().what, Not(HasSubstr("tenant/acme")));
  EXPECT_TRUE(check_moves(kShared, after, Form::systemd, {"service/files", "tenant/acme"}));
  EXPECT_TRUE(check_moves(kShared, after, Form::helm, {}));
}

TEST(Moves, OfAnotherNameAreNotAcceptedInSilence) {
  const auto fits = check_moves(kShared, next(kShared), Form::systemd, {"tenant/acme"});
  ASSERT_FALSE(fits);
  EXPECT_EQ(fits.error().what, "--accept-move tenant/acme: nothing of that name moves");
  EXPECT_TRUE(check_moves(kShared, kShared, Form::systemd, {"tenant/acme"}));
}

TEST(Moves, OfManyTenantsAreCountedAndSomeAreNamed) {
  std::vector<Place> before;
  std::vector<Place> after;
  for (int i = 1000; i < 11'000; ++i) {
    before.push_back({"systemd", "tenant/t" + std::to_string(i), "runtime-data"});
    after.push_back({"systemd", "tenant/t" + std::to_string(i), "other-data"});
  }
  const auto fits =
      check_moves(with_places(before), next(with_places(after)), Form::systemd, {"tenant/t1000"});
  ASSERT_FALSE(fits);
  EXPECT_THAT(fits.error().what,
              HasSubstr("tenant/t1005 from runtime-data to other-data and 9994 more"));
}

}  // namespace
}  // namespace caisson::installer

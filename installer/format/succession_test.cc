#include "installer/format/succession.h"

#include <string>

#include <gtest/gtest.h>

namespace caisson::installer {
namespace {

Manifest of_data(std::uint64_t reads, std::uint64_t writes) {
  Manifest manifest;
  manifest.reads = reads;
  manifest.data = writes;
  return manifest;
}

TEST(ASuccessor, IsRefusedWhereItWasRolledBackUnlessItIsWantedAgain) {
  Journal journal;
  remember_refused(journal, "1.2-a", Code::leaking);
  const auto installed = of_data(1, 1);
  const auto fits = check_successor(journal, installed, {"1.2-a", installed});
  ASSERT_FALSE(fits);
  EXPECT_EQ(fits.error().code, Code::refused_release);
  EXPECT_TRUE(fits.error().what.ends_with("was rolled back for B0418")) << fits.error().what;
  EXPECT_TRUE(check_successor(journal, installed, {"1.2-a", installed, true}));
  EXPECT_TRUE(check_successor(journal, installed, {"1.3-b", installed}));
  forget_refused(journal, "1.2-a");
  EXPECT_TRUE(check_successor(journal, installed, {"1.2-a", installed}));
}

TEST(ASuccessor, ReadsTheDataOfTheInstalledRelease) {
  EXPECT_TRUE(check_successor({}, of_data(1, 2), {"1.3-b", of_data(2, 3)}));
  const auto fits = check_successor({}, of_data(1, 2), {"1.3-b", of_data(3, 3)});
  ASSERT_FALSE(fits);
  EXPECT_EQ(fits.error().code, Code::no_path_to_release);
}

TEST(ASuccessor, LooksForDataWhereTheyAreOnceItIsNoLongerStagedAlone) {
  auto installed = of_data(1, 1);
  installed.places = {{"compose", "tenant/acme", "runtime-data"}};
  auto next = installed;
  ++next.envelope.release.sequence;
  next.places[0].where = "runtime-acme-data";
  const AcceptedMoves none;
  const AcceptedMoves taken{"tenant/acme"};
  EXPECT_TRUE(check_successor({.form = Form::compose}, installed, {"1.3-b", next}));
  EXPECT_TRUE(
      check_successor({}, installed, {.release = "1.3-b", .manifest = next, .moves = &none}));
  const auto fits = check_successor({.form = Form::compose}, installed,
                                    {.release = "1.3-b", .manifest = next, .moves = &none});
  ASSERT_FALSE(fits);
  EXPECT_EQ(fits.error().code, Code::data_move);
  EXPECT_TRUE(check_successor({.form = Form::compose}, installed,
                              {.release = "1.3-b", .manifest = next, .moves = &taken}));
  EXPECT_EQ(check_predecessor(next, installed, Form::compose, none).error().code, Code::data_move);
  EXPECT_TRUE(check_predecessor(next, installed, Form::compose, taken));
}

TEST(APredecessor, ReadsTheDataOfTheInstalledRelease) {
  EXPECT_TRUE(check_predecessor(of_data(1, 2), of_data(1, 2), Form::systemd, {}));
  const auto fits = check_predecessor(of_data(1, 3), of_data(1, 2), Form::systemd, {});
  ASSERT_FALSE(fits);
  EXPECT_EQ(fits.error().code, Code::older_reader);
}

TEST(RefusedReleases, AreForgottenFromTheOldestOn) {
  Journal journal;
  for (std::size_t i = 0; i <= kMostRefused; ++i) {
    remember_refused(journal, std::to_string(i), Code::not_well);
  }
  remember_refused(journal, "1", Code::leaking);
  EXPECT_EQ(journal.refused.size(), kMostRefused);
  EXPECT_EQ(journal.refused.front().release, "2");
  EXPECT_EQ(journal.refused.back().release, "1");
}

}  // namespace
}  // namespace caisson::installer

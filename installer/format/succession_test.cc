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
  const auto fits = check_successor(journal, installed, "1.2-a", installed, false);
  ASSERT_FALSE(fits);
  EXPECT_EQ(fits.error().code, Code::refused_release);
  EXPECT_TRUE(fits.error().what.ends_with("was rolled back for B0418")) << fits.error().what;
  EXPECT_TRUE(check_successor(journal, installed, "1.2-a", installed, true));
  EXPECT_TRUE(check_successor(journal, installed, "1.3-b", installed, false));
  forget_refused(journal, "1.2-a");
  EXPECT_TRUE(check_successor(journal, installed, "1.2-a", installed, false));
}

TEST(ASuccessor, ReadsTheDataOfTheInstalledRelease) {
  EXPECT_TRUE(check_successor({}, of_data(1, 2), "1.3-b", of_data(2, 3), false));
  const auto fits = check_successor({}, of_data(1, 2), "1.3-b", of_data(3, 3), false);
  ASSERT_FALSE(fits);
  EXPECT_EQ(fits.error().code, Code::no_path_to_release);
}

TEST(APredecessor, ReadsTheDataOfTheInstalledRelease) {
  EXPECT_TRUE(check_predecessor(of_data(1, 2), of_data(1, 2)));
  const auto fits = check_predecessor(of_data(1, 3), of_data(1, 2));
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

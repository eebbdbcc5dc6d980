#include <cerrno>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "base/scratch.h"
#include "installer/disk/explore_testing.h"
#include "installer/verify/bundle_testing.h"
#include "installer/verify/content.h"

namespace caisson::installer {
namespace {

using testing::explore;
using testing::Machine;
using testing::Maker;
using testing::Scenario;
using testing::site;
using testing::verified;

constexpr std::string_view kReleases = "/opt/shop/releases";
constexpr std::string_view kTold = "installed";

/// A release that is staged beside its place and put there when it is whole.
class AStagedRelease : public ::testing::Test {
 protected:
  AStagedRelease() {
    maker_.add({{"bin/caisson", "a program"}, {"bin/server", testing::noise(3000, 1)}});
    maker_.add({{"etc/a", "a"}, {"etc/empty", ""}});
    maker_.add_image("registry.example/app:1", "a layer");
    maker_.seal();
    maker_.put_directory(scratch_ / "bundle");
    auto bundle = verified(scratch_ / "bundle", maker_.root_text, site());
    EXPECT_TRUE(bundle) << bundle.error().what;
    bundle_.emplace(*std::move(bundle));
    Machine machine;
    const auto disk = machine.open(kReleases);
    EXPECT_TRUE(stage_content(*bundle_, {.threads = 1}, *disk, "1.1"));
    whole_ = machine.digest();
  }

  [[nodiscard]] Checked<void> install(Machine& machine) const {
    const auto disk = machine.open(kReleases);
    auto staged = stage_content(*bundle_, {.threads = 1}, *disk, "new");
    if (!staged) return tl::unexpected(staged.error());
    if (auto renamed = disk->rename("new", "1.1"); !renamed) return renamed;
    return disk->sync_directory("");
  }

  [[nodiscard]] Scenario scenario() const {
    return {.run =
                [this](Machine& machine) {
                  if (install(machine)) machine.told.emplace_back(kTold);
                },
            .recover =
                [](Machine& machine) {
                  const auto disk = machine.open(kReleases);
                  if (remove_tree(*disk, "new")) (void)disk->sync_directory("");
                },
            .fault = [this](Machine& machine) -> std::string {
              const bool told = !machine.told.empty();
              machine.told.clear();
              if (machine.digest() == whole_) return "";
              if (!machine.open(kReleases)->list("")->empty()) return "a part of it is there";
              return told ? "the release was installed and is gone" : "";
            }};
  }

  Scratch scratch_;
  Maker maker_;
  std::optional<VerifiedBundle> bundle_;
  Digest whole_{};  ///< of a machine that has it
};

TEST_F(AStagedRelease, IsThereWholeOrNotAtAllAfterEveryCrash) {
  const auto all = explore(Machine(), scenario(), {.crashes = 100});
  std::cout << all.text() << "\n";
  EXPECT_EQ(all.wrong, 0U) << all.text();
  EXPECT_GT(all.calls, 30U);
  EXPECT_GT(all.states(), 10'000U);
}

TEST_F(AStagedRelease, WouldNotBeWholeWithoutTheSyncBeforeItsRename) {
  Machine counted;
  EXPECT_TRUE(stage_content(*bundle_, {.threads = 1}, *counted.open(kReleases), "new"));
  auto hasty = scenario();
  hasty.run = [&](Machine& machine) {
    // The last call, the sync of all, fails, and nobody looks.
    machine.fail({.call = counted.calls() - 1, .error = EIO});
    const auto disk = machine.open(kReleases);
    (void)stage_content(*bundle_, {.threads = 1}, *disk, "new");
    if (disk->rename("new", "1.1")) (void)disk->sync_directory("");
  };
  EXPECT_GT(explore(Machine(), hasty).wrong, 0U);
}

}  // namespace
}  // namespace caisson::installer

#include "installer/site/roots.h"

#include <iostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/signing/signer.h"
#include "installer/disk/explore_testing.h"
#include "installer/site/premises.h"
#include "installer/trust/key_packet.h"

namespace caisson::installer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Machine;

constexpr std::uint32_t kDate = 1'735'689'600;

/// Three roots, each signed by its own key and by the one before.
class RootsOfASite : public ::testing::Test {
 protected:
  RootsOfASite() {
    const auto release = signing::PrivateKey::generate(Algorithm::ed25519);
    std::vector<std::shared_ptr<signing::Signer>> signers;
    std::vector<std::string> names;
    for (std::uint64_t version = 1; version <= 3; ++version) {
      auto key = signing::PrivateKey::generate(Algorithm::ed25519);
      RootFile file{.number = version,
                    .text = write_root({.product = "shop",
                                        .version = version,
                                        .epoch = 1,
                                        .threshold = 1,
                                        .keys = {key.key()},
                                        .releases = {release.key()}})};
      names.push_back("root." + std::to_string(version) + "." + key_id(key.key()) + ".gpg");
      signers.emplace_back(signing::signer_of(std::move(key)));
      for (std::size_t i = version > 1 ? version - 2 : 0; i < version; ++i) {
        file.signatures.push_back(
            {.name = names[i], .bytes = signers[i]->sign(file.text, kDate).value()});
      }
      files_.push_back(std::move(file));
    }
  }

  static std::vector<std::string> names(Machine& machine) {
    return machine.open("/opt/shop/roots")->list("").value();
  }

  std::vector<RootFile> files_;
  Machine machine_;
  std::unique_ptr<Disk> disk_ = machine_.open("/opt/shop");
};

TEST_F(RootsOfASite, BeginWithWhatWasToldAndGoOnAlongTheChain) {
  EXPECT_EQ(take_roots(*disk_, kRoots, files_, "shop", {}).error().code, Code::root_not_trusted);
  EXPECT_EQ(take_roots(*disk_, kRoots, files_, "shop", sha256("another")).error().code,
            Code::root_not_trusted);
  EXPECT_FALSE(disk_->status(kRoots)->has_value()) << "nobody is trusted for nothing";
  const auto first = sha256(files_[0].text);
  EXPECT_EQ(take_roots(*disk_, kRoots, files_, "other", first).error().code, Code::other_product);
  const auto one = std::span(files_).first(1);
  ASSERT_TRUE(take_roots(*disk_, kRoots, one, "shop", first));
  EXPECT_THAT(names(machine_), ElementsAre("root.1"));

  // A root of the middle is missing.
  const auto last = std::span(files_).last(1);
  EXPECT_EQ(take_roots(*disk_, kRoots, last, "shop", {}).error().code, Code::root_gap);
  // The last one is signed by nobody who may: the one before is kept all the same.
  auto damaged = files_;
  damaged[2].text += " ";
  EXPECT_FALSE(take_roots(*disk_, kRoots, damaged, "shop", {}));
  EXPECT_THAT(names(machine_), ElementsAre("root.1", "root.2"));
  const auto newest = take_roots(*disk_, kRoots, last, "shop", {});
  ASSERT_TRUE(newest) << newest.error().what;
  EXPECT_EQ(newest->root().version, 3U);
  EXPECT_EQ(load_roots(*disk_, kRoots)->value().root().version, 3U);

  // Told once more, for whatever reason: it has to be one that is kept.
  EXPECT_TRUE(take_roots(*disk_, kRoots, last, "shop", first));
  const auto other = take_roots(*disk_, kRoots, last, "shop", sha256("another"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::root_not_trusted);
  EXPECT_THAT(other.error().what, HasSubstr("this site trusts root 3"));
  // An older one takes nothing away.
  EXPECT_EQ(take_roots(*disk_, kRoots, one, "shop", {}).error().code, Code::root_rollback);
  EXPECT_THAT(names(machine_), ElementsAre("root.1", "root.2", "root.3"));
}

TEST_F(RootsOfASite, AreAChainWithoutGapsAfterEveryCrash) {
  ASSERT_TRUE(disk_->sync_all());
  const auto begin = machine_.crash({});
  const testing::Scenario scenario{
      .run =
          [&](Machine& machine) {
            const auto disk = machine.open("/opt/shop");
            if (take_roots(*disk, kRoots, files_, "shop", sha256(files_[0].text))) {
              machine.told.emplace_back("root 3");
            }
          },
      .recover = [](Machine&) {},
      .fault = [&](Machine& machine) -> std::string {
        const auto root = load_roots(*machine.open("/opt/shop"), kRoots);
        if (!root) return root.error().what;
        if (!machine.told.empty() && (!*root || (*root)->root().version != 3)) {
          return "root 3 was taken and is gone";
        }
        return "";
      }};
  const auto all = explore(begin, scenario);
  std::cout << all.text() << "\n";
  EXPECT_EQ(all.wrong, 0U);
  EXPECT_EQ(all.calls, 20U) << "a directory and three files";
}

}  // namespace
}  // namespace caisson::installer

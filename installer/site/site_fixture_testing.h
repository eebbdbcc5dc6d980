#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/scratch.h"
#include "installer/site/change.h"
#include "installer/site/roots.h"
#include "installer/site/site_testing.h"
#include "installer/site/tree.h"

namespace caisson::installer::testing {

/// A site on real directories with a model of its host, and bundles of three releases: 1.1.0 and
/// 1.2.0 write data of another version than 1.0.0.
class ASite : public ::testing::Test {
 protected:
  ASite() {
    for (const auto* name : {"opt", "data", "etc/systemd", "etc/sysusers.d", "etc/tmpfiles.d"}) {
      std::filesystem::create_directories(top_ / name);
    }
    put_release("1.0.0", 1'000'000, 1);
    put_release("1.1.0", 1'001'000, 2);
    put_release("1.2.0", 1'002'000, 2);
  }

  void put_release(const std::string& version, std::uint64_t sequence, std::uint64_t data,
                   std::string_view with = {}) {
    add_release(maker_, version, sequence, data, with);
    maker_.put_directory(top_ / version);
    names_[version] =
        release_name(maker_.manifest.envelope.release, sha256(maker_.files.at("MANIFEST")));
  }

  Checked<Outcome> bring(const std::string& version, bool again = false) {
    const auto bundle = verified(top_ / version, maker_.root_text, site());
    if (!bundle) return tl::unexpected(bundle.error());
    const Reading reading{.threads = 1};
    const Delivery delivery{.bundle = *bundle, .reading = reading, .again = again};
    const auto journal = load_journal(*opt_);
    return journal && *journal && !(*journal)->installed.empty() ? update(premises_, delivery)
                                                                 : install(premises_, delivery);
  }

  /// Whom the site trusts, as the command keeps it.
  Checked<void> keeps_roots() {
    const auto bundle = verified(top_ / "1.0.0", maker_.root_text, site());
    if (!bundle) return tl::unexpected(bundle.error());
    return keep_root(*opt_, kRoots, bundle->root());
  }

  Journal journal() const { return load_journal(*opt_).value().value(); }
  std::string read(const std::string& path) const { return top_.read(path); }
  bool there(const std::string& path) const {
    return std::filesystem::exists(std::filesystem::symlink_status(top_ / path));
  }
  std::string store() const { return read("data/runtime/store"); }

  /// Everything that runs and is configured is of this version, and nothing is left of a change.
  void expect_whole(const std::string& version) {
    const auto now = journal();
    EXPECT_EQ(now.installed, names_.at(version));
    EXPECT_FALSE(now.flight);
    EXPECT_EQ(std::filesystem::read_symlink(top_ / "opt/current"), "releases/" + now.installed);
    EXPECT_EQ(std::filesystem::read_symlink(top_ / "etc/shop"), "/opt/shop/etc");
    EXPECT_EQ(read("opt/bin/caisson-runtime"), "runtime of " + version);
    EXPECT_THAT(read("opt/etc/runtime.json"), ::testing::HasSubstr("runtime of " + version));
    EXPECT_EQ(read("etc/systemd/system/shop-runtime.service"), "runtime of " + version);
    EXPECT_EQ(read("etc/systemd/system/shop.target"), "target of " + version);
    EXPECT_EQ(read("etc/sysusers.d/shop.conf"), "accounts of " + version);
    EXPECT_TRUE(check_installed(*opt_, now.installed));
    for (const auto* name : {"opt/incoming", "data/.before", "data/.dropped", "opt/journal.new",
                             "opt/current.new", "data/edge_door/closed"}) {
      EXPECT_FALSE(there(name)) << name;
    }
    for (const auto& entry : std::filesystem::directory_iterator(top_ / "opt/releases")) {
      const auto name = entry.path().filename().string();
      EXPECT_TRUE(name == now.installed || name == now.previous) << name;
    }
  }

  void expect_running() const {
    for (const auto* unit :
         {"shop.target", "shop-edge.service", "shop-runtime.service", "shop-dashboard.service"}) {
      EXPECT_THAT(host_.running, ::testing::Contains(unit));
    }
    EXPECT_THAT(host_.enabled, ::testing::ElementsAre("shop-recover.service", "shop.target"));
  }

  Scratch top_;
  Maker maker_;
  std::map<std::string, std::string> names_;
  std::unique_ptr<Disk> opt_ = *open_disk(make("opt"));
  std::unique_ptr<Disk> data_ = *open_disk(make("data"));
  std::unique_ptr<Disk> etc_ = *open_disk(make("etc"));
  std::unique_ptr<Disk> system_ = *open_disk(top_ / "");
  Disks disks_{*opt_, *data_, *etc_, *system_};
  ModelHost host_{disks_};
  Premises premises_{.product = "shop", .disks = disks_, .host = host_};

 private:
  std::filesystem::path make(const std::string& name) {
    std::filesystem::create_directories(top_ / name);
    return top_ / name;
  }
};

}  // namespace caisson::installer::testing

// What a change refuses to begin with, and what a full disk does to it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/host/system_host.h"
#include "installer/site/change.h"
#include "installer/site/claims.h"
#include "installer/site/preflight.h"
#include "installer/site/site_fixture_testing.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;
using testing::add_release;
using testing::ASite;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(ASite, LeavesUnitsOfOthersAlone) {
  // Whatever systemd would take for the product's, and data of a service of this name.
  for (const auto* path :
       {"etc/systemd/system/shop.target", "usr/lib/systemd/system/shop-edge.service",
        "run/systemd/system/shop-runtime.service", "etc/systemd/system/shop-recover.service",
        "etc/tmpfiles.d/shop.conf", "usr/lib/tmpfiles.d/shop.conf", "usr/lib/sysusers.d/shop.conf",
        "etc/systemd/journald@shop.conf", "etc/shop/shop.conf", "var/lib/shop/store"}) {
    SCOPED_TRACE(path);
    top_.write(path, "somebody's");
    const auto outcome = bring("1.0.0");
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::foreign_name);
    EXPECT_THAT(outcome.error().what, HasSubstr("is there already"));
    EXPECT_EQ(read(path), "somebody's");
    EXPECT_TRUE(fs::is_empty(top_ / "opt"));
    EXPECT_THAT(host_.calls, IsEmpty());
    const auto bundle = testing::verified(top_ / "1.0.0", maker_.root_text, testing::site());
    ASSERT_TRUE(bundle);
    EXPECT_EQ(fault_of(*preflight(host_, {.system = *system_}, *bundle))->code, Code::foreign_name);
    fs::remove(top_ / path);
    if (std::string_view(path).starts_with("etc/shop")) fs::remove(top_ / "etc/shop");
  }
  fs::create_directories(top_ / "var/lib/shop/lost+found");
  ASSERT_TRUE(bring("1.0.0"));
  expect_whole("1.0.0");
  // A unit that only the next release has.
  put_release("1.7.0", 1'007'000, 2);
  maker_.add({{"systemd/system/shop-mail.service", "mail"}});
  maker_.seal();
  maker_.put_directory(top_ / "1.7.0");
  top_.write("usr/lib/systemd/system/shop-mail.service", "somebody's");
  EXPECT_EQ(bring("1.7.0").error().code, Code::foreign_name);
}

TEST_F(ASite, TakesNoAccountsOfOthers) {
  const std::string accounts =
      "# of shop\ng shop -\nu shop-edge - \"shop edge\" /var/lib/shop/edge\n";
  const auto claim = [&] { return *claimed_account({host_, *system_}, "shop", accounts, ""); };
  EXPECT_EQ(claim(), "");
  top_.write("etc/sysusers.d/shop.conf", accounts);
  top_.write(
      "etc/passwd",
      "root:x:0:0:root:/root:/bin/sh\nshop-edge:x:9:9:shop edge:/var/lib/shop/edge:/bin/false\n");
  EXPECT_EQ(claim(), "") << "these are its own, from an earlier install";
  top_.write("etc/passwd", "shop-edge:x:9:9:Anna:/home/anna:/bin/sh\n");
  EXPECT_EQ(claim(), "the account shop-edge lives in /home/anna");
  top_.write("usr/lib/sysusers.d/other.conf", "u nobody - -\ng shop 7\n");
  EXPECT_EQ(claim(), "/usr/lib/sysusers.d/other.conf declares shop");
}

TEST_F(ASite, TakesNoGroupAndNoSystemAccountOfOthers) {
  const std::string accounts =
      "g shop_metrics -\nu shop - \"shop\"\nu shop-edge - \"shop edge\" /var/lib/shop/edge\n";
  const auto claim = [&] { return *claimed_account({host_, *system_}, "shop", accounts, ""); };
  const std::string others = "root:x:0:0:root:/root:/bin/sh\nshopping:x:7:7::/:/bin/false\n";
  top_.write("etc/passwd", others);
  top_.write("etc/group", "root:x:0:\nshop-:x:8:\n");
  EXPECT_EQ(claim(), "");
  for (const auto& [group, says] :
       {std::pair("shop_metrics:x:8:anna\n", "the group shop_metrics is there"),
        std::pair("shop-edge:x:7:\n", "the group shop-edge is there")}) {
    top_.write("etc/group", group);
    EXPECT_EQ(claim(), says);
    // They are its own where its accounts are, from an earlier install.
    top_.write("etc/passwd", others + "shop-edge:x:9:9::/var/lib/shop/edge:/bin/false\n");
    EXPECT_EQ(claim(), "");
    top_.write("etc/passwd", others);
  }
  fs::remove(top_ / "etc/group");
  top_.write("etc/passwd", others + "shop:x:8:8:a daemon:/:/bin/false\n");
  EXPECT_EQ(claim(), "the account shop is there");
  // Before anything is written, as far as MANIFEST tells.
  for (const auto& [path, line] : {std::pair("etc/passwd", "shop:x:8:8:a daemon:/:/bin/false\n"),
                                   std::pair("etc/passwd", "shop-runtime:x:8:8::/:/bin/false\n"),
                                   std::pair("etc/group", "shop:x:8:anna\n")}) {
    top_.write(path, line);
    const auto outcome = bring("1.0.0");
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::foreign_name);
    EXPECT_TRUE(fs::is_empty(top_ / "opt"));
    fs::remove(top_ / path);
  }
  EXPECT_TRUE(bring("1.0.0"));
}

TEST_F(ASite, TakesWhatAnUninstallHasLeft) {
  const std::string left =
      "shop_doors:x:7:7:shop doors:/:/bin/false\nshop-edge:x:8:8:shop edge:/:/bin/false\n";
  const std::string groups = "shop:x:5:\nshop_metrics:x:6:\nshop_doors:x:7:\nshop-edge:x:8:\n";
  const auto claim = [&] {
    return *claimed_account({host_, *system_}, "shop",
                            "g shop -\ng shop_metrics -\nu shop_doors - \"shop doors\" -\n"
                            "u shop-edge - \"shop edge\" /var/lib/shop/edge\n",
                            "");
  };
  top_.write("etc/passwd", left + "keeper:x:9:9:shop till:/home/keeper:/bin/sh\n");
  top_.write("etc/group", groups);
  EXPECT_THAT(*own_accounts(*system_, "shop", {}),
              ElementsAre("the account shop_doors", "the account shop-edge", "the group shop",
                          "the group shop_metrics"));
  EXPECT_EQ(claim(), "the account shop-edge lives in /") << "it is another one's, or of a release "
                                                            "whose edge kept nothing";
  // Somebody has removed some of the accounts, and then all.
  top_.write("etc/passwd", left.substr(0, left.find('\n') + 1));
  EXPECT_EQ(claim(), "");
  fs::remove(top_ / "etc/passwd");
  EXPECT_EQ(claim(), "");
  EXPECT_TRUE(bring("1.0.0"));
  // Who is in one is given nothing of the product.
  top_.write("etc/group", "shop:x:5:\nshop_metrics:x:6:anna\n");
  EXPECT_THAT(*own_accounts(*system_, "shop", {}), ElementsAre("the group shop"));
  EXPECT_EQ(claim(), "the group shop_metrics is there");
  top_.write("etc/passwd", "anna:x:1000:6:Anna:/home/anna:/bin/sh\n");
  top_.write("etc/group", groups);
  EXPECT_EQ(claim(), "the group shop_metrics is there");
}

TEST_F(ASite, BelievesNoDescriptionOfAnAccountAlone) {
  const std::string declared =
      "g shop -\nu shop_doors - \"shop doors\" -\nu shop-app - \"shop app\" -\n"
      "u shop-a-name-that-was-c-0123abcd - \"shop a-name-that-was-cut-off\" -\n";
  const auto claim = [&](std::string_view installed = {}) {
    return *claimed_account({host_, *system_}, "shop", declared, installed);
  };
  const std::vector<MadeAccount> made{
      {.name = "shop-a-name-that-was-c-0123abcd", .instance = "a-name-that-was-cut-off"},
      {.name = "shop-app", .instance = "app"},
      {.name = "shop", .instance = {}}};
  for (const auto* line :
       {"shop-app:x:8:8:shop app:/:/usr/sbin/nologin", "shop_doors:x:8:8:shop doors:/:/bin/false",
        "shop-a-name-that-was-c-0123abcd:x:8:8:shop a-name-that-was-cut-off:/:/sbin/nologin"}) {
    const std::string is(line);
    const auto name = is.substr(0, is.find(':'));
    top_.write("etc/passwd", is + "\n");
    EXPECT_EQ(claim(), "");
    EXPECT_THAT(*own_accounts(*system_, "shop", made), ElementsAre("the account " + name));
  }
  for (const auto* line :
       {"shop-app:x:8:8:shop app:/:/bin/bash",
        "shop-app:x:8:8:shop app:/:", "shop-app:x:8:8:shop app:/home/shop-app:/usr/sbin/nologin",
        "shop-app:x:8:8:shop edge:/:/usr/sbin/nologin", "shop-app:x:8:8::/:/usr/sbin/nologin",
        "shop-app:x:8:8:shop app:/var/lib/shopping/app:/usr/sbin/nologin",
        "shop-app:x:8:8:shop app:/var/lib/shop/app:/bin/bash",
        "shop-app:x:8:8:shop app,,,:/:/usr/sbin/nologin",
        "shop-a-name-that-was-c-0123abcd:x:8:8:shop app:/:/sbin/nologin"}) {
    SCOPED_TRACE(line);
    const std::string is(line);
    top_.write("etc/passwd", is + "\n");
    const auto name = is.substr(0, is.find(':'));
    EXPECT_EQ(claim(), "the account " + name + " is there");
    EXPECT_THAT(*own_accounts(*system_, "shop", made), IsEmpty());
    EXPECT_EQ(claim(declared), "") << "whatever the installed release has is its own";
    // One that lives in the product's directory vouches for itself alone.
    top_.write("etc/passwd", is + "\nshop-runtime:x:9:9::/var/lib/shop/runtime:/bin/false\n");
    EXPECT_EQ(claim(), "the account " + name + " is there");
  }
  // Before anything is written.
  top_.write("etc/passwd", "shop-runtime:x:8:8:shop runtime:/:/bin/bash\n");
  const auto outcome = bring("1.0.0");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::foreign_name);
  EXPECT_TRUE(fs::is_empty(top_ / "opt"));
  top_.write("etc/passwd", "till-app:x:8:8:shop app:/:/usr/sbin/nologin\n");
  EXPECT_THAT(*own_accounts(*system_, "shop", made), IsEmpty()) << "no release declares it";
}

TEST_F(ASite, TakesNoAccountOfADirectoryOfTheSite) {
  std::map<std::string, std::string> known;
  std::set<std::string> asked;
  int status = 0;
  host_.directory = [&](const std::vector<std::string>& words) {
    asked.insert(words.begin() + 1, words.end());
    // Of several, getent(1) tells those that are there.
    const auto lines = known.find(words.front());
    return Ended{.status = status == 0 && lines == known.end() ? 2 : status,
                 .output = lines == known.end() ? "" : lines->second};
  };
  const auto claim = [&] {
    return *claimed_account({host_, *system_}, "shop",
                            "u shop-edge - \"shop edge\" /var/lib/shop/edge\n", "");
  };
  EXPECT_EQ(claim(), "");
  EXPECT_THAT(asked, ElementsAre("shop-edge"));
  known["passwd"] = "shop-edge:*:50007:50000:Anna:/home/anna:/bin/sh\n";
  EXPECT_EQ(claim(), "the account shop-edge lives in /home/anna");
  // Before anything is written, as far as MANIFEST tells.
  for (const auto& [table, line] :
       {std::pair("passwd", "shop-runtime:*:50007:50000:Anna:/home/anna:/bin/sh"),
        std::pair("group", "shop_metrics:*:50000:anna")}) {
    known = {{table, line}};
    const auto outcome = bring("1.0.0");
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::foreign_name);
    EXPECT_TRUE(fs::is_empty(top_ / "opt"));
  }
  // A group of this host that somebody of the directory has as the first one.
  top_.write("etc/group", "shop_metrics:x:8:\n");
  known = {{"passwd", "anna:*:50007:8:Anna:/home/anna:/bin/sh\n"}};
  EXPECT_EQ(*claimed_account({host_, *system_}, "shop", "g shop_metrics -\n", ""),
            "the group shop_metrics is there");
  EXPECT_EQ(bring("1.0.0").error().code, Code::foreign_name);
  known.clear();
  EXPECT_EQ(*claimed_account({host_, *system_}, "shop", "g shop_metrics -\n", ""), "");
  fs::remove(top_ / "etc/group");
  // Where it cannot be asked, nobody knows.
  status = 1;
  EXPECT_EQ(bring("1.0.0").error().code, Code::host_command);
  EXPECT_TRUE(fs::is_empty(top_ / "opt"));
  status = 0;
  EXPECT_TRUE(bring("1.0.0"));
}

TEST(AHost, IsAskedForItsNumbersAsItKnowsThem) {
  const Scratch nothing;
  const auto system = *open_disk(nothing / "");
  const auto host = system_host();
  ASSERT_FALSE(host->find_program("getent").empty());
  EXPECT_EQ(*numbered_account({*host, *system}, {0, 4'000'000'000}), "the account root (0)");
  EXPECT_EQ(*numbered_account({*host, *system}, {4'000'000'000}), "");
}

TEST_F(ASite, RefusesToWorkWhereADirectoryIsAFileSystemOfItsOwn) {
  const auto bundle = testing::verified(top_ / "1.1.0", maker_.root_text, testing::site());
  ASSERT_TRUE(bundle);
  for (const auto* mount : {"/opt/shop/releases", "/var/lib/shop/runtime"}) {
    host_.mounts = {mount};
    EXPECT_EQ(bring("1.0.0").error().code, Code::own_mount);
    EXPECT_TRUE(fs::is_empty(top_ / "opt"));
    const auto rows = preflight(host_, {.system = *system_}, *bundle);
    EXPECT_EQ(fault_of(*rows)->code, Code::own_mount);
    EXPECT_THAT(table_of(*rows), HasSubstr(mount));
  }
  // The directories themselves may be: everything is renamed below them.
  host_.mounts = {"/opt/shop", "/var/lib/shop", "/opt/shops/releases"};
  ASSERT_TRUE(bring("1.0.0"));
  host_.mounts = {"/var/lib/shop/runtime"};
  EXPECT_EQ(bring("1.1.0").error().code, Code::own_mount);
  EXPECT_EQ(uninstall(premises_, false).error().code, Code::own_mount);
  expect_whole("1.0.0");
  expect_running();
}

/// Passes every call on.
class PassingDisk : public Disk {
 public:
  explicit PassingDisk(Disk& disk) : disk_(disk) {}

  Checked<std::unique_ptr<DiskFile>> create(std::string_view path, unsigned mode) override {
    return disk_.create(path, mode);
  }
  Checked<void> make_directory(std::string_view path, unsigned mode) override {
    return disk_.make_directory(path, mode);
  }
  Checked<void> symlink(std::string_view target, std::string_view path) override {
    return disk_.symlink(target, path);
  }
  Checked<void> set_mode(std::string_view path, unsigned mode) override {
    return disk_.set_mode(path, mode);
  }
  Checked<void> set_owner(std::string_view path, std::uint32_t uid, std::uint32_t gid) override {
    return disk_.set_owner(path, uid, gid);
  }
  Checked<void> copy(std::string_view from, std::string_view to) override {
    return disk_.copy(from, to);
  }
  Checked<void> rename(std::string_view from, std::string_view to) override {
    return disk_.rename(from, to);
  }
  Checked<void> remove(std::string_view path) override { return disk_.remove(path); }
  Checked<void> sync_directory(std::string_view path) override {
    return disk_.sync_directory(path);
  }
  Checked<void> sync_all() override { return disk_.sync_all(); }
  Checked<std::vector<std::string>> list(std::string_view path) const override {
    return disk_.list(path);
  }
  Checked<std::optional<Status>> status(std::string_view path) const override {
    return disk_.status(path);
  }
  Checked<std::size_t> read(std::string_view path, std::uint64_t offset,
                            std::span<char> into) const override {
    return disk_.read(path, offset, into);
  }
  Checked<std::string> target(std::string_view path) const override { return disk_.target(path); }

 private:
  Disk& disk_;
};

/// Has no space left for the journal, once it is full.
class FullDisk final : public PassingDisk {
 public:
  using PassingDisk::PassingDisk;

  Checked<std::unique_ptr<DiskFile>> create(std::string_view path, unsigned mode) override {
    if (full && path == "journal.new") return refuse(Code::host_full, "no space for the journal");
    return PassingDisk::create(path, mode);
  }

  bool full = false;
};

/// Somebody else removes files between two looks at them.
class VanishingDisk final : public PassingDisk {
 public:
  using PassingDisk::PassingDisk;

  Checked<std::optional<Status>> status(std::string_view path) const override {
    if (gone.contains(std::string(path))) return std::nullopt;
    if (listed_no_more.contains(std::string(path)) && refused_) return std::nullopt;
    return PassingDisk::status(path);
  }
  Checked<std::vector<std::string>> list(std::string_view path) const override {
    if (!listed_no_more.contains(std::string(path))) return PassingDisk::list(path);
    refused_ = true;
    return refuse(Code::host_read, "there is no directory " + std::string(path));
  }

  std::set<std::string> gone;
  std::set<std::string> listed_no_more;

 private:
  mutable bool refused_ = false;
};

TEST_F(ASite, OpensTheOldReleaseThoughItCannotWriteThatDown) {
  ASSERT_TRUE(bring("1.0.0"));
  ASSERT_TRUE(host_.write_store("of customers"));
  FullDisk full(*opt_);
  const Premises premises{
      .product = "shop", .disks = {full, *data_, *etc_, *system_}, .host = host_};
  const auto bundle = testing::verified(top_ / "1.1.0", maker_.root_text, testing::site());
  ASSERT_TRUE(bundle);
  const Reading reading{.threads = 1};
  const auto fails = names_["1.1.0"] + " health";
  host_.answers[fails] = 1;
  host_.at_call = [&]() -> Checked<void> {
    // Nothing was written down since, and the way back has begun.
    if (host_.calls.back() == "stop shop-runtime.service") {
      full.full = full.full || journal().flight->step == Step::switched;
    }
    return {};
  };
  const auto outcome = update(premises, {.bundle = *bundle, .reading = reading});
  host_.at_call = nullptr;
  ASSERT_FALSE(outcome) << "the journal still has a change in flight";
  EXPECT_EQ(outcome.error().code, Code::host_full);
  EXPECT_TRUE(full.full);
  EXPECT_FALSE(there("data/edge_door/closed")) << "customers are kept out";
  expect_running();
  EXPECT_EQ(read("opt/bin/caisson-runtime"), "runtime of 1.0.0");
  EXPECT_EQ(store(), "of customers");
  // What is acknowledged meanwhile stays when it is undone once more.
  ASSERT_TRUE(host_.write_store("of customers, and later"));
  full.full = false;
  ASSERT_TRUE(recover(premises_));
  expect_whole("1.0.0");
  expect_running();
  EXPECT_EQ(store(), "of customers, and later");
}

TEST_F(ASite, SaysWhatItLacksBeforeItWritesAnything) {
  const auto bundle = testing::verified(top_ / "1.0.0", maker_.root_text, testing::site());
  ASSERT_TRUE(bundle);
  auto rows = preflight(host_, {.system = *system_}, *bundle);
  ASSERT_TRUE(rows);
  EXPECT_FALSE(fault_of(*rows));
  host_.bytes = 1000;
  rows = preflight(host_, {.system = *system_}, *bundle);
  EXPECT_EQ(fault_of(*rows)->code, Code::host_full);
  EXPECT_THAT(table_of(*rows), HasSubstr("bytes in /opt/shop"));
  host_.systemd = 249;
  EXPECT_EQ(fault_of(*preflight(host_, {.system = *system_}, *bundle))->code, Code::host_lacks);
  host_.root = false;
  EXPECT_EQ(fault_of(*preflight(host_, {.system = *system_}, *bundle))->code, Code::host_root);
  EXPECT_TRUE(fs::is_empty(top_ / "opt"));
}

TEST_F(ASite, CountsWhatFilesTakeAndWhatVanishesNot) {
  top_.write("data/runtime/sparse", "begin");
  fs::resize_file(top_ / "data/runtime/sparse", std::uintmax_t{1} << 40);
  EXPECT_LT(size_of_tree(*data_, "runtime")->bytes, std::uint64_t{1} << 20);

  // Files of a service that runs are gone when they are looked at, and directories too.
  VanishingDisk vanishing(*data_);
  fs::create_directories(top_ / "data/runtime/wal/inner");
  top_.write("data/runtime/wal/inner/1", "log");
  const auto all = size_of_tree(vanishing, "runtime");
  ASSERT_TRUE(all);
  vanishing.gone = {"runtime/wal/inner/1"};
  EXPECT_EQ(size_of_tree(vanishing, "runtime")->entries, all->entries - 1);
  vanishing.listed_no_more = {"runtime/wal"};
  ASSERT_TRUE(size_of_tree(vanishing, "runtime"));
}

TEST_F(ASite, RefusesSizesThatNoDiskHas) {
  // A delta names sizes that no chunk bounds: added up they would begin anew at nothing.
  add_release(maker_, "1.8.0", 1'008'000, 2);
  maker_.manifest.base = Base{.manifest = sha256("base"), .version = {.major = 1}};
  Pack same{.from = Pack::From::base};
  same.files.push_back(
      {.size = kLargestNumber - 1'000'000, .digest = sha256("x"), .path = "systemd/zeros"});
  maker_.manifest.packs.push_back(same);
  maker_.seal();
  maker_.put_directory(top_ / "1.8.0");
  const auto bundle = testing::verified(top_ / "1.8.0", maker_.root_text, testing::site());
  ASSERT_TRUE(bundle) << bundle.error().what;
  host_.bytes = std::uint64_t{1} << 50;
  const auto rows = preflight(host_, {.system = *system_}, *bundle);
  ASSERT_TRUE(rows) << rows.error().what;
  EXPECT_EQ(fault_of(*rows)->code, Code::host_full);
}

TEST_F(ASite, RemovesARetiredReleaseAndFollowsNoLinkOfIt) {
  ASSERT_TRUE(bring("1.0.0"));
  top_.write("outside/kept", "kept");
  fs::create_directory_symlink(top_ / "outside",
                               top_ / ("opt/releases/" + names_["1.0.0"] + "/etc/away"));
  ASSERT_TRUE(remove_tree(*opt_, release_path(names_["1.0.0"])));
  EXPECT_EQ(read("outside/kept"), "kept");
}

}  // namespace
}  // namespace caisson::installer

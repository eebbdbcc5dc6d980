// Every change of a site, with a crash at each of its calls, with calls that fail, and with crashes
// of the recovery.

#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "installer/disk/explore_testing.h"
#include "installer/site/change.h"
#include "installer/site/containers.h"
#include "installer/site/machine_host_testing.h"
#include "installer/site/site_testing.h"
#include "installer/site/tree.h"

// Hundreds of thousands of states take ten times as long under sanitizers, where change_test walks
// the same steps.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace caisson::installer {
namespace {

using testing::Bounds;
using testing::explore;
using testing::Explored;
using testing::Machine;
using testing::MachineHost;
using testing::Scenario;

class ASiteThatCrashes : public ::testing::Test {
 protected:
  ASiteThatCrashes() {
    put_release("1.0.0", 1'000'000, 1, "g shop -\nu shop-app - \"shop app\" -\n");
    put_release("1.1.0", 1'001'000, 2, "an image");
    put_release("1.2.0", 1'002'000, 2);
    put_release(asks_, 2'000'000, 2, "questions");
    // In the other form from here on.
    put_release("3.0.0", 3'000'000, 1, "containers");
    put_release("3.1.0", 3'001'000, 2, "containers");
    top_.write("handed/mail-password", "p");
    handed_ = *open_disk(top_ / "handed");
  }

  void put_release(const std::string& version, std::uint64_t sequence, std::uint64_t data,
                   std::string_view with = {}) {
    testing::add_release(maker_, version, sequence, data, with);
    maker_.put_directory(top_ / version);
    const auto name =
        release_name(maker_.manifest.envelope.release, sha256(maker_.files.at("MANIFEST")));
    names_[version] = name;
    versions_[name] = version;
    data_[name] = data;
    auto bundle = testing::verified(top_ / version, maker_.root_text, testing::site());
    EXPECT_TRUE(bundle) << bundle.error().what;
    bundles_.emplace(version, *std::move(bundle));
  }

  /// A machine without the product, with data on a file system of their own.
  static Machine bare() {
    Machine machine;
    machine.mount("/opt");
    machine.mount("/var");
    (void)machine.open("/etc/systemd/system");
    (void)machine.open("/opt/shop");
    (void)machine.open("/var/lib/shop");
    machine.memory["is up"] = "yes";
    return machine;
  }

  /// One on which these were installed and updated to, and that has run for a while.
  Machine with(const std::vector<std::string>& versions) {
    auto machine = bare();
    for (const auto& version : versions) {
      MachineHost host(machine, data_, form_);
      const auto outcome = bring(host, version);
      EXPECT_TRUE(outcome) << outcome.error().what;
      EXPECT_EQ(outcome->kind, Outcome::Kind::done);
    }
    for (const auto* path : {"/opt/shop", "/var/lib/shop", "/etc"}) {
      EXPECT_TRUE(machine.open(path)->sync_all());
    }
    EXPECT_EQ(fault(machine, {versions.back()}), "");
    machine.mend();
    return machine;
  }

  Checked<Outcome> bring(MachineHost& host, const std::string& version) {
    const Reading reading{.threads = 1};
    Delivery delivery{.bundle = bundles_.at(version), .reading = reading, .answers = {}};
    if (version == asks_) delivery.answers = {{"domain", "a.example"}, {"mail-password", "p"}};
    auto& premises = host.premises();
    premises.secrets = handed_.get();
    const auto journal = load_journal(premises.disks.site);
    if (!journal) return tl::unexpected(journal.error());
    return *journal && !(*journal)->installed.empty() ? update(premises, delivery)
                                                      : install(premises, delivery);
  }

  static void tell(Machine& machine, const Checked<Outcome>& outcome) {
    if (!outcome) return;
    const bool done = outcome->kind == Outcome::Kind::done;
    machine.told.push_back((done ? "installed " : "rolled back to ") + outcome->release);
  }

  /// What is wrong with the product on a machine that is at rest, and may have one of these
  /// versions; "" stands for none.
  std::string fault(Machine& machine, const std::set<std::string>& may_be) {
    MachineHost host(machine, data_, form_);
    const auto& disks = host.premises().disks;
    const auto journal = load_journal(disks.site);
    if (!journal) return "the journal: " + journal.error().what;
    std::string installed;
    if (*journal) {
      if ((*journal)->flight) return "a change is in flight; " + refusal_;
      installed = (*journal)->installed;
    }
    const auto version = installed.empty() ? "" : versions_[installed];
    if (!may_be.contains(version)) return "'" + version + "' is installed";
    for (const auto& each : machine.told) {
      const auto said = each.substr(each.rfind(' ') + 1);
      if ((each.starts_with("installed ") || each.starts_with("rolled back")) &&
          &each == last_outcome(machine) && said != installed) {
        return "it was told '" + each + "', and installed is '" + installed + "'";
      }
    }
    if (auto running = host.fault(installed); !running.empty()) return running;
    if (installed.empty()) {
      if (const auto names = disks.site.list(kReleases); names && !names->empty()) {
        return "the release " + names->front() + " is left";
      }
      if (keeps_accounts_ && (!*journal || (*journal)->made.size() != 2))
        return "accounts are lost";
      if (keeps_answers_) {
        const auto kept = read_file(disks.site, kAnswersFile, 10'000);
        if (!kept || *kept != "certificates=internal\ndomain=a.example\nhttps=443\n") {
          return "answers are lost";
        }
      }
      return "";
    }
    if (auto lost = host.lost_write(); !lost.empty()) return lost;
    std::set<std::string> releases{installed};
    if (!(*journal)->previous.empty()) releases.insert((*journal)->previous);
    for (const auto& release : releases) {
      if (const auto whole = check_installed(disks.site, release); !whole)
        return whole.error().what;
    }
    const auto names = disks.site.list(kReleases);
    if (std::set(names->begin(), names->end()) != releases) return "another release is left";
    return fault_of_files(disks, version, installed);
  }

  std::string fault_of_files(const Disks& disks, const std::string& version,
                             const std::string& release) {
    const auto says = [&](const Disk& disk, const std::string& path) {
      const auto text = read_file(disk, path, 10'000);
      return text ? *text : text.error().what;
    };
    const auto current = disks.site.target(kCurrent);
    if (!current || *current != release_path(release)) return "'current' is another";
    const auto at = release_path(release);
    const auto answered = version == asks_ ? "domain a.example\n" : "";
    if (says(disks.site, at + "/etc/runtime.json") !=
        "runtime of " + version + "\nlimit 1\n" + answered) {
      return "runtime.json: " + says(disks.site, at + "/etc/runtime.json");
    }
    const auto settings = disks.site.status(at + "/etc/runtime.json");
    if (!settings || !*settings || (*settings)->mode != 0640 || (*settings)->gid != 900) {
      return "runtime.json has another mode or group";
    }
    for (const auto* unit : {"shop-runtime.service", "shop-edge.service", "shop.target"}) {
      const auto path = "systemd/system/" + std::string(unit);
      if (says(disks.etc, path) !=
          says(disks.site, tree_path(release, form_) + "/system/" + unit)) {
        return path + ": " + says(disks.etc, path);
      }
    }
    const bool image = version == "1.1.0";
    const auto app = read_file(disks.site, at + "/images/app/root/app", 10'000);
    const auto drop_in =
        read_file(disks.etc, "systemd/system/shop-app.service.d/image.conf", 10'000);
    const auto link = disks.site.target("images");
    if (app.has_value() != image || drop_in.has_value() != image || link.has_value() != image) {
      return "the image is there in part";
    }
    if (image && (*app != "app of 1.1.0" || *link != "current/images" ||
                  *drop_in != says(disks.site, at + "/images/app/image.conf"))) {
      return "the image is another";
    }
    const auto secret = disks.site.status("secrets/operator-token");
    const bool contained = form_ == Form::compose;
    if (!secret || !*secret || (*secret)->mode != (contained ? 0440 : 0600) ||
        (*secret)->gid != (contained ? kContainerGroup : 0) || (*secret)->size != 43) {
      return "the secret is not whole";
    }
    if (contained &&
        !says(disks.site, at + "/" + std::string(kComposeEnv)).ends_with("\nMAIL_PASSWORD='p'\n")) {
      return "compose.env: " + says(disks.site, at + "/" + std::string(kComposeEnv));
    }
    const auto stores = disks.data.list("");
    if (*stores != std::vector<std::string>{"edge", "edge_door", "runtime"})
      return "copies of data are left";
    return "";
  }

  static const std::string* last_outcome(const Machine& machine) {
    const std::string* last = nullptr;
    for (const auto& each : machine.told) {
      if (!each.starts_with("acknowledged ")) last = &each;
    }
    return last;
  }

  /// After a crash the machine boots; then somebody recovers by hand.
  Scenario scenario(std::function<void(Machine&, MachineHost&)> change,
                    std::set<std::string> may_be, const std::string& unwell = {}) {
    const auto host_of = [this, unwell](Machine& machine) {
      auto host = std::make_unique<MachineHost>(machine, data_, form_);
      if (!unwell.empty()) host->unwell.insert(names_.at(unwell));
      return host;
    };
    return {.run = [=](Machine& machine) { change(machine, *host_of(machine)); },
            .recover =
                [this, host_of](Machine& machine) {
                  const auto host = host_of(machine);
                  if (!machine.memory.contains("is up")) host->boot();
                  const auto recovered = recover(host->premises());
                  refusal_ = recovered ? "" : recovered.error().what;
                },
            .fault = [this, may_be](Machine& machine) { return fault(machine, may_be); }};
  }

  /// `few` where another form's test goes through the same steps.
  void expect_right(const Machine& begin, const Scenario& scenario, bool few = false) {
    // A change has some 300 calls: as many states as fit into a minute, and more when asked.
    const std::size_t crashes = few ? 3 : 12;
    Bounds bounds{.crashes = crashes,
                  .recoveries = 1,
                  .crashes_again = 1,
                  .stride = few ? 8U : 1U,
                  .crashes_failed = 2,
                  .failing = 2};
    if (const char* factor = std::getenv("CAISSON_CRASHES")) {
      const auto times = std::strtoul(factor, nullptr, 10);
      bounds = {.crashes = crashes * times,
                .recoveries = times,
                .crashes_again = times,
                .crashes_failed = 2 * times,
                .failing = 2 * times};
    }
    const auto all = explore(begin, scenario, bounds);
    std::cout << all.text() << "\n";
    EXPECT_EQ(all.wrong, 0U);
  }

  Scratch top_;
  testing::Maker maker_;
  std::map<std::string, std::string> names_;
  std::map<std::string, std::string> versions_;
  std::map<std::string, std::uint64_t> data_;
  std::map<std::string, VerifiedBundle> bundles_;
  std::string refusal_;         ///< of the last recovery by hand
  bool keeps_answers_ = false;  ///< where nothing is installed
  bool keeps_accounts_ = false;
  const std::string asks_ = "2.0.0";
  Form form_ = Form::systemd;
  std::unique_ptr<Disk> handed_;
};

TEST_F(ASiteThatCrashes, IsInstalledWholeOrNotAtAll) {
  expect_right(bare(), scenario([this](Machine& machine,
                                       MachineHost& host) { tell(machine, bring(host, "1.0.0")); },
                                {"", "1.0.0"}));
}

TEST_F(ASiteThatCrashes, HasTheOldOrTheNewReleaseWhenItIsUpdated) {
  expect_right(
      with({"1.0.0"}),
      scenario([this](Machine& machine, MachineHost& host) { tell(machine, bring(host, "1.1.0")); },
               {"1.0.0", "1.1.0"}));
}

TEST_F(ASiteThatCrashes, HasTheOldReleaseWhenTheNewOneIsNotWell) {
  expect_right(
      with({"1.0.0"}),
      scenario([this](Machine& machine, MachineHost& host) { tell(machine, bring(host, "1.1.0")); },
               {"1.0.0"}, "1.1.0"));
}

TEST_F(ASiteThatCrashes, HasTheOldOrTheNewReleaseWhenItIsTakenBack) {
  expect_right(with({"1.1.0", "1.2.0"}),
               scenario([](Machine& machine,
                           MachineHost& host) { tell(machine, roll_back(host.premises())); },
                        {"1.1.0", "1.2.0"}));
}

TEST_F(ASiteThatCrashes, IsUninstalledOrNot) {
  for (const bool keep_data : {true, false}) {
    keeps_accounts_ = keep_data;
    expect_right(with({"1.0.0"}), scenario(
                                      [&](Machine& machine, MachineHost& host) {
                                        tell(machine, uninstall(host.premises(), keep_data));
                                      },
                                      {"", "1.0.0"}));
  }
}

TEST_F(ASiteThatCrashes, KeepsWhatItHasAnsweredWhenItKeepsItsData) {
  keeps_answers_ = true;
  const auto begin = with({asks_});
  expect_right(begin,
               scenario([&](Machine& machine,
                            MachineHost& host) { tell(machine, uninstall(host.premises(), true)); },
                        {"", asks_}));
}

TEST_F(ASiteThatCrashes, HasTheOldOrTheNewReleaseWhenItsContainersAreUpdated) {
  form_ = Form::compose;
  expect_right(
      with({"3.0.0"}),
      scenario([this](Machine& machine, MachineHost& host) { tell(machine, bring(host, "3.1.0")); },
               {"3.0.0", "3.1.0"}),
      true);
}

TEST_F(ASiteThatCrashes, IsUninstalledOrNotWhereItIsContainers) {
  form_ = Form::compose;
  expect_right(with({"3.0.0"}),
               scenario([](Machine& machine,
                           MachineHost& host) { tell(machine, uninstall(host.premises(), false)); },
                        {"", "3.0.0"}));
}

}  // namespace
}  // namespace caisson::installer

#endif

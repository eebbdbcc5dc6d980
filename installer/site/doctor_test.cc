// What the doctor finds, and what a dry run tells, of a site on real directories.

#include "installer/site/doctor.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "installer/site/forecast.h"
#include "installer/site/site_fixture_testing.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Level = Finding::Level;

class ADoctor : public testing::ASite {
 protected:
  /// The faults, as "what: is", sorted; every one has a remedy.
  std::vector<std::string> faults() {
    // Somebody listens at the ports of a site that runs.
    host_.taken = {80, 443};
    std::vector<std::string> all;
    for (const auto& finding : examine(premises_)) {
      if (finding.level != Level::fault) continue;
      EXPECT_NE(finding.remedy, "") << finding.what;
      all.push_back(finding.what + ": " + finding.is);
    }
    std::ranges::sort(all);
    return all;
  }

  std::vector<std::string> notes() {
    std::vector<std::string> all;
    for (const auto& finding : examine(premises_)) {
      if (finding.level == Level::note) all.push_back(finding.what + ": " + finding.is);
    }
    return all;
  }

  /// Everything below the directories of the site, with its content.
  std::vector<std::string> everything() const {
    std::vector<std::string> all;
    for (const auto* top : {"opt", "data", "etc"}) {
      for (const auto& entry : fs::recursive_directory_iterator(top_ / top)) {
        all.push_back(entry.path().string() +
                      (entry.is_regular_file() ? testing::take(entry.path()) : ""));
      }
    }
    std::ranges::sort(all);
    return all;
  }
};

TEST_F(ADoctor, FindsNothingOnASiteThatIsWellAndWritesNothing) {
  ASSERT_TRUE(keeps_roots());
  ASSERT_TRUE(bring("1.0.0"));
  const auto before = everything();
  EXPECT_THAT(faults(), IsEmpty());
  EXPECT_EQ(everything(), before);
}

TEST_F(ADoctor, FindsEachThingThatIsNotAsItWasInstalled) {
  if (geteuid() != 0) GTEST_SKIP() << "secrets are root's";
  ASSERT_TRUE(keeps_roots());
  ASSERT_TRUE(bring("1.0.0"));
  const auto release = "opt/releases/" + names_["1.0.0"];
  struct Case {
    const char* finds;
    std::function<void()> breaks;
    std::function<void()> mends;
  };
  const auto swap = [&](const std::string& path, const std::string& text) {
    const auto was = read(path);
    top_.write(path, text);
    return was;
  };
  std::string was;
  const std::vector<Case> cases{
      {"is not what was installed|has another content than was installed",
       [&] { was = swap(release + "/tree/bin/caddy", "other"); },
       [&] { swap(release + "/tree/bin/caddy", was); }},
      {"file /etc/systemd/system/shop-edge.service: it is not what the release brings",
       [&] { was = swap("etc/systemd/system/shop-edge.service", "edited"); },
       [&] { swap("etc/systemd/system/shop-edge.service", was); }},
      {"unit shop-runtime.service: it is failed",
       [&] {
         host_.running.erase("shop-runtime.service");
         host_.broken = {"shop-runtime.service"};
       },
       [&] {
         host_.broken.clear();
         host_.running.insert("shop-runtime.service");
       }},
      {"boot: shop-recover.service is not enabled",
       [&] { host_.enabled.erase("shop-recover.service"); },
       [&] { host_.enabled.insert("shop-recover.service"); }},
      {"edge: it is closed, and no change is in work",
       [&] { top_.write("data/edge_door/closed", ""); },
       [&] { fs::remove(top_ / "data/edge_door/closed"); }},
      {"secret /opt/shop/secrets/operator-token: others than root may read it",
       [&] { fs::permissions(top_ / "opt/secrets/operator-token", fs::perms{0640}); },
       [&] { fs::permissions(top_ / "opt/secrets/operator-token", fs::perms{0600}); }},
      {"secret /opt/shop/secrets/operator-token: it is not there",
       [&] { fs::rename(top_ / "opt/secrets/operator-token", top_ / "token"); },
       [&] { fs::rename(top_ / "token", top_ / "opt/secrets/operator-token"); }},
      {"health: the health check of shop-runtime.service",
       [&] { host_.answers[names_["1.0.0"] + " health"] = 1; }, [&] { host_.answers.clear(); }},
      {"clock: it is before the release's date", [&] { host_.clock = 1000; },
       [&] { host_.clock = 1'800'000'000; }},
      {"mounts: /var/lib/shop/runtime is a file system of its own",
       [&] { host_.mounts = {"/var/lib/shop/runtime"}; }, [&] { host_.mounts.clear(); }},
      {"space in /opt/shop: 1 MB", [&] { host_.bytes = 1'000'000; },
       [&] { host_.bytes = std::uint64_t{1} << 40; }},
      {"systemd: version 249", [&] { host_.systemd = 249; }, [&] { host_.systemd = 252; }},
      {"roots: the site keeps none", [&] { fs::rename(top_ / "opt/roots", top_ / "roots"); },
       [&] { fs::rename(top_ / "roots", top_ / "opt/roots"); }},
      {"link /opt/shop/bin", [&] { fs::remove(top_ / "opt/bin"); },
       [&] { fs::create_symlink("current/tree/bin", top_ / "opt/bin"); }},
      {"journal: ", [&] { was = swap("opt/journal", "damaged\n"); },
       [&] { swap("opt/journal", was); }}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.finds);
    each.breaks();
    const auto found = faults();
    std::string_view expected = each.finds;
    expected =
        expected.substr(expected.find('|') == std::string_view::npos ? 0 : expected.find('|') + 1);
    EXPECT_THAT(found, Contains(HasSubstr(std::string(expected))));
    each.mends();
    EXPECT_THAT(faults(), IsEmpty());
  }
  top_.write("opt/etc/dashboard.json", "mine\n");
  EXPECT_THAT(faults(), IsEmpty());
  EXPECT_THAT(notes(), Contains(HasSubstr("dashboard.json was changed here")));
}

TEST_F(ADoctor, TellsWhatIsInWorkAndWhatIsLeft) {
  ASSERT_TRUE(keeps_roots());
  ASSERT_TRUE(bring("1.0.0"));
  auto journal = this->journal();
  journal.flight = Flight{
      .change = Change::update, .step = Step::held, .from = names_["1.0.0"], .to = names_["1.1.0"]};
  ASSERT_TRUE(save_journal(*opt_, journal));
  EXPECT_THAT(faults(), ::testing::ElementsAre(HasSubstr("both releases leak")));
  journal.flight->step = Step::migrated;
  ASSERT_TRUE(save_journal(*opt_, journal));
  EXPECT_THAT(faults(), ::testing::ElementsAre(HasSubstr("'update' has come to 'migrated'")));
  journal.flight.reset();
  ASSERT_TRUE(save_journal(*opt_, journal));
  ASSERT_TRUE(uninstall(premises_, true));
  EXPECT_THAT(faults(), IsEmpty());
  EXPECT_THAT(notes(), Contains(HasSubstr("/var/lib/shop: data")));
}

TEST_F(ADoctor, IsNotNeededToKnowWhatAChangeWouldDo) {
  ASSERT_TRUE(bring("1.1.0"));
  EXPECT_EQ(forecast_roll_back(premises_).error().code, Code::no_previous);
  ASSERT_TRUE(bring("1.2.0"));
  top_.write("data/backups/runtime/1.db", "copy");
  const auto before = everything();
  const auto calls = host_.calls.size();
  auto lines = forecast_roll_back(premises_);
  ASSERT_TRUE(lines) << lines.error().what;
  EXPECT_THAT(*lines, Contains(HasSubstr("go back to 1.1.0")));
  EXPECT_THAT(*lines, Contains("restart shop-runtime.service"));
  for (const bool keep : {true, false}) {
    const std::string verb = keep ? "keep" : "remove";
    lines = forecast_uninstall(premises_, keep);
    ASSERT_TRUE(lines) << lines.error().what;
    EXPECT_THAT(*lines, Contains("stop shop-runtime.service"));
    EXPECT_THAT(*lines, Contains("remove /etc/systemd/system/shop-edge.service"));
    EXPECT_THAT(*lines, Contains(HasSubstr(verb + " /var/lib/shop/backups (4 bytes in 1 file)")));
    EXPECT_THAT(*lines, Contains(HasSubstr(verb + " /var/lib/shop/runtime (")));
  }
  EXPECT_EQ(everything(), before);
  EXPECT_EQ(host_.calls.size(), calls);
  // What would be refused is refused now.
  std::ofstream(top_ / ("opt/releases/" + names_["1.1.0"] + "/tree/bin/caddy")) << "other";
  EXPECT_EQ(forecast_roll_back(premises_).error().code, Code::damaged);
  host_.mounts = {"/var/lib/shop/runtime"};
  EXPECT_EQ(forecast_uninstall(premises_, false).error().code, Code::own_mount);
}

}  // namespace
}  // namespace caisson::installer

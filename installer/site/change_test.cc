// Changes of a site, on real directories and a model of its host.

#include "installer/site/change.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/site/forecast.h"
#include "installer/site/settings.h"
#include "installer/site/site_fixture_testing.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::ASite;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// The installer was killed.
struct Killed {};

TEST_F(ASite, IsInstalled) {
  const auto outcome = bring("1.0.0");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->kind, Outcome::Kind::done);
  expect_whole("1.0.0");
  expect_running();
  EXPECT_EQ(journal().floor->release.sequence, 1'000'000U);
  EXPECT_EQ(read("opt/secrets/operator-token").size(), 43U);
  const auto status = **opt_->status("secrets/operator-token");
  EXPECT_EQ(status.mode, 0600U);
  const auto report = read("opt/current/install-report.json");
  EXPECT_THAT(report, HasSubstr(R"("files-hashed-on-disk":"15")"));
  EXPECT_THAT(report, HasSubstr("isolation was not probed: the release has no bin/caisson"));
  EXPECT_THAT(read("etc/systemd/system/shop-recover.service"),
              HasSubstr("Before=shop-runtime.service\n"));
  // Nothing is started before its configuration is there, and the edge comes last.
  const auto& calls = host_.calls;
  const auto at = [&](const std::string& call) { return std::ranges::find(calls, call); };
  EXPECT_LT(at("reload "), at("start shop-runtime.service"));
  EXPECT_LT(at("start shop-runtime.service"), at("start shop-edge.service"));
  EXPECT_LT(at("start shop-edge.service"), at("start shop.target"));
  EXPECT_EQ(bring("1.0.0")->kind, Outcome::Kind::nothing);
}

TEST_F(ASite, IsUpdatedWithItsData) {
  ASSERT_TRUE(bring("1.0.0"));
  ASSERT_TRUE(host_.write_store("of customers"));
  const auto outcome = bring("1.1.0");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->kind, Outcome::Kind::done);
  expect_whole("1.1.0");
  expect_running();
  EXPECT_EQ(store(), "migrated by " + names_["1.1.0"]);
  EXPECT_EQ(journal().previous, names_["1.0.0"]);
  ASSERT_TRUE(bring("1.2.0"));
  expect_whole("1.2.0");
  EXPECT_FALSE(there("opt/releases/" + names_["1.0.0"]));
}

TEST_F(ASite, ClosesTheDoorWhileNothingIsToBeAcknowledged) {
  ASSERT_TRUE(bring("1.0.0"));
  host_.calls.clear();
  host_.at_call = [&]() -> Checked<void> {
    auto& call = host_.calls.back();
    if (call.starts_with("st") || call.ends_with(" migrate")) {
      call += there("data/edge_door/closed") ? ", closed" : ", open";
    }
    return {};
  };
  ASSERT_TRUE(bring("1.1.0"));
  host_.at_call = nullptr;
  std::vector<std::string> order;
  for (const auto& call : host_.calls) {
    if (call.starts_with("stop shop-runtime.s") || call.starts_with("start") ||
        call.starts_with("stop shop-edge") || call.starts_with("stop shop.target") ||
        call.ends_with("migrate, closed") || call.ends_with("migrate, open")) {
      order.push_back(call.starts_with("run") ? "migrate" : call);
    }
  }
  EXPECT_THAT(order,
              ElementsAre("stop shop-runtime.service, closed", "migrate",
                          "start shop-dashboard.service, closed",
                          "start shop-runtime.service, closed", "stop shop-edge.service, closed",
                          "start shop-edge.service, closed", "start shop.target, open"));
}

TEST_F(ASite, GoesBackWhenTheEdgeOfTheReleaseDoesNotStart) {
  ASSERT_TRUE(bring("1.0.0"));
  host_.broken = {"shop-edge.service"};
  host_.at_call = [&]() -> Checked<void> {
    if (journal().flight->step == Step::undone) host_.broken.clear();
    return {};
  };
  const auto outcome = bring("1.1.0");
  host_.at_call = nullptr;
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->why->code, Code::not_well);
  expect_whole("1.0.0");
  expect_running();
}

TEST_F(ASite, GoesBackWithItsDataWhenTheReleaseIsNotWell) {
  ASSERT_TRUE(bring("1.0.0"));
  const auto to = names_["1.1.0"];
  struct Case {
    const char* name;
    std::function<void()> breaks;
    Code code;
  };
  const std::vector<Case> cases{
      {"health", [&] { host_.answers[to + " health"] = 1; }, Code::not_well},
      {"migrate", [&] { host_.answers[to + " migrate"] = 3; }, Code::not_migrated}};
  for (const auto& each : cases) {
    SCOPED_TRACE(each.name);
    ASSERT_TRUE(host_.write_store("of customers"));
    host_.answers.clear();
    each.breaks();
    const auto outcome = bring("1.1.0", true);
    ASSERT_TRUE(outcome) << outcome.error().what;
    EXPECT_EQ(outcome->kind, Outcome::Kind::rolled_back);
    EXPECT_EQ(outcome->why->code, each.code);
    expect_whole("1.0.0");
    expect_running();
    EXPECT_EQ(store(), "of customers");
    ASSERT_EQ(journal().refused.size(), 1U);
    EXPECT_EQ(journal().refused[0].code, entry_of(each.code).number);
  }
  EXPECT_EQ(bring("1.1.0").error().code, Code::refused_release);
  host_.answers.clear();
  EXPECT_EQ(bring("1.1.0", true)->kind, Outcome::Kind::done);
  expect_whole("1.1.0");
  EXPECT_THAT(journal().refused, IsEmpty());
}

TEST_F(ASite, IsTakenBackToThePreviousReleaseByHand) {
  ASSERT_TRUE(bring("1.0.0"));
  ASSERT_TRUE(bring("1.1.0"));
  EXPECT_EQ(roll_back(premises_).error().code, Code::older_reader);
  ASSERT_TRUE(bring("1.2.0"));
  const auto outcome = roll_back(premises_);
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->kind, Outcome::Kind::done);
  expect_whole("1.1.0");
  expect_running();
  EXPECT_EQ(journal().previous, names_["1.2.0"]);
  EXPECT_EQ(journal().floor->release.sequence, 1'002'000U);
  // Forward again, to the release that was left.
  ASSERT_TRUE(bring("1.2.0"));
  expect_whole("1.2.0");
}

TEST_F(ASite, LooksForNothingElsewhereUntilSomebodyTakesItAlong) {
  maker_.manifest.places = {{"systemd", "tenant/acme", "runtime-data"}};
  put_release("1.1.0", 1'001'000, 2);
  maker_.manifest.places = {{"systemd", "tenant/acme", "runtime-acme-data"}};
  put_release("1.2.0", 1'002'000, 2);
  ASSERT_TRUE(bring("1.1.0"));
  EXPECT_EQ(bring("1.2.0").error().code, Code::data_move);
  expect_whole("1.1.0");
  premises_.moves = {"tenant/acme"};
  ASSERT_TRUE(bring("1.2.0"));
  expect_whole("1.2.0");
  // The data that the new place has got are not in the old one.
  premises_.moves.clear();
  EXPECT_EQ(roll_back(premises_).error().code, Code::data_move);
  EXPECT_EQ(forecast_roll_back(premises_).error().code, Code::data_move);
  premises_.moves = {"tenant/acme"};
  ASSERT_TRUE(roll_back(premises_));
  expect_whole("1.1.0");
}

TEST_F(ASite, RefusesToGoBackToWhatIsDamaged) {
  ASSERT_TRUE(bring("1.1.0"));
  ASSERT_TRUE(bring("1.2.0"));
  std::ofstream(top_ / ("opt/releases/" + names_["1.1.0"] + "/tree/bin/caddy")) << "other";
  const auto outcome = roll_back(premises_);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, Outcome::Kind::rolled_back);
  EXPECT_EQ(outcome->why->code, Code::damaged);
  expect_whole("1.2.0");
  expect_running();
}

TEST_F(ASite, KeepsWhatTheAdministratorChanged) {
  ASSERT_TRUE(bring("1.0.0"));
  std::ofstream(top_ / "opt/etc/dashboard.json") << "mine\n";
  std::ofstream(top_ / "opt/etc/note") << "added\n";
  ASSERT_TRUE(bring("1.1.0"));
  expect_whole("1.1.0");
  EXPECT_EQ(read("opt/etc/dashboard.json"), "mine\n");
  EXPECT_EQ(read("opt/etc/note"), "added\n");

  std::ofstream(top_ / "opt/etc/runtime.json") << "runtime of 1.1.0\nlimit 2\n";
  host_.calls.clear();
  const auto outcome = bring("1.2.0");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->why->code, Code::edited_twice);
  EXPECT_THAT(outcome->why->what, HasSubstr("etc/runtime.json"));
  EXPECT_THAT(outcome->why->what, HasSubstr("- limit 2"));
  EXPECT_THAT(outcome->why->what, HasSubstr("+ runtime of 1.2.0"));
  EXPECT_THAT(host_.calls, Not(Contains(::testing::StartsWith("stop"))));
  expect_whole("1.1.0");
}

TEST_F(ASite, IsAsBeforeAfterAnInstallThatFails) {
  host_.answers[names_["1.0.0"] + " health"] = 1;
  auto outcome = bring("1.0.0");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->kind, Outcome::Kind::rolled_back);
  EXPECT_TRUE(fs::is_empty(top_ / "opt"));
  EXPECT_TRUE(fs::is_empty(top_ / "data"));
  EXPECT_THAT(host_.running, IsEmpty());
  EXPECT_THAT(host_.enabled, IsEmpty());
  EXPECT_THAT(outcome->kept, IsEmpty());
  // Whom the site trusts was kept before, and is told; the rest of it goes when somebody asks.
  top_.write("opt/roots/root.1", "root");
  outcome = bring("1.0.0");
  ASSERT_TRUE(outcome);
  EXPECT_THAT(outcome->kept, ElementsAre("/opt/shop/roots: whom this site trusts"));
  EXPECT_THAT(uninstall(premises_, true)->kept,
              ElementsAre("/opt/shop/roots: whom this site trusts"));
  ASSERT_EQ(uninstall(premises_, false)->kind, Outcome::Kind::done);
  EXPECT_TRUE(fs::is_empty(top_ / "opt"));
  EXPECT_EQ(uninstall(premises_, false).error().code, Code::not_installed);

  // What was there before the install stays.
  host_.answers.clear();
  ASSERT_TRUE(bring("1.0.0"));
  ASSERT_TRUE(host_.write_store("of customers"));
  ASSERT_TRUE(uninstall(premises_, true));
  host_.answers[names_["1.1.0"] + " health"] = 1;
  outcome = bring("1.1.0");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, Outcome::Kind::rolled_back);
  EXPECT_EQ(store(), "of customers");
  EXPECT_TRUE(there("opt/secrets/operator-token"));
  EXPECT_THAT(outcome->kept, Contains("/var/lib/shop: data"));
}

TEST_F(ASite, RefusesServicesThatAreProgramsAndCarriesImagesOfOtherForms) {
  maker_.manifest.forms = {"compose", "systemd"};
  put_release("1.3.0", 1'003'000, 2);
  ASSERT_TRUE(bring("1.3.0"));
  expect_whole("1.3.0");
  put_release("1.4.0", 1'004'000, 2, "a program");
  host_.calls.clear();
  const auto outcome = bring("1.4.0");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->why->code, Code::with_programs);
  EXPECT_THAT(host_.calls, IsEmpty());
  expect_whole("1.3.0");
}

TEST_F(ASite, UnpacksServicesThatAreImagesAndSwitchesThemWithTheRelease) {
  put_release("1.3.0", 1'003'000, 2, "an image");
  put_release("1.4.0", 1'004'000, 2, "an image");
  put_release("1.5.0", 1'005'000, 2);
  ASSERT_TRUE(bring("1.3.0"));
  const auto expect_app = [&](const std::string& version) {
    EXPECT_EQ(read("opt/images/app/root/app"), "app of " + version);
    EXPECT_THAT(read("etc/systemd/system/shop-app.service.d/image.conf"),
                AllOf(HasSubstr("ExecStart=\"@/app\" \"/app\" \"serve\" \"" + version + "\"\n"),
                      HasSubstr("WorkingDirectory=/\n")));
    EXPECT_TRUE(host_.running.contains("shop-app.service"));
  };
  expect_app("1.3.0");
  ASSERT_TRUE(bring("1.4.0"));
  expect_app("1.4.0");
  ASSERT_TRUE(roll_back(premises_));
  expect_app("1.3.0");
  const auto outcome = bring("1.5.0");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->kind, Outcome::Kind::done);
  EXPECT_FALSE(there("opt/images"));
  EXPECT_FALSE(there("etc/systemd/system/shop-app.service.d"));
  EXPECT_FALSE(host_.running.contains("shop-app.service"));
}

TEST_F(ASite, StaysAsItIsWhenAnImageIsHostile) {
  put_release("1.3.0", 1'003'000, 2, "a hostile image");
  ASSERT_TRUE(bring("1.0.0"));
  const auto outcome = bring("1.3.0");
  ASSERT_TRUE(outcome) << outcome.error().what;
  ASSERT_TRUE(outcome->why);
  EXPECT_EQ(outcome->why->code, Code::layer_path);
  EXPECT_FALSE(there("opt/images"));
  EXPECT_FALSE(there("opt/escaped"));
  expect_whole("1.0.0");
}

TEST_F(ASite, SaysWhichSecretsAreMissingAndWhichPortIsTaken) {
  host_.taken = {443};
  EXPECT_EQ(bring("1.0.0")->why->code, Code::port_taken);
  host_.taken.clear();
  SiteNeeds needs;
  needs.secrets = {{SiteSecret::Source::copied, "sso-key", 0, "secrets/sso.pem"},
                   {SiteSecret::Source::given, "mail", 0, "the vault"},
                   {SiteSecret::Source::generated, "token", 8, ""}};
  const auto missing = make_secrets(premises_, needs, {.secrets = {}, .others = {}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::missing_secret);
  EXPECT_THAT(missing.error().what, HasSubstr("sso-key"));
  EXPECT_THAT(missing.error().what, HasSubstr("mail"));
  EXPECT_FALSE(there("opt/secrets/token"));
  top_.write("handed/sso-key", "pem");
  top_.write("handed/mail", "word");
  const auto handed = open_disk(top_ / "handed");
  premises_.secrets = handed->get();
  ASSERT_TRUE(make_secrets(premises_, needs, {.secrets = {}, .others = {}}));
  EXPECT_EQ(read("opt/secrets/sso-key"), "pem");
  EXPECT_TRUE(there("opt/secrets/token"));
}

TEST_F(ASite, IsUninstalledWithOrWithoutItsData) {
  ASSERT_TRUE(bring("1.0.0"));
  ASSERT_TRUE(host_.write_store("of customers"));
  ASSERT_TRUE(uninstall(premises_, true));
  EXPECT_EQ(store(), "of customers");
  EXPECT_TRUE(there("opt/secrets/operator-token"));
  EXPECT_FALSE(there("opt/current"));
  EXPECT_FALSE(there("opt/releases"));
  EXPECT_FALSE(there("etc/shop"));
  EXPECT_FALSE(there("etc/systemd/system/shop.target"));
  EXPECT_FALSE(there("etc/systemd/system/shop-recover.service"));
  EXPECT_FALSE(there("etc/sysusers.d/shop.conf"));
  EXPECT_THAT(host_.enabled, IsEmpty());
  EXPECT_THAT(host_.running, IsEmpty());
  const auto again = uninstall(premises_, true);
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(again->kind, Outcome::Kind::nothing);
  EXPECT_THAT(again->kept, ElementsAre("/var/lib/shop: data", "/opt/shop/secrets: secrets"));
  // What was kept is there again.
  ASSERT_TRUE(bring("1.1.0"));
  expect_whole("1.1.0");
  EXPECT_EQ(store(), "of customers");
  ASSERT_TRUE(uninstall(premises_, false));
  EXPECT_TRUE(fs::is_empty(top_ / "opt"));
  EXPECT_TRUE(fs::is_empty(top_ / "data"));

  // What was kept is removed later.
  ASSERT_TRUE(bring("1.1.0"));
  ASSERT_TRUE(uninstall(premises_, true));
  const auto outcome = uninstall(premises_, false);
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->kind, Outcome::Kind::done);
  EXPECT_THAT(outcome->kept, IsEmpty());
  EXPECT_TRUE(fs::is_empty(top_ / "opt"));
  EXPECT_TRUE(fs::is_empty(top_ / "data"));
}

TEST_F(ASite, NamesTheAccountsThatItsReleasesHaveMade) {
  const std::string cut = "shop-a-name-that-was-c-0123abcd";
  put_release("2.0.0", 2'000'000, 1,
              "g till -\nu till-edge - \"shop edge\" -\nu " + cut +
                  " - \"shop a-name-that-was-cut-off\" -\n");
  put_release("2.1.0", 2'001'000, 1, "g shop -\nu shop-edge - \"shop edge\" -\n");
  put_release("2.2.0", 2'002'000, 1, "g shop -\nu shop-edge - \"shop edge\" /var/lib/shop/edge\n");
  const auto line = [](const std::string& name, const std::string& instance) {
    return name + ":x:8:8:shop " + instance + ":/:/usr/sbin/nologin\n";
  };
  const auto make = [&](const std::string& accounts) {
    top_.write("etc/passwd", accounts + "anna:x:1000:1000:shop edge:/home/anna:/bin/sh\n");
  };
  const std::vector<std::string> all{"the account " + cut, "the account till-edge",
                                     "the account shop-edge", "the group till", "the group shop"};
  const auto everything = line(cut, "a-name-that-was-cut-off") + line("till-edge", "edge");
  make("");
  ASSERT_TRUE(bring("2.0.0"));
  make(everything);
  ASSERT_TRUE(bring("2.1.0"));
  make(everything + line("shop-edge", "edge"));
  // An account that runs already is the product's, whatever the next release declares of it; the
  // first release goes.
  ASSERT_EQ(bring("2.2.0")->kind, Outcome::Kind::done);
  top_.write("etc/group", "till:x:20:\nshop:x:21:anna\nusers:x:22:\n");
  EXPECT_FALSE(there("opt/releases/" + names_["2.0.0"]));
  auto lines = *forecast_uninstall(premises_, false);
  for (const auto& each : all) EXPECT_THAT(lines, Contains("keep " + each));
  ASSERT_THAT(uninstall(premises_, true)->kept, ::testing::IsSupersetOf(all));
  // No release is left, and the site knows them; so it does when it was killed in between.
  auto begun = journal();
  begun.flight = Flight{.change = Change::uninstall, .step = Step::committed, .from = {}, .to = {}};
  ASSERT_TRUE(save_journal(*opt_, begun));
  EXPECT_THAT(recover(premises_)->kept, ::testing::UnorderedElementsAreArray(all));
  EXPECT_FALSE(there("opt/journal"));
  // Somebody has removed those that live in the product's directory, and all are taken again.
  ASSERT_EQ(bring("2.0.0")->kind, Outcome::Kind::done);
  EXPECT_THAT(journal().made, IsEmpty()) << "the release that is here names them";

  // An older program has committed, and noted none.
  begun = journal();
  begun.flight = Flight{.change = Change::uninstall,
                        .step = Step::committed,
                        .from = std::exchange(begun.installed, {}),
                        .to = {}};
  ASSERT_TRUE(save_journal(*opt_, begun));
  EXPECT_THAT(recover(premises_)->kept,
              ::testing::UnorderedElementsAre("the account " + cut, "the account till-edge",
                                              "the account shop-edge", "the group till"));
}

/// Kills the installer before every call of its host, recovers, and looks.
class AKilledInstaller : public ASite, public ::testing::WithParamInterface<bool> {
 protected:
  /// Runs a change that dies at its n-th call; false once it has fewer.
  bool dies(std::size_t n, const std::function<void()>& change) {
    std::size_t count = 0;
    host_.at_call = [&count, n]() -> Checked<void> {
      if (++count == n) throw Killed();
      return {};
    };
    try {
      change();
    } catch (const Killed&) {
      host_.at_call = nullptr;
      return true;
    }
    host_.at_call = nullptr;
    return false;
  }

  void recovers() {
    if (GetParam()) {
      // The power was cut: nothing runs, and the boot waits for the installer.
      host_.running.clear();
      premises_.booting = true;
    }
    // Killed in the middle as well, and then once more to its end.
    for (std::size_t n = 1; n < 6; ++n) {
      dies(n, [&] { (void)recover(premises_); });
    }
    const auto recovered = recover(premises_);
    ASSERT_TRUE(recovered) << recovered.error().what;
    EXPECT_EQ(recover(premises_)->kind, Outcome::Kind::nothing);
    premises_.booting = false;
  }
};

TEST_P(AKilledInstaller, LeavesTheOldOrTheNewRelease) {
  ASSERT_TRUE(bring("1.0.0"));
  std::size_t old = 0;
  std::size_t now = 0;
  for (std::size_t n = 1;; ++n) {
    ASSERT_TRUE(host_.write_store("of customers"));
    const bool died = dies(n, [&] { (void)bring("1.1.0"); });
    if (!died) break;
    ASSERT_NO_FATAL_FAILURE(recovers());
    if (!GetParam()) expect_running();
    if (journal().installed == names_["1.0.0"]) {
      ++old;
      expect_whole("1.0.0");
      EXPECT_EQ(store(), "of customers") << n;
      continue;
    }
    ++now;
    expect_whole("1.1.0");
    EXPECT_EQ(store(), "migrated by " + names_["1.1.0"]) << n;
    // Back to the beginning, by way of nothing.
    ASSERT_TRUE(uninstall(premises_, false));
    ASSERT_TRUE(bring("1.0.0"));
  }
  EXPECT_GT(old, 5U);
  EXPECT_GT(now, 2U);
}

TEST_P(AKilledInstaller, LeavesAnInstallWholeOrNothing) {
  for (std::size_t n = 1;; ++n) {
    if (!dies(n, [&] { (void)bring("1.0.0"); })) break;
    ASSERT_NO_FATAL_FAILURE(recovers());
    if (there("opt/journal")) {
      expect_whole("1.0.0");
      ASSERT_TRUE(uninstall(premises_, false));
    } else {
      EXPECT_TRUE(fs::is_empty(top_ / "opt"));
      EXPECT_TRUE(fs::is_empty(top_ / "data"));
      EXPECT_FALSE(there("opt/current"));
      EXPECT_FALSE(there("etc/systemd/system/shop.target"));
    }
  }
  expect_whole("1.0.0");
}

TEST_P(AKilledInstaller, LeavesAnUninstallWholeOrDone) {
  for (std::size_t n = 1;; ++n) {
    ASSERT_TRUE(bring("1.0.0"));
    if (!dies(n, [&] { (void)uninstall(premises_, false); })) break;
    ASSERT_NO_FATAL_FAILURE(recovers());
    if (there("opt/journal")) {
      expect_whole("1.0.0");
      ASSERT_TRUE(uninstall(premises_, false));
    }
    EXPECT_TRUE(fs::is_empty(top_ / "opt"));
  }
}

INSTANTIATE_TEST_SUITE_P(ByASignalOrThePower, AKilledInstaller, ::testing::Bool());

TEST(AForm, IsWhatIsAskedForAndThenWhatIsHere) {
  Manifest both;
  both.forms = {"compose", "systemd"};
  Manifest one;
  one.forms = {"compose"};
  const Journal units{.product = "shop"};
  const Journal containers{.product = "shop", .form = Form::compose};
  const auto code = [](const Checked<Form>& form) {
    return form ? std::optional<Code>() : std::optional(form.error().code);
  };
  EXPECT_EQ(choose_form(both, std::nullopt, nullptr).value(), Form::systemd);
  EXPECT_EQ(choose_form(both, Form::compose, nullptr).value(), Form::compose);
  EXPECT_EQ(choose_form(both, std::nullopt, &containers).value(), Form::compose);
  EXPECT_EQ(choose_form(one, std::nullopt, nullptr).value(), Form::compose);
  EXPECT_EQ(code(choose_form(both, Form::compose, &units)), Code::other_form);
  EXPECT_EQ(code(choose_form(one, std::nullopt, &units)), Code::wrong_form);
  EXPECT_EQ(code(choose_form(one, Form::systemd, nullptr)), Code::wrong_form);
  EXPECT_EQ(code(choose_form(both, Form::helm, nullptr)), Code::wrong_form);
}

}  // namespace
}  // namespace caisson::installer

// The baseline, the gate, and releases that are staged before.

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/format/waiver.h"
#include "installer/site/change.h"
#include "installer/site/site_fixture_testing.h"

namespace caisson::installer {
namespace {

namespace fs = std::filesystem;
using testing::ASite;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Maker;
using ::testing::Not;

TEST_F(ASite, CommitsNothingThatLeaksOrCannotTell) {
  put_release("1.5.0", 1'005'000, 2, "a gate");
  put_release("1.6.0", 1'006'000, 2, "a gate");
  const auto gate = names_["1.5.0"] + " conform";
  ASSERT_TRUE(bring("1.0.0"));
  host_.answers[gate] = 1;
  auto outcome = bring("1.5.0");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->why->code, Code::leaking);
  expect_whole("1.0.0");
  EXPECT_EQ(journal().refused.back().code, "B0418");

  host_.answers[gate] = 2;
  host_.calls.clear();
  outcome = bring("1.5.0", true);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->why->code, Code::not_well);
  EXPECT_EQ(std::ranges::count_if(host_.calls,
                                  [](const auto& call) { return call.ends_with(" conform"); }),
            2);
  expect_whole("1.0.0");

  host_.answers.clear();
  outcome = bring("1.5.0", true);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->isolation.probed);
  expect_whole("1.5.0");
  EXPECT_THAT(read("opt/current/install-report.txt"), HasSubstr("probed: no leak was found"));
  // A release that mends a leak has to be able to commit.
  host_.answers[gate] = 1;
  EXPECT_EQ(bring("1.6.0")->kind, Outcome::Kind::done);
  expect_whole("1.6.0");
}

TEST_F(ASite, TouchesNothingThatRunsWhenItIsNotWellBefore) {
  ASSERT_TRUE(bring("1.0.0"));
  host_.answers[names_["1.0.0"] + " health"] = 1;
  host_.calls.clear();
  const auto outcome = bring("1.1.0");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->kind, Outcome::Kind::rolled_back);
  EXPECT_EQ(outcome->why->code, Code::not_well_before);
  EXPECT_THAT(host_.calls, Not(Contains(::testing::StartsWith("stop"))));
  expect_whole("1.0.0");
  EXPECT_THAT(journal().refused, IsEmpty());
}

TEST_F(ASite, HoldsAnUpdateThatLeaksAsTheReleaseBeforeDid) {
  put_release("1.5.0", 1'005'000, 2, "a gate");
  put_release("1.6.0", 1'006'000, 2, "a gate");
  ASSERT_TRUE(bring("1.5.0"));
  ASSERT_TRUE(host_.write_store("of customers"));
  host_.answers[names_["1.5.0"] + " conform"] = 1;
  host_.answers[names_["1.6.0"] + " conform"] = 1;
  const auto is_held = [&] {
    EXPECT_EQ(journal().flight->step, Step::held);
    EXPECT_EQ(journal().installed, names_["1.5.0"]);
    EXPECT_TRUE(there("data/edge_door/closed")) << "nobody is served";
  };
  auto outcome = bring("1.6.0");
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->kind, Outcome::Kind::held);
  EXPECT_EQ(outcome->why->code, Code::leaking);
  is_held();
  EXPECT_EQ(bring("1.6.0").error().code, Code::unfinished);
  EXPECT_EQ(uninstall(premises_, false).error().code, Code::unfinished);
  premises_.booting = true;
  EXPECT_EQ(recover(premises_)->kind, Outcome::Kind::held);
  premises_.booting = false;
  is_held();

  // Back, with the data as they were.
  outcome = roll_back(premises_);
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->kind, Outcome::Kind::rolled_back);
  expect_whole("1.5.0");
  expect_running();
  EXPECT_EQ(store(), "of customers");
  EXPECT_THAT(journal().refused, IsEmpty());

  ASSERT_EQ(bring("1.6.0")->kind, Outcome::Kind::held);
  EXPECT_THAT(read("opt/current/install-report.txt"), HasSubstr("it leaks, and so did"));
  const auto bundle = testing::verified(top_ / "1.6.0", maker_.root_text, testing::site());
  const auto waive_it = [&](const Waiver& waiver, bool own_signature = true) {
    const auto text = write_waiver(waiver);
    return waive(premises_, bundle->root(), text,
                 own_signature ? maker_.sign(text) : Maker().sign(text));
  };
  const Waiver waiver{.product = "shop", .release = names_["1.6.0"], .reason = "it mends more"};
  EXPECT_EQ(waive_it(waiver, false).error().code, Code::unknown_key);
  for (auto [product, release] : {std::pair("pub", names_["1.6.0"]), {"shop", names_["1.5.0"]}}) {
    EXPECT_EQ(waive_it({.product = product, .release = release, .reason = "no"}).error().code,
              Code::other_waiver);
  }
  is_held();
  outcome = waive_it(waiver);
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->kind, Outcome::Kind::done);
  expect_whole("1.6.0");
  expect_running();
  EXPECT_EQ(read("opt/current/waiver"), write_waiver(waiver));
  EXPECT_EQ(waive_it(waiver).error().code, Code::not_held);
}

TEST_F(ASite, KeepsWhatTheProbesReportThroughItsDisk) {
  put_release("1.5.0", 1'005'000, 2, "a gate");
  ASSERT_TRUE(bring("1.5.0"));
  EXPECT_EQ(read("opt/gate/report/report.json"), "report of " + names_["1.5.0"]);
  EXPECT_EQ((*opt_->status("gate/report/report.json"))->mode, 0600U);
  top_.write("opt/gate/report/older", "of an older run");
  put_release("1.6.0", 1'006'000, 2, "a gate");
  ASSERT_TRUE(bring("1.6.0"));
  EXPECT_FALSE(there("opt/gate/report/older"));
}

TEST_F(ASite, StagesAReleaseAndGoesToItLater) {
  ASSERT_TRUE(bring("1.0.0"));
  ASSERT_TRUE(host_.write_store("of customers"));
  host_.calls.clear();
  const auto staged = [&](const fs::path& from, bool apply) {
    const auto bundle = testing::verified(from, maker_.root_text, testing::site());
    EXPECT_TRUE(bundle) << bundle.error().what;
    const Reading reading{.threads = 1};
    const Delivery delivery{.bundle = *bundle, .reading = reading, .staged = apply};
    return apply ? update(premises_, delivery) : stage(premises_, delivery);
  };
  const auto here = [&](const std::string& version) {
    return top_ / ("opt/releases/" + names_[version]);
  };
  EXPECT_EQ(staged(top_ / "1.1.0", true).error().code, Code::not_staged);
  ASSERT_TRUE(staged(top_ / "1.1.0", false));
  EXPECT_EQ(journal().staged, names_["1.1.0"]);
  // Another one takes its place.
  auto outcome = staged(top_ / "1.2.0", false);
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->kind, Outcome::Kind::done);
  EXPECT_FALSE(fs::exists(here("1.1.0")));
  EXPECT_THAT(host_.calls, IsEmpty()) << "nothing that runs was touched";
  EXPECT_EQ(journal().installed, names_["1.0.0"]);
  EXPECT_EQ(staged(top_ / "1.2.0", false)->kind, Outcome::Kind::nothing);
  fs::remove_all(top_ / "1.2.0");

  // The site is not well on the day: it stays staged.
  host_.answers[names_["1.0.0"] + " health"] = 1;
  outcome = staged(here("1.2.0"), true);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->why->code, Code::not_well_before);
  EXPECT_EQ(journal().staged, names_["1.2.0"]);
  host_.answers.clear();
  outcome = staged(here("1.2.0"), true);
  ASSERT_TRUE(outcome) << outcome.error().what;
  EXPECT_EQ(outcome->kind, Outcome::Kind::done);
  expect_whole("1.2.0");
  EXPECT_EQ(journal().staged, "");
  EXPECT_EQ(journal().previous, names_["1.0.0"]);
  EXPECT_EQ(store(), "migrated by " + names_["1.2.0"]);
}

}  // namespace
}  // namespace caisson::installer

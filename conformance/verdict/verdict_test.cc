#include "conformance/verdict/verdict.h"

#include <array>

#include <gtest/gtest.h>

#include "conformance/verdict/result.h"

namespace caisson::conformance {
namespace {

constexpr std::array all{Verdict::not_applicable, Verdict::not_tested, Verdict::pass,
                         Verdict::inconclusive,   Verdict::invalid,    Verdict::leak};

TEST(Verdict, MergeKeepsTheHeavier) {
  EXPECT_EQ(merge(Verdict::pass, Verdict::inconclusive), Verdict::inconclusive);
  EXPECT_EQ(merge(Verdict::invalid, Verdict::inconclusive), Verdict::invalid);
  EXPECT_EQ(merge(Verdict::invalid, Verdict::leak), Verdict::leak);
}

TEST(Verdict, MergeIsAssociativeCommutativeAndHasAnIdentity) {
  for (const Verdict a : all) {
    EXPECT_EQ(merge(a, Verdict::not_applicable), a);
    EXPECT_EQ(merge(a, a), a);
    EXPECT_EQ(merge(a, Verdict::leak), Verdict::leak);
    for (const Verdict b : all) {
      EXPECT_EQ(merge(a, b), merge(b, a));
      for (const Verdict c : all) EXPECT_EQ(merge(merge(a, b), c), merge(a, merge(b, c)));
    }
  }
}

TEST(RunReport, WhatWasNotTestedFailsARunThatRequiresAll) {
  RunReport report;
  report.probes.push_back({.id = "A1", .verdict = Verdict::pass});
  report.require_all = true;
  EXPECT_EQ(report.exit_status(), 0);
  report.probes.push_back({.id = "A2", .verdict = Verdict::not_applicable});
  EXPECT_EQ(report.exit_status(), 0);
  report.probes.push_back({.id = "A3", .verdict = Verdict::not_tested});
  EXPECT_EQ(report.verdict(), Verdict::pass);
  EXPECT_EQ(report.exit_status(), 2);
  report.require_all = false;
  EXPECT_EQ(report.exit_status(), 0);
  report.require_all = true;
  report.probes.push_back({.id = "A4", .verdict = Verdict::leak});
  EXPECT_EQ(report.exit_status(), 1);
}

TEST(Verdict, RetryResolvesOnlyInconclusive) {
  for (const Verdict second : all) {
    EXPECT_EQ(after_retry(Verdict::leak, second), Verdict::leak);
    EXPECT_EQ(after_retry(Verdict::invalid, second), Verdict::invalid);
    EXPECT_EQ(after_retry(Verdict::pass, second), Verdict::pass);
    EXPECT_EQ(after_retry(Verdict::inconclusive, second), second);
  }
}

TEST(Verdict, NothingVerifiedIsNotSuccess) {
  EXPECT_EQ(exit_status(Verdict::pass), 0);
  EXPECT_EQ(exit_status(Verdict::leak), 1);
  EXPECT_EQ(exit_status(Verdict::inconclusive), 2);
  EXPECT_EQ(exit_status(Verdict::not_applicable), 2);
  EXPECT_EQ(exit_status(Verdict::not_tested), 2);
  EXPECT_EQ(exit_status(Verdict::invalid), 3);
}

TEST(RunReport, VerdictIsTheHeaviestOfItsProbes) {
  RunReport report;
  EXPECT_EQ(report.verdict(), Verdict::not_applicable);
  report.probes.push_back({.id = "A1", .verdict = Verdict::pass});
  report.probes.push_back({.id = "A2", .verdict = Verdict::not_applicable});
  EXPECT_EQ(report.verdict(), Verdict::pass);
  report.probes.push_back({.id = "A3", .verdict = Verdict::leak});
  report.probes.push_back({.id = "A4", .verdict = Verdict::invalid});
  EXPECT_EQ(report.verdict(), Verdict::leak);
  EXPECT_EQ(report.count(Verdict::pass), 1U);
}

TEST(RuleOfThree, BoundsWhatWasNeverSeen) {
  EXPECT_DOUBLE_EQ(rule_of_three(0), 1.0);
  EXPECT_DOUBLE_EQ(rule_of_three(300), 0.01);
}

}  // namespace
}  // namespace caisson::conformance

// What is planted here is what must not pass: a limit that is twice or half what the plan says, or
// that nothing enforces.

#include "conformance/probe/driven.h"

#include <cmath>

#include <gtest/gtest.h>

namespace caisson::conformance {
namespace {

using Seconds = std::chrono::duration<double>;

struct Rate {
  std::int64_t quota;
  double per_second;
};

/// What a runtime lets through that has `factor` times the planned limit, and is asked for `time`.
Verdict of_rate(const Rate& planned, double factor, double time) {
  const double given = factor * (static_cast<double>(planned.quota) + planned.per_second * time);
  return judge(driven_rate(static_cast<std::int64_t>(given), true, planned.quota,
                           planned.per_second,
                           {.shortest = Seconds(time), .longest = Seconds(time)}))
      .verdict;
}

TEST(DrivenRate, PassesAtThePlannedLimitAlone) {
  for (const Rate& planned : {Rate{4, 4}, Rate{20, 20}, Rate{50, 50}, Rate{100, 1}, Rate{3, 0.5},
                              Rate{12'000, 1'500}, Rate{1'500, 1'500}}) {
    for (const double time : {0.001, 0.05, 0.5, 2.0, 15.0}) {
      EXPECT_EQ(of_rate(planned, 1, time), Verdict::pass) << planned.quota << " in " << time;
      EXPECT_EQ(of_rate(planned, 2, time), Verdict::leak) << planned.quota << " in " << time;
      EXPECT_EQ(of_rate(planned, 0.5, time), Verdict::inconclusive)
          << planned.quota << " in " << time;
    }
  }
}

TEST(DrivenRate, IsLeakedWhenNothingEnforcesIt) {
  const DrivenSpan span{.shortest = Seconds(0.1), .longest = Seconds(0.2)};
  const auto found = judge(driven_rate(61, false, 50, 50, span));
  EXPECT_EQ(found.verdict, Verdict::leak);
  EXPECT_EQ(found.observed, "61 accepted, none refused");
  EXPECT_EQ(judge(driven_rate(60, false, 50, 50, span)).verdict, Verdict::inconclusive);
}

/// Between what the harness can know: the requests were charged in some time between both.
TEST(DrivenRate, ForgivesASlowMachine) {
  const DrivenSpan span{.shortest = Seconds(0), .longest = Seconds(1)};
  EXPECT_EQ(judge(driven_rate(50, true, 50, 50, span)).verdict, Verdict::pass);
  EXPECT_EQ(judge(driven_rate(100, true, 50, 50, span)).verdict, Verdict::pass);
}

TEST(DrivenConcurrent, PassesAtThePlannedLimitAlone) {
  for (const std::int64_t limit : {1, 2, 4, 20, 200}) {
    EXPECT_EQ(judge(driven_concurrent(limit, true, limit)).verdict, Verdict::pass);
    // Twice as many, or all: the drive stops at the first beyond the limit.
    EXPECT_EQ(judge(driven_concurrent(limit + 1, false, limit)).verdict, Verdict::leak);
    EXPECT_EQ(judge(driven_concurrent(limit / 2, true, limit)).verdict, Verdict::inconclusive);
    EXPECT_EQ(judge(driven_concurrent(limit, false, limit)).verdict, Verdict::inconclusive);
  }
}

/// The bytes that a store of `limit` bytes takes in records of `one` byte, when its own tables have
/// `own` and every record ends in a page of its own.
Verdict of_storage(std::int64_t limit, std::int64_t planned, std::int64_t one, std::int64_t own) {
  const std::int64_t pages = (one + 4095) / 4096 * 4096;
  // The drive stops at the first write beyond the plan.
  const std::int64_t writes =
      std::min(std::max<std::int64_t>(limit - own, 0) / pages, planned / one + 1);
  const bool refused = writes * one <= planned;
  return judge(driven_storage(writes * one, writes, refused, planned)).verdict;
}

TEST(DrivenStorage, PassesAtThePlannedLimitAlone) {
  for (const std::int64_t mib : {2, 10, 100, 128}) {
    const std::int64_t planned = mib << 20;
    const std::int64_t one = std::min<std::int64_t>(planned / 16, 900'000);
    for (const std::int64_t own : {80 << 10, 200 << 10}) {
      EXPECT_EQ(of_storage(planned, planned, one, own), Verdict::pass) << mib;
      EXPECT_EQ(of_storage(2 * planned, planned, one, own), Verdict::leak) << mib;
      EXPECT_EQ(of_storage(1 << 30, planned, one, own), Verdict::leak) << mib;
      EXPECT_EQ(of_storage(planned / 2, planned, one, own), Verdict::inconclusive) << mib;
    }
  }
}

TEST(DrivenStorage, IsNoPassWhenNothingCouldBeWritten) {
  EXPECT_EQ(judge(driven_storage(0, 0, true, 100 << 10)).verdict, Verdict::inconclusive);
}

}  // namespace
}  // namespace caisson::conformance

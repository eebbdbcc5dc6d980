#include "runtime/tenancy/terms.h"

#include <gtest/gtest.h>

namespace caisson::tenancy {
namespace {

Terms with(Status status, Limits limits = {}) { return {.status = status, .limits = limits}; }

TEST(Terms, WhatTheOperatorMadeOfThemHoldsWhileTheConfigurationSaysTheSame) {
  const Terms said = with(Status::active, {.burst = 50, .sockets = 9});
  const Terms held = with(Status::suspended, {.burst = 5, .storage_bytes = 1, .sockets = 90});
  EXPECT_EQ(settle(held, said, said), held);
}

TEST(Terms, EachIsTakenBackByAChangeOfItsOwn) {
  const Terms last = with(Status::active, {.burst = 50, .sockets = 9});
  const Terms held = with(Status::suspended, {.burst = 5, .sockets = 90});
  EXPECT_EQ(settle(held, last, with(Status::active, {.burst = 60, .sockets = 9})),
            with(Status::suspended, {.burst = 60, .sockets = 90}));
  EXPECT_EQ(settle(held, last, with(Status::active, {.sockets = 9})),
            with(Status::suspended, {.sockets = 90}))
      << "a limit that goes from the configuration is a change of it";
  const Terms suspended = with(Status::suspended, last.limits);
  EXPECT_EQ(settle(held, last, suspended), held);
  EXPECT_EQ(settle(held, suspended, last).status, Status::active)
      << "resumed there, after it was suspended there";
}

TEST(Terms, TheStricterStatusHolds) {
  EXPECT_EQ(settle(with(Status::active), with(Status::active), with(Status::suspended)).status,
            Status::suspended);
  EXPECT_EQ(settle(with(Status::active), with(Status::suspended), with(Status::suspended)).status,
            Status::suspended);
  EXPECT_EQ(settle(with(Status::suspended), with(Status::active), with(Status::active)).status,
            Status::suspended);
}

TEST(Terms, AChangeOfLimitsLeavesTheOthersAndGivesBackWhatIsWithdrawn) {
  Limits own{.requests_per_second = 1.5, .burst = 5, .storage_bytes = 7, .sockets = 90};
  change_limits(own, {.set = {.burst = 6}, .withdrawn = {"sockets", "storage"}}, {.sockets = 9});
  EXPECT_EQ(own, (Limits{.requests_per_second = 1.5, .burst = 6, .sockets = 9}));
}

TEST(Terms, EveryLimitHasAName) {
  Limits all;
  int limits = 0;
  each_limit([&](std::string_view name, auto limit) {
    EXPECT_FALSE(name.empty());
    EXPECT_FALSE(all.*limit) << "visited twice";
    all.*limit = 1;
    ++limits;
  });
  EXPECT_EQ(sizeof(Limits), static_cast<std::size_t>(limits) * sizeof(all.burst));
}

}  // namespace
}  // namespace caisson::tenancy

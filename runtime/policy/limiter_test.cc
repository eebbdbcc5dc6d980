#include "runtime/policy/limiter.h"

#include <thread>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace caisson::policy {
namespace {

using observe::Code;

tenancy::Tenant tenant(std::string id, tenancy::Limits limits) {
  tenancy::Tenant made;
  made.id = std::move(id);
  made.limits = limits;
  return made;
}

std::string field(const Fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return "";
}

TEST(Limiter, AdmitsABurstThenTheRate) {
  ManualClock clock;
  Limiter limiter(clock);
  const auto globex = tenant("globex", {.requests_per_second = 20, .burst = 40});
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(limiter.admit(globex)) << i;
  EXPECT_FALSE(limiter.admit(globex));
  clock.advance_ms(49);
  EXPECT_FALSE(limiter.admit(globex));
  clock.advance_ms(1);
  EXPECT_TRUE(limiter.admit(globex));
  EXPECT_FALSE(limiter.admit(globex));
  EXPECT_TRUE(limiter.admit(tenant("initech", globex.limits)))
      << "another tenant has its own bucket";
}

TEST(Limiter, BoundsSocketsOfATenantAndOfAll) {
  ManualClock clock;
  Limiter limiter(clock, 16, 8);
  const auto globex = tenant("globex", {.sockets = 3});
  const auto initech = tenant("initech", {});  // a quarter of all
  std::vector<SocketPermit> kept;
  const auto open = [&](const tenancy::Tenant& of) {
    auto permit = limiter.admit_socket(of);
    if (!permit) return permit.error().code;
    kept.push_back(std::move(*permit));
    return Code::internal;  // stands for none
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(open(globex), Code::internal);
  EXPECT_EQ(open(globex), Code::too_many_sockets);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(open(initech), Code::internal);
  EXPECT_EQ(open(initech), Code::too_many_sockets);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(open(tenant("t" + std::to_string(i), {})), Code::internal);
  EXPECT_EQ(open(tenant("late", {})), Code::overloaded);
  kept.clear();
  EXPECT_EQ(open(globex), Code::internal) << "a place is free when its permit is gone";
}

TEST(Limiter, TellsTheRate) {
  ManualClock clock;
  Limiter limiter(clock);
  const auto globex = tenant("globex", {.requests_per_second = 0.5, .burst = 2});
  Fields fields;
  limiter.admit(globex)->append_fields(fields);
  EXPECT_EQ(field(fields, "RateLimit-Policy"), "\"tenant\";q=2;w=4");
  EXPECT_EQ(field(fields, "RateLimit"), "\"tenant\";r=1;t=2");
  ASSERT_TRUE(limiter.admit(globex));
  clock.advance_ms(500);
  const auto refused = limiter.admit(globex);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().problem.code, Code::rate_limited);
  EXPECT_EQ(refused.error().problem.retry_after_s, 2);
  EXPECT_EQ(field(refused.error().fields, "RateLimit"), "\"tenant\";r=0;t=4");
  Fields none;
  limiter.admit(tenant("free", {}))->append_fields(none);
  EXPECT_TRUE(none.empty());
}

TEST(Limiter, LimitsConcurrency) {
  ManualClock clock;
  Limiter limiter(clock);
  const auto globex = tenant("globex", {.concurrent = 2});
  auto first = limiter.admit(globex);
  auto second = limiter.admit(globex);
  ASSERT_TRUE(first && second);
  const auto third = limiter.admit(globex);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().problem.code, Code::too_many_concurrent);
  EXPECT_EQ(observe::retry_after(third.error().problem), 1);
  {
    const Permit moved = std::move(*first);
  }
  EXPECT_TRUE(limiter.admit(globex));
}

TEST(Limiter, ARefusalForConcurrencyCostsNoToken) {
  ManualClock clock;
  Limiter limiter(clock);
  const auto globex = tenant("globex", {.requests_per_second = 1, .burst = 2, .concurrent = 1});
  {
    const auto running = limiter.admit(globex);
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(limiter.admit(globex));
  }
  EXPECT_TRUE(limiter.admit(globex));
}

TEST(Limiter, FollowsAChangedLimit) {
  ManualClock clock;
  Limiter limiter(clock);
  for (int i = 0; i < 2; ++i)
    ASSERT_TRUE(limiter.admit(tenant("a", {.requests_per_second = 0.01, .burst = 2})));
  EXPECT_FALSE(limiter.admit(tenant("a", {.requests_per_second = 0.01, .burst = 2})));
  const auto raised = tenant("a", {.requests_per_second = 1000, .burst = 10});
  for (int i = 0; i < 8; ++i)
    EXPECT_TRUE(limiter.admit(raised)) << i << ": two of ten were taken before";
  const auto refused = limiter.admit(raised);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().problem.retry_after_s, 1);
  clock.advance_ms(1);
  EXPECT_TRUE(limiter.admit(raised));
}

TEST(Limiter, ARaisedRateWaitsByItself) {
  ManualClock clock;
  Limiter limiter(clock);
  // As many tenants as a deployment has: each has used up an operation a day, and is raised.
  for (int i = 0; i < 500; ++i) {
    const std::string id = "t" + std::to_string(i);
    const auto before = tenant(id, {.requests_per_second = 1.0 / 86'400, .burst = 1});
    ASSERT_TRUE(limiter.admit(before));
    ASSERT_EQ(limiter.admit(before).error().problem.retry_after_s, 86'400);
    const auto raised = tenant(id, {.requests_per_second = 1, .burst = 1});
    const auto refused = limiter.admit(raised);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().problem.retry_after_s, 1) << "the old wait is no more";
  }
  clock.advance_ms(1000);
  for (int i = 0; i < 500; ++i) {
    EXPECT_TRUE(
        limiter.admit(tenant("t" + std::to_string(i), {.requests_per_second = 1, .burst = 1})));
  }
}

TEST(Limiter, AChangeHoldsFromWhenItIsMade) {
  ManualClock clock;
  Limiter limiter(clock);
  const auto slow = tenant("a", {.requests_per_second = 1.0 / 86'400, .burst = 1});
  const auto raised = tenant("a", {.requests_per_second = 1, .burst = 1});
  ASSERT_TRUE(limiter.admit(slow));
  limiter.changed(raised);
  clock.advance_ms(1000);
  EXPECT_TRUE(limiter.admit(raised)) << "a second at the new rate has passed";
}

TEST(Limiter, ABurstThatIsCutAndRaisedAgainGivesNothing) {
  ManualClock clock;
  Limiter limiter(clock, 16);
  const auto large = tenant("a", {.requests_per_second = 1, .burst = 100});
  const auto small = tenant("a", {.requests_per_second = 1, .burst = 1});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(limiter.admit(large));
  for (int i = 0; i < 50; ++i) {
    limiter.changed(small);
    limiter.changed(large);
    ASSERT_FALSE(limiter.admit(large)) << "all was taken";
  }
  limiter.changed(small);
  clock.advance_ms(1000);
  for (int i = 0; i < 500; ++i)  // which has room made for them, and forgets who is idle
    ASSERT_TRUE(limiter.admit(tenant("t" + std::to_string(i), small.limits)));
  ASSERT_TRUE(limiter.admit(small)) << "a cut bucket is never more than empty";
  ASSERT_FALSE(limiter.admit(small));
  limiter.changed(large);
  ASSERT_FALSE(limiter.admit(large));
  clock.advance_ms(7000);
  int admitted = 0;
  while (limiter.admit(large)) ++admitted;
  EXPECT_EQ(admitted, 7) << "as many as came back";
}

/// A bucket that counts its tokens, as anybody would write it down.
struct CountedBucket {
  long double taken = 0;     ///< tokens that are not there
  long double forgiven = 0;  ///< tokens taken that a smaller burst cannot be short of
  long double rounding = 0;  ///< tokens that whole nanoseconds may have held back since
  Rate rate;
  std::int64_t at = 0;

  void follow(const Rate& changed, std::int64_t now) {
    if (changed != rate) rounding += 2.0L / static_cast<long double>(changed.interval_ns);
    if (rate.interval_ns > 0) {
      const long double back =
          static_cast<long double>(now - at) / static_cast<long double>(rate.interval_ns);
      forgiven = std::max(0.0L, forgiven - std::max(0.0L, back - taken));
      taken = std::max(0.0L, taken - back);
    }
    const auto more = static_cast<long double>(changed.burst - rate.burst);
    const long double moved = more > 0
                                  ? std::min(forgiven, more)
                                  : std::min(0.0L, static_cast<long double>(changed.burst) - taken);
    taken += moved;
    forgiven -= moved;
    at = now;
    rate = changed;
  }
  [[nodiscard]] long double left() const { return static_cast<long double>(rate.burst) - taken; }
};

TEST(TokenBucket, Property07_FollowsEveryChangeOfItsRate) {
  // Rate and burst raised and cut, and taken away and set again, between requests at any distance.
  const bool holds = rc::check([] {
    TokenBucket bucket;
    CountedBucket model;
    std::int64_t now = 0;
    const auto some_rate = [] {
      const double per_second =
          *rc::gen::element(1.0 / 86'400, 0.01, 0.5, 1.0, 3.0, 20.0, 999.0, 12345.0, 1e6);
      return Rate::of(per_second, *rc::gen::element<std::int64_t>(1, 2, 5, 49, 100'000));
    };
    Rate rate = some_rate();
    const int steps = *rc::gen::inRange(1, 200);
    for (int i = 0; i < steps; ++i) {
      now += *rc::gen::inRange<std::int64_t>(0, 300) * rate.interval_ns / 100;
      switch (*rc::gen::inRange(0, 8)) {
        case 0:
          rate = some_rate();
          break;
        case 1:
          rate = Rate::of(1e9 / static_cast<double>(rate.interval_ns),
                          *rc::gen::element<std::int64_t>(1, 3, 77, 1000));
          break;
        case 2:  // while there is no limit nobody asks the bucket
          now += *rc::gen::inRange<std::int64_t>(0, 1000) * rate.interval_ns / 10;
          break;
        case 3:
          rate = some_rate();
          bucket.change(rate, now);
          model.follow(rate, now);
          break;
        default:
          break;
      }
      model.follow(rate, now);
      const Level level = bucket.take(rate, now);
      if (level.taken) {
        RC_ASSERT(model.left() >= 1 - 1e-6L);
        model.taken += 1;
        RC_ASSERT(level.remaining <= rate.burst - 1);
      } else {
        RC_ASSERT(model.left() < 1 + model.rounding + 1e-6L);
        RC_ASSERT(level.next_ns > 0);
        RC_ASSERT(level.next_ns <= rate.interval_ns);
        RC_ASSERT(level.full_ns <= rate.interval_ns * rate.burst);
      }
    }
  });
  EXPECT_TRUE(holds);
}

TEST(Limiter, ForgetsIdleTenantsOnly) {
  ManualClock clock;
  Limiter limiter(clock, 160);
  const auto busy = tenant("busy", {.requests_per_second = 0.001, .burst = 1, .concurrent = 1});
  const auto permit = limiter.admit(busy);
  for (int i = 0; i < 20'000; ++i) {
    clock.advance_ms(20);
    ASSERT_TRUE(limiter.admit(tenant(std::to_string(i), {.requests_per_second = 100, .burst = 1})));
  }
  EXPECT_LE(limiter.accounts(), 400);
  EXPECT_FALSE(limiter.admit(busy)) << "a tenant with a request running is remembered";
}

TEST(TokenBucket, Property07_NeverAboveTheBucketNeverBelowFairRefill) {
  const bool holds = rc::check([] {
    const double per_second = *rc::gen::element(0.01, 0.5, 1.0, 3.0, 20.0, 999.0, 12345.0, 1e6);
    const std::int64_t burst = *rc::gen::inRange<std::int64_t>(1, 50);
    const auto steps =
        *rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(0, 300));
    const Rate rate = Rate::of(per_second, burst);
    TokenBucket bucket;
    // The exact bucket, in tokens, and a strict one that fills at the rate rounded down.
    double exact = static_cast<double>(burst);
    double fair = static_cast<double>(burst);
    std::int64_t now = 0;
    for (const std::int64_t step : steps) {
      const std::int64_t pause = step * rate.interval_ns / 100;
      now += pause;
      const double seconds = static_cast<double>(pause) / 1e9;
      exact = std::min(static_cast<double>(burst), exact + seconds * per_second);
      fair = std::min(static_cast<double>(burst),
                      fair + static_cast<double>(pause) / static_cast<double>(rate.interval_ns));
      const Level level = bucket.take(rate, now);
      if (level.taken) {
        RC_ASSERT(exact >= 1 - 1e-6);
        exact -= 1;
        fair -= 1;
        RC_ASSERT(level.remaining <= burst - 1);
      } else {
        RC_ASSERT(fair < 1 + 1e-6);
        RC_ASSERT(level.next_ns > 0);
        RC_ASSERT(level.next_ns <= rate.interval_ns);
      }
    }
    // After the told wait there is a token.
    Level last = bucket.take(rate, now);
    while (last.taken) last = bucket.take(rate, now);
    RC_ASSERT(!bucket.take(rate, now + last.next_ns - 1).taken);
    RC_ASSERT(bucket.take(rate, now + last.next_ns).taken);
  });
  EXPECT_TRUE(holds);
}

TEST(TokenBucket, Property07_HoldsUnderThreads) {
  constexpr int threads = 4;
  constexpr int attempts = 20'000;
  const Rate rate = Rate::of(1000, 100);
  TokenBucket bucket;
  std::atomic<std::int64_t> clock{0};
  std::atomic<std::int64_t> taken{0};
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&] {
      for (int i = 0; i < attempts; ++i) {
        if (bucket.take(rate, clock.fetch_add(1000)).taken) taken.fetch_add(1);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  const std::int64_t passed_ms = std::int64_t{threads} * attempts / 1000;
  EXPECT_LE(taken.load(), 100 + passed_ms);
  EXPECT_GE(taken.load(), 100 + passed_ms - 2);
}

}  // namespace
}  // namespace caisson::policy

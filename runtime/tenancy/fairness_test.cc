// Tenants compute in turns.

#include <atomic>
#include <ctime>
#include <future>
#include <latch>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/tenancy/fixture.h"

namespace caisson::tenancy {
namespace {

using storage::Access;
using storage::TenantStore;

/// Steps through an endless query until `stop`, or until the engine ends it. True when it was
/// `stop`.
auto computing_until(const std::atomic<bool>& stop) {
  return [&stop](TenantStore& store) {
    auto row = store.prepare(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n");
    while (!stop) {
      if (!row.step()) return false;
    }
    return true;
  };
}

Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(60); }

TEST(Fairness, AQuietTenantIsServedInTheMiddleOfOthersJobs) {
  Fixture runtime({.workers = 12, .processors = 1});
  const auto quiet = runtime.make("quiet");
  std::vector<TenantPtr> greedy;
  for (int i = 0; i < 8; ++i) greedy.push_back(runtime.make("greedy" + std::to_string(i)));
  std::atomic<bool> stop = false;
  std::atomic<int> stopped = 0;
  std::latch begun(8);
  std::latch done(8);
  for (const auto& tenant : greedy) {
    // One writes, the others read.
    const Access access = tenant == greedy.front() ? Access::write : Access::read;
    runtime.tenants->submit(
        *tenant, access, soon(),
        [&, compute = computing_until(stop)](TenantStore& store) {
          begun.count_down();
          return compute(store);
        },
        [&](const tl::expected<bool, Refusal>& answer) {
          if (answer.value_or(false)) ++stopped;
          done.count_down();
        });
  }
  begun.wait();  // each has computed, and only one of them can at a time
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(runtime.write(*quiet, std::to_string(i)).value());
    EXPECT_TRUE(runtime.has(*quiet, std::to_string(i), Access::read).value());
  }
  EXPECT_EQ(stopped, 0) << "and they are still at it";
  stop = true;
  done.wait();
  EXPECT_EQ(stopped, 8);
}

TEST(Fairness, AJobThatComputesForTooLongEndsAlone) {
  Fixture runtime({.budget = std::chrono::milliseconds(20)});
  const auto tenant = runtime.make("a");
  const std::atomic<bool> never = false;
  EXPECT_EQ(runtime.call(*tenant, Access::read, computing_until(never)).error(), Refusal::deadline);
  EXPECT_EQ(runtime.call(*tenant, Access::write, computing_until(never)).error(),
            Refusal::deadline);
  EXPECT_TRUE(runtime.write(*tenant, "x").value());
}

TEST(Fairness, ABatchEndsByTimeAndTheRestComesNext) {
  Fixture runtime({.slice = std::chrono::nanoseconds(1)});
  const auto tenant = runtime.make("a");
  std::latch entered(1);
  std::latch let_go(1);
  std::latch answered(51);
  const auto reply = [&](const tl::expected<bool, Refusal>& answer) {
    EXPECT_TRUE(answer.value_or(false));
    answered.count_down();
  };
  runtime.tenants->submit(
      *tenant, Access::write, Deadline::max(),
      [&](TenantStore&) {
        entered.count_down();
        let_go.wait();
        return true;
      },
      reply);
  entered.wait();
  for (int i = 0; i < 50; ++i) {
    runtime.tenants->submit(
        *tenant, Access::write, Deadline::max(),
        [i](TenantStore& store) {
          return store.prepare("INSERT INTO note(id,text) VALUES(?,?)")
              .integer(i)
              .text(std::to_string(i))
              .run();
        },
        reply);
  }
  let_go.count_down();
  answered.wait();
  EXPECT_EQ(runtime.tenants->stats().commits, 51U);
  EXPECT_EQ(runtime.count(*tenant).value(), 50);
}

/// What this thread has computed.
std::chrono::nanoseconds computed() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

TEST(Fairness, AJobPaysForWhatItComputesNotForTheTimeThatPasses) {
  constexpr auto budget = std::chrono::milliseconds(20);
  Turns turns(1, std::chrono::hours(10));
  Turns::Share share;
  Turn turn(turns, share, budget);
  ASSERT_TRUE(turn.begin_job(Deadline::max()));
  EXPECT_TRUE(turn.go_on(std::chrono::steady_clock::now() + std::chrono::hours(1)));
  constexpr auto long_enough = std::chrono::minutes(1);
  while (turn.go_on(std::chrono::steady_clock::now()) && computed() < long_enough) {
  }
  EXPECT_LT(computed(), long_enough);
}

void compute_for(std::chrono::nanoseconds time) {
  const auto until = computed() + time;
  while (computed() < until) {
  }
}

TEST(Turns, WhoHasComputedLeastIsNext) {
  constexpr auto slice = std::chrono::microseconds(100);
  Turns turns(2, slice);
  Turns::Share busy;
  Turns::Share idle;
  Turns::Share other;
  const auto compute = [&](Turns::Share& share) {
    Turn turn(turns, share, std::chrono::hours(1));
    ASSERT_TRUE(turn.begin_job(Deadline::max()));
    compute_for(slice);
  };
  compute(busy);
  EXPECT_EQ(turns.place_of(busy), turns.place_of(idle)) << "nobody else wanted to";
  EXPECT_GT(turns.place_of(idle), 0) << "idleness earns nothing";
  compute(other);
  Turn competing(turns, other, std::chrono::hours(1));
  ASSERT_TRUE(competing.begin_job(Deadline::max()));
  compute(busy);
  EXPECT_GT(turns.place_of(busy), turns.place_of(idle)) << "what it has used counts";
  for (int i = 0; i < 100; ++i) compute(busy);
  EXPECT_LE(turns.place_of(busy), turns.place_of(idle) + Turns::most_debt * 100'000);
}

TEST(Turns, NewTenantsDoNotKeepOneWithAHistoryWaiting) {
  constexpr auto slice = std::chrono::milliseconds(1);
  constexpr int enough = 1000;
  Turns turns(1, slice);
  Turns::Share old(std::chrono::minutes(1));
  {
    Turn turn(turns, old, std::chrono::hours(1));
    ASSERT_TRUE(turn.begin_job(Deadline::max()));
    compute_for(slice);
  }
  ASSERT_TRUE(old.heavy()) << "from now on it has to wait for turns";

  std::atomic<int> given = 0;
  std::atomic<bool> served = false;
  std::vector<std::jthread> greedy;
  for (int i = 0; i < 8; ++i) {
    greedy.emplace_back([&] {
      while (!served && given < enough) {
        Turns::Share fresh;
        Turn turn(turns, fresh, std::chrono::hours(1));
        for (int part = 0; part < 2 && turn.begin_job(Deadline::max()); ++part) {
          compute_for(slice);
          if (turn.go_on(std::chrono::steady_clock::now())) ++given;
        }
      }
    });
  }
  while (given < 16) std::this_thread::yield();
  Turn turn(turns, old, std::chrono::hours(1));
  ASSERT_TRUE(turn.begin_job(Deadline::max()));
  EXPECT_LT(given, enough / 2);
  served = true;
  turn.pause();
}

TEST(Fairness, WaitingForATurnEndsAtTheJobsDeadline) {
  Fixture runtime({.workers = 4, .processors = 1, .slice = std::chrono::nanoseconds(1)});
  const auto holder = runtime.make("holder");
  const auto waiter = runtime.make("waiter");
  for (const auto& tenant : {holder, waiter}) EXPECT_TRUE(runtime.write(*tenant, "x").value());
  std::latch holds(1);
  std::latch let_go(1);
  std::latch released(1);
  runtime.tenants->submit(
      *holder, Access::read, Deadline::max(),
      [&](TenantStore&) {
        holds.count_down();
        let_go.wait();
        return true;
      },
      [&](const tl::expected<bool, Refusal>&) { released.count_down(); });
  holds.wait();
  std::promise<bool> late;
  runtime.tenants->submit(
      *waiter, Access::read, std::chrono::steady_clock::now() + std::chrono::milliseconds(20),
      [](TenantStore&) { return true; },
      [&](const tl::expected<bool, Refusal>& answer) {
        late.set_value(!answer && answer.error() == Refusal::deadline);
      });
  auto told = late.get_future();
  const auto ready = told.wait_for(std::chrono::seconds(60));
  let_go.count_down();
  released.wait();
  ASSERT_EQ(ready, std::future_status::ready) << "although the other has not ended its turn";
  EXPECT_TRUE(told.get());
}

}  // namespace
}  // namespace caisson::tenancy

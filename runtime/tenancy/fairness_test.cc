// Tenants compute in turns.

#include <atomic>
#include <latch>
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

TEST(Turns, WhoHasComputedLeastIsNext) {
  Turns turns(1, std::chrono::nanoseconds(0));
  Turns::Share busy;
  Turns::Share idle;
  {
    Turn turn(turns, busy, std::chrono::hours(1));
    turn.begin_job();
  }
  EXPECT_GE(turns.place_of(busy), turns.place_of(idle));
  {
    Turn turn(turns, busy, std::chrono::hours(1));
    turn.begin_job();
  }
  EXPECT_GT(turns.place_of(busy), turns.place_of(idle)) << "what it has used counts";
  EXPECT_GT(turns.place_of(idle), 0) << "but idleness earns nothing";
}

}  // namespace
}  // namespace caisson::tenancy

#include "runtime/admin/workers.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <map>

#include <gtest/gtest.h>

namespace caisson::admin {
namespace {

using Lane = Workers::Lane;

TEST(Workers, LengthyJobsHoldNoQuickOneUp) {
  Workers workers({.threads = 1, .waiting = 8}, {.threads = 1, .waiting = 2});
  std::promise<void> release;
  std::promise<void> begun;
  ASSERT_TRUE(workers.submit(Lane::lengthy, "", [&, released = release.get_future().share()] {
    begun.set_value();
    released.wait();
  }));
  begun.get_future().get();
  EXPECT_TRUE(workers.submit(Lane::lengthy, "", [] {}));
  EXPECT_TRUE(workers.submit(Lane::lengthy, "", [] {}));
  EXPECT_FALSE(workers.submit(Lane::lengthy, "", [] {})) << "two may wait";
  std::promise<void> quick;
  ASSERT_TRUE(workers.submit(Lane::quick, "", [&] { quick.set_value(); }));
  quick.get_future().get();
  release.set_value();
}

TEST(Workers, AJobThatWaitsForItsTurnHoldsNoThread) {
  Workers workers({.threads = 1, .waiting = 8}, {.threads = 1, .waiting = 8});
  std::promise<void> release;
  std::promise<void> begun;
  ASSERT_TRUE(workers.submit(Lane::lengthy, "t1", [&, released = release.get_future().share()] {
    begun.set_value();
    released.wait();
  }));
  begun.get_future().get();
  std::atomic<bool> done{false};
  ASSERT_TRUE(workers.submit(Lane::quick, "t1", [&] { done = true; }));
  std::promise<bool> other;
  ASSERT_TRUE(workers.submit(Lane::quick, "t2", [&] { other.set_value(done); }));
  EXPECT_FALSE(other.get_future().get()) << "the other tenant's job did not wait";
  release.set_value();
}

TEST(Workers, JobsOfOneTurnRunInOrderAndAlone) {
  constexpr int turns = 300;
  constexpr int each = 20;
  struct Turn {
    std::atomic<int> running{0};
    std::vector<int> order;
  };
  std::map<std::string, Turn> seen;
  for (int t = 0; t < turns; ++t) seen["t" + std::to_string(t)];
  {
    Workers workers({.threads = 4, .waiting = 100'000}, {.threads = 3, .waiting = 100'000});
    for (int i = 0; i < each; ++i) {
      for (auto& [name, turn] : seen) {
        const Lane lane = (i + name.size()) % 3 == 0 ? Lane::lengthy : Lane::quick;
        ASSERT_TRUE(workers.submit(lane, name, [&turn, i] {
          EXPECT_EQ(turn.running.fetch_add(1), 0);
          turn.order.push_back(i);
          turn.running.fetch_sub(1);
        }));
      }
    }
  }
  for (const auto& [name, turn] : seen) {
    ASSERT_EQ(turn.order.size(), static_cast<std::size_t>(each)) << name;
    EXPECT_TRUE(std::ranges::is_sorted(turn.order)) << name;
  }
}

}  // namespace
}  // namespace caisson::admin

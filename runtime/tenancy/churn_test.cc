// The actor machine at its real bounds: far more tenants than stores may be open, used by many
// threads at once as event loops use it, while tenants come and go.
//
// Where memory is checked, it goes on for a minute in all; else a run is short.

#include <atomic>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/tenancy/fixture.h"

namespace caisson::tenancy {
namespace {

using storage::Access;
using storage::TenantStore;

constexpr int loops = 4;
constexpr int in_flight = 64;  // jobs of one loop that wait for their answer

#ifdef __SANITIZE_ADDRESS__
constexpr std::chrono::seconds least_time{30};  // of each of the two sizes
#else
constexpr std::chrono::seconds least_time{0};
#endif
constexpr int least_rounds = 250;

/// Tenants that stay, and how many writes of each were acknowledged.
struct Resident {
  TenantPtr tenant;
  std::atomic<std::int64_t> written = 0;
};

/// One event loop: submits without waiting, mostly to tenants that were used just before, and
/// wanders on to those whose store is closed by now.
class Loop {
 public:
  Loop(Fixture& runtime, std::vector<Resident>& residents, unsigned seed)
      : runtime_(runtime), residents_(residents), random_(seed) {}

  void run() {
    const auto end = std::chrono::steady_clock::now() + least_time;
    for (int round = 0; round < least_rounds || std::chrono::steady_clock::now() < end; ++round) {
      submit(pick(residents_.size()), round % 3 == 0 ? Access::write : Access::read);
      for (int i = 0; i < 20; ++i) submit(last_ + pick(16), Access::glance);
    }
    while (pending_ > 0) std::this_thread::yield();
    EXPECT_EQ(failed_, 0);
  }

 private:
  std::size_t pick(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
  }

  void submit(std::size_t place, Access access) {
    while (pending_ >= in_flight) std::this_thread::yield();
    last_ = place % residents_.size();
    Resident& resident = residents_[last_];
    ++pending_;
    runtime_.tenants->submit(
        *resident.tenant, access, Deadline::max(),
        [access](TenantStore& store) {
          if (access == Access::write) {
            return store.prepare("INSERT INTO note(text) VALUES(hex(randomblob(16)))").run();
          }
          auto row = store.prepare("SELECT count(*) FROM note");
          return row.step();
        },
        [this, access, &resident](const tl::expected<bool, Refusal>& answer) {
          if (!answer.value_or(false)) ++failed_;
          if (access == Access::write) ++resident.written;
          --pending_;
        });
  }

  Fixture& runtime_;
  std::vector<Resident>& residents_;
  std::minstd_rand random_;
  std::size_t last_ = 0;
  std::atomic<int> pending_ = 0;
  std::atomic<int> failed_ = 0;
};

/// Tenants that come, are used and go, and jobs that still name them then.
void come_and_go(Fixture& runtime, const std::atomic<bool>& stop) {
  while (!stop) {
    const TenantPtr tenant = runtime.make("visitor");
    EXPECT_TRUE(runtime.write(*tenant, "x").value_or(false));
    EXPECT_TRUE(runtime.has(*tenant, "x").value_or(false));
    EXPECT_TRUE(runtime.tenants->remove("visitor"));
    EXPECT_EQ(runtime.has(*tenant, "x"), tl::unexpected(Refusal::gone));
    static_cast<void>(runtime.tenants->usage());
    static_cast<void>(runtime.tenants->stats());
  }
}

class Churn : public testing::TestWithParam<std::pair<std::size_t, std::size_t>> {};

TEST_P(Churn, EveryStoreIsThereWhoeverMadeRoom) {
  const auto [tenants, bound] = GetParam();
  Fixture runtime({.open_stores = bound});
  std::vector<Resident> residents(tenants);
  for (std::size_t i = 0; i < tenants; ++i)
    residents[i].tenant = runtime.make("t" + std::to_string(i));
  std::atomic<bool> stop = false;
  std::thread visitors([&] { come_and_go(runtime, stop); });
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < loops; ++i) {
    threads.emplace_back([&, i] { Loop(runtime, residents, i + 1).run(); });
  }
  for (auto& thread : threads) thread.join();
  stop = true;
  visitors.join();
  for (const Resident& resident : residents) {
    EXPECT_EQ(runtime.count(*resident.tenant).value(), resident.written);
  }
  const auto stats = runtime.tenants->stats();
  EXPECT_LE(stats.open, bound);
  EXPECT_GT(stats.evictions, 100U);
  EXPECT_EQ(runtime.tenants->usage().size(), tenants) << "nothing is kept of those that went";
}

INSTANTIATE_TEST_SUITE_P(OpenStores, Churn,
                         testing::Values(std::pair(400, 64), std::pair(1200, 1000)));

}  // namespace
}  // namespace caisson::tenancy

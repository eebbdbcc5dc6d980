#include "runtime/tenancy/tenants.h"

#include <atomic>
#include <functional>
#include <latch>
#include <mutex>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "runtime/tenancy/fixture.h"

namespace caisson::tenancy {
namespace {

using storage::Access;
using storage::TenantStore;

/// Holds a tenant's store in a write that waits, until let go.
class Occupied {
 public:
  Occupied(Fixture& runtime, const Tenant& tenant) {
    runtime.tenants->submit(
        tenant, Access::write, Deadline::max(),
        [this](TenantStore&) {
          entered_.count_down();
          let_go_.wait();
          return true;
        },
        [this](const tl::expected<bool, Refusal>&) { done_.count_down(); });
    entered_.wait();
  }
  Occupied(const Occupied&) = delete;
  Occupied& operator=(const Occupied&) = delete;
  ~Occupied() { release(); }
  void release() {
    if (std::exchange(released_, true)) return;
    let_go_.count_down();
    done_.wait();
  }

 private:
  bool released_ = false;
  std::latch entered_{1};
  std::latch let_go_{1};
  std::latch done_{1};
};

/// Counts replies, by what they said.
struct Tally {
  std::atomic<int> done = 0;
  std::atomic<int> refused = 0;
  std::atomic<int> last_refusal = -1;

  auto reply() {
    return [this](const tl::expected<bool, Refusal>& answer) {
      if (!answer) last_refusal = static_cast<int>(answer.error());
      ++(answer ? done : refused);
    };
  }
  void wait_for(int replies) const {
    while (done + refused < replies) std::this_thread::yield();
  }
};

auto adding(std::string text) {
  return [text = std::move(text)](TenantStore& store) {
    return store.prepare("INSERT INTO note(text) VALUES(?)").text(text).run();
  };
}

TEST(Tenants, AWriteIsReadByTheNextGlance) {
  Fixture runtime;
  const auto tenant = runtime.make("acme");
  EXPECT_TRUE(runtime.write(*tenant, "a").value());
  EXPECT_TRUE(runtime.has(*tenant, "a").value());
  EXPECT_FALSE(runtime.has(*tenant, "b").value());
}

TEST(Tenants, WritesSurviveARestart) {
  Fixture runtime;
  const auto tenant = runtime.make("acme");
  EXPECT_TRUE(runtime.write(*tenant, "a").value());
  runtime.restart();
  EXPECT_TRUE(runtime.has(*tenant, "a").value());
}

TEST(Tenants, TenantsHaveStoresOfTheirOwn) {
  Fixture runtime;
  const auto a = runtime.make("a");
  const auto b = runtime.make("b");
  EXPECT_TRUE(runtime.write(*a, "x").value());
  EXPECT_FALSE(runtime.has(*b, "x").value());
}

TEST(Tenants, AGlanceRunsOnTheCallersThreadWhenTheTenantIsIdle) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  runtime.write(*tenant, "x").value();
  const auto thread_of = [&](Access access) {
    return runtime.call(*tenant, access, [](TenantStore&) { return std::this_thread::get_id(); })
        .value();
  };
  // The worker gives the store back just after its replies.
  while (thread_of(Access::glance) != std::this_thread::get_id()) {
  }
  EXPECT_NE(thread_of(Access::read), std::this_thread::get_id());
}

TEST(Tenants, AGlanceWaitsForTheBatchBeforeItWithoutBlockingTheCaller) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  Occupied occupied(runtime, *tenant);
  Tally writes;
  Tally glances;
  runtime.tenants->submit(*tenant, Access::write, Deadline::max(), adding("x"), writes.reply());
  runtime.tenants->submit(
      *tenant, Access::glance, Deadline::max(),
      [](TenantStore& store) {
        auto row = store.prepare("SELECT 1 FROM note WHERE text='x'");
        return row.step();
      },
      [&](const tl::expected<bool, Refusal>& answer) {
        EXPECT_TRUE(answer.value());
        glances.reply()(answer);
      });
  EXPECT_EQ(glances.done, 0);
  occupied.release();
  writes.wait_for(1);
  glances.wait_for(1);
  EXPECT_EQ(writes.done, 1);
}

TEST(Tenants, TellsWhatWasCommittedInOrderAndNothingElse) {
  std::mutex mutex;
  std::vector<std::int64_t> told;  // versions; -1: anything may have changed
  Fixture runtime({.on_change = [&](std::string_view, std::span<const storage::Change> changes) {
    const std::scoped_lock lock(mutex);
    if (changes.empty()) told.push_back(-1);
    for (const auto& change : changes) told.push_back(change.version);
  }});
  const auto tenant = runtime.make("a");
  Tally tally;
  const auto submit = [&](std::int64_t version, bool abandons) {
    runtime.tenants->submit(
        *tenant, Access::write, Deadline::max(),
        [version, abandons](TenantStore& store) {
          store.note({.version = version});
          if (abandons) store.abandon();
          return true;
        },
        tally.reply());
  };
  {
    Occupied occupied(runtime, *tenant);
    for (std::int64_t i = 0; i < 300; ++i) submit(i, i % 3 == 0);
  }
  tally.wait_for(300);
  std::vector<std::int64_t> kept;
  for (std::int64_t i = 0; i < 300; ++i) {
    if (i % 3 != 0) kept.push_back(i);
  }
  const auto snapshot = runtime.tenants->snapshot("a").value();
  EXPECT_EQ(told, kept);
  ASSERT_TRUE(runtime.tenants->restore("a", snapshot.id, {}));
  EXPECT_EQ(told.back(), -1);
  submit(300, false);
  runtime.tenants->submit(
      *tenant, Access::write, Deadline::max(),
      [](TenantStore& store) {
        store.note_unknown_changes();
        return true;
      },
      tally.reply());
  tally.wait_for(302);
  const std::scoped_lock lock(mutex);
  EXPECT_EQ(std::vector(told.end() - 2, told.end()), (std::vector<std::int64_t>{300, -1}));
}

TEST(Tenants, WritesThatWaitAreCommittedTogether) {
  Fixture runtime({.slice = std::chrono::hours(1)});
  const auto tenant = runtime.make("a");
  Tally tally;
  {
    const Occupied occupied(runtime, *tenant);
    for (int i = 0; i < 100; ++i) {
      runtime.tenants->submit(*tenant, Access::write, Deadline::max(), adding(std::to_string(i)),
                              tally.reply());
    }
    EXPECT_EQ(tally.done, 0);
  }
  tally.wait_for(100);
  EXPECT_EQ(tally.done, 100);
  const auto stats = runtime.tenants->stats();
  EXPECT_EQ(stats.commits, 1U);
  EXPECT_EQ(stats.committed_jobs, 101U);
  EXPECT_EQ(stats.batches[7], 1U) << "65 to 128 jobs";
}

TEST(Tenants, AFullMailboxRefusesAtOnceAndTheOthersAreServed) {
  Fixture runtime({.mailbox = 10});
  const auto busy = runtime.make("busy");
  const auto other = runtime.make("other");
  Tally tally;
  {
    const Occupied occupied(runtime, *busy);
    for (int i = 0; i < 15; ++i) {
      runtime.tenants->submit(*busy, Access::write, Deadline::max(), adding(std::to_string(i)),
                              tally.reply());
    }
    EXPECT_EQ(tally.refused, 5);
    EXPECT_EQ(tally.last_refusal, static_cast<int>(Refusal::overloaded));
    EXPECT_TRUE(runtime.write(*other, "x").value());
  }
  tally.wait_for(15);
  EXPECT_EQ(tally.done, 10);
}

TEST(Tenants, AJobPastItsDeadlineDoesNotRun) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  const auto answer =
      runtime.call(*tenant, Access::write, adding("x"), std::chrono::steady_clock::now());
  EXPECT_EQ(answer.error(), Refusal::deadline);
  EXPECT_FALSE(runtime.has(*tenant, "x").value());
}

TEST(Tenants, AJobThatTakesTooLongIsUndoneAlone) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  Tally tally;
  Tally slow;
  {
    const Occupied occupied(runtime, *tenant);
    runtime.tenants->submit(*tenant, Access::write, Deadline::max(), adding("1"), tally.reply());
    runtime.tenants->submit(
        *tenant, Access::write, std::chrono::steady_clock::now() + std::chrono::milliseconds(50),
        [](TenantStore& store) {
          return store
              .prepare(
                  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
                  "INSERT INTO note(text) SELECT 'slow'||i FROM n")
              .run();
        },
        slow.reply());
    runtime.tenants->submit(*tenant, Access::write, Deadline::max(), adding("2"), tally.reply());
  }
  tally.wait_for(2);
  slow.wait_for(1);
  EXPECT_EQ(tally.done, 2);
  EXPECT_EQ(slow.last_refusal, static_cast<int>(Refusal::deadline));
  EXPECT_EQ(runtime.count(*tenant).value(), 2);
}

TEST(Tenants, ADefectiveJobFailsAlone) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  EXPECT_EQ(runtime
                .call(*tenant, Access::write,
                      [](TenantStore& store) {
                        store.prepare("INSERT INTO note(text) VALUES('x')").run();
                        return store.prepare("SELECT no_such_function()").run();
                      })
                .error(),
            Refusal::failed);
  EXPECT_FALSE(runtime.has(*tenant, "x").value());
  EXPECT_TRUE(runtime.write(*tenant, "x").value());
}

TEST(Tenants, JobsThatDoNotFitAreRefusedAloneInTheirBatch) {
  Fixture runtime({}, {{"free", {.limits = {.storage_bytes = 200 * 1024}}}});
  const auto tenant = runtime.make("a");
  Tally small;
  Tally large;
  {
    const Occupied occupied(runtime, *tenant);
    for (int i = 0; i < 20; ++i) {
      const bool fits = i % 4 != 1;
      runtime.tenants->submit(*tenant, Access::write, Deadline::max(),
                              adding(std::to_string(i) + std::string(fits ? 10 : 300'000, 'x')),
                              (fits ? small : large).reply());
    }
  }
  small.wait_for(15);
  large.wait_for(5);
  EXPECT_EQ(small.done, 15);
  EXPECT_EQ(large.refused, 5);
  EXPECT_EQ(large.last_refusal, static_cast<int>(Refusal::full));
  EXPECT_EQ(runtime.count(*tenant).value(), 15);
}

TEST(Tenants, WhatWaitsWhenTheRuntimeStopsIsAnswered) {
  Fixture runtime({.workers = 1});
  const auto tenant = runtime.make("a");
  Tally tally;
  auto occupied = std::make_unique<Occupied>(runtime, *tenant);
  for (int i = 0; i < 50; ++i) {
    runtime.tenants->submit(*tenant, Access::write, Deadline::max(), adding(std::to_string(i)),
                            tally.reply());
  }
  std::thread stopper([&] { runtime.stop(); });
  occupied.reset();
  stopper.join();
  EXPECT_EQ(tally.done + tally.refused, 50) << "every job has exactly one answer";
  runtime.start();
  EXPECT_EQ(runtime.count(*tenant).value(), tally.done);
}

TEST(Tenants, Property35_OpenStoresStayWithinTheirBound) {
  rc::check("open stores never exceed the bound; what was written is there", [] {
    constexpr std::size_t bound = 4;
    static Fixture runtime({.workers = 2, .open_stores = bound});
    static std::vector<TenantPtr> tenants;
    static std::map<std::string, std::int64_t> written;
    static int next = 0;
    while (tenants.size() < 12)
      tenants.push_back(runtime.make("t" + std::to_string(tenants.size())));

    const auto uses = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 24));
    for (const int use : uses) {
      const Tenant& tenant = *tenants[static_cast<std::size_t>(use % 12)];
      if (use < 12) {
        RC_ASSERT(runtime.write(tenant, std::to_string(next++)).value());
        ++written[tenant.id];
      } else {
        RC_ASSERT(runtime.count(tenant).value() == written[tenant.id]);
      }
      RC_ASSERT(runtime.tenants->stats().open <= bound);
    }
    const auto stats = runtime.tenants->stats();
    RC_ASSERT(stats.opens - stats.evictions == stats.open);
  });
}

TEST(Tenants, TheLeastRecentlyUsedStoreMakesRoom) {
  Fixture runtime({.open_stores = 3});
  const auto a = runtime.make("a");
  const auto b = runtime.make("b");
  const auto c = runtime.make("c");
  const auto d = runtime.make("d");
  for (const auto& tenant : {a, b, c}) runtime.write(*tenant, "x").value();
  runtime.has(*a, "x").value();  // b is now the one not used for longest
  runtime.write(*d, "x").value();
  std::set<std::string> open;
  for (const auto& usage : runtime.tenants->usage()) {
    EXPECT_GT(usage.store_bytes, 0) << "what is known of a closed store stays known";
    if (usage.open) open.insert(usage.tenant_id);
  }
  EXPECT_EQ(open, (std::set<std::string>{a->id, c->id, d->id}));
}

TEST(Tenants, AStoreInATransactionIsNeverClosed) {
  Fixture runtime({.workers = 3, .open_stores = 2});
  const auto a = runtime.make("a");
  const auto b = runtime.make("b");
  const auto c = runtime.make("c");
  Tally tally;
  {
    const Occupied first(runtime, *a);
    {
      const Occupied second(runtime, *b);
      runtime.tenants->submit(*c, Access::write, Deadline::max(), adding("x"), tally.reply());
      EXPECT_EQ(runtime.tenants->stats().open, 2U);
      EXPECT_EQ(tally.done, 0);
    }
    tally.wait_for(1);
    EXPECT_EQ(tally.done, 1) << "b made room, not a";
  }
  EXPECT_EQ(runtime.tenants->stats().evictions, 1U);
}

/// One job: what it adds, and whether it then fails.
using Plan = std::vector<std::pair<std::vector<int>, bool>>;

RC_GTEST_PROP(TenantsBatch, Property06_ErrorIsolation, (const Plan& plan)) {
  static Fixture runtime;
  static int round = 0;
  const auto tenant = runtime.make("t" + std::to_string(round++));
  std::set<std::string> expected;
  Tally fine;
  Tally failing;
  int good = 0;
  {
    const Occupied occupied(runtime, *tenant);
    for (std::size_t job = 0; job < plan.size(); ++job) {
      const auto& [adds, fails] = plan[job];
      const auto name = [job](std::size_t i) {
        return std::to_string(job) + "." + std::to_string(i);
      };
      if (!fails) {
        for (std::size_t i = 0; i < adds.size(); ++i) expected.insert(name(i));
        ++good;
      }
      runtime.tenants->submit(
          *tenant, Access::write, Deadline::max(),
          [name, size = adds.size(), fails = fails](TenantStore& store) {
            for (std::size_t i = 0; i < size; ++i) {
              store.prepare("INSERT INTO note(text) VALUES(?)").text(name(i)).run();
            }
            if (fails) store.prepare("INSERT INTO note(text) VALUES(NULL)").run();
            return true;
          },
          (fails ? failing : fine).reply());
    }
  }
  fine.wait_for(good);
  failing.wait_for(static_cast<int>(plan.size()) - good);
  RC_ASSERT(fine.refused == 0);
  RC_ASSERT(failing.done == 0);
  const auto stored = runtime.call(*tenant, Access::read, [](TenantStore& store) {
    std::set<std::string> all;
    auto row = store.prepare("SELECT text FROM note");
    while (row.step()) all.emplace(row.text_at(0));
    return all;
  });
  RC_ASSERT(stored.value() == expected);
  RC_ASSERT(runtime.tenants->remove(tenant->slug).has_value());
}

TEST(TenantsConcurrency, AClosedStoreFindsRoomAmongStoresThatAreNeverIdle) {
  constexpr int hundreds = 300;
  Fixture runtime({.workers = 4, .open_stores = 2});
  const auto quiet = runtime.make("quiet");
  std::vector<TenantPtr> busy{runtime.make("a"), runtime.make("b")};
  std::atomic<bool> stop = false;
  std::latch done(2 * 8);
  std::function<void(const TenantPtr&)> go_on = [&](const TenantPtr& tenant) {
    runtime.tenants->submit(
        *tenant, Access::read, Deadline::max(),
        [](TenantStore& store) { return store.prepare("SELECT 1").step(); },
        [&, tenant](const tl::expected<bool, Refusal>& answer) {
          EXPECT_TRUE(answer.value_or(false));
          if (stop) return done.count_down();
          go_on(tenant);
        });
  };
  for (int i = 0; i < 8; ++i) {
    for (const auto& tenant : busy) go_on(tenant);
  }
  for (int i = 0; i < hundreds; ++i) {
    ASSERT_TRUE(runtime.write(*quiet, std::to_string(i)).value_or(false));
  }
  stop = true;
  done.wait();
  EXPECT_LE(runtime.tenants->stats().open, 2U);
}

TEST(TenantsConcurrency, EveryThreadReadsItsOwnWrites) {
  Fixture runtime({.workers = 3, .open_stores = 6});
  std::vector<TenantPtr> tenants;
  for (int i = 0; i < 8; ++i) tenants.push_back(runtime.make("t" + std::to_string(i)));
  std::atomic<bool> stop = false;
  std::atomic<int> lost = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        const Tenant& tenant = *tenants[static_cast<std::size_t>((t + i) % 7)];
        const std::string note = std::to_string(t) + "-" + std::to_string(i);
        const Access access = i % 3 == 0 ? Access::read : Access::glance;
        if (!runtime.write(tenant, note).value_or(false) ||
            !runtime.has(tenant, note, access).value_or(false)) {
          ++lost;
        }
      }
    });
  }
  std::thread operators([&] {
    for (int i = 0; !stop; ++i) {
      const std::string slug = "t" + std::to_string(i % 7);
      EXPECT_TRUE(runtime.tenants->suspend(slug));
      EXPECT_TRUE(runtime.tenants->snapshot(slug));
      EXPECT_TRUE(runtime.tenants->resume(slug));
      EXPECT_TRUE(runtime.tenants->remove("t7"));
      runtime.make("t7");
      static_cast<void>(runtime.tenants->usage());
      static_cast<void>(runtime.registry->list({}, 10));
    }
  });
  for (auto& thread : threads) thread.join();
  stop = true;
  operators.join();
  EXPECT_EQ(lost, 0);
  std::int64_t total = 0;
  for (int i = 0; i < 7; ++i) total += runtime.count(*tenants[static_cast<std::size_t>(i)]).value();
  EXPECT_EQ(total, 1200);
}

TEST(TenantsConcurrency, JobsOfATenantThatIsRemovedAreAnsweredOnce) {
  Fixture runtime;
  for (int round = 0; round < 20; ++round) {
    const auto tenant = runtime.make("a");
    Tally tally;
    std::thread writer([&] {
      for (int i = 0; i < 200; ++i) {
        runtime.tenants->submit(
            *tenant, i % 2 == 0 ? Access::write : Access::glance, Deadline::max(),
            [](TenantStore& store) { return store.prepare("SELECT 1").step(); }, tally.reply());
      }
    });
    EXPECT_TRUE(runtime.tenants->remove("a"));
    writer.join();
    tally.wait_for(200);
    EXPECT_EQ(tally.done + tally.refused, 200);
  }
}

}  // namespace
}  // namespace caisson::tenancy

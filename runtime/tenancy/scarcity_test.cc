// Any allocation may fail: the process lives, every job has one answer, no tenant is lost.

#include <array>
#include <atomic>
#include <cstdlib>
#include <latch>
#include <new>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/tenancy/fixture.h"

namespace {

std::atomic<std::int64_t> allocations = 0;    // that may fail
std::atomic<std::int64_t> first_failing = 0;  // of them; 0: none fails
std::atomic<std::int64_t> failing = 0;        // in a row
std::atomic<std::int64_t> period = 0;         // after which they fail again; 0: never
thread_local bool spared = false;             // what the test itself needs

bool fails() {
  if (spared || first_failing == 0) return false;
  const std::int64_t place = ++allocations - first_failing;
  return place >= 0 && (period > 0 ? place % period : place) < failing;
}

}  // namespace

// NOLINTBEGIN(misc-definitions-in-headers,misc-new-delete-overloads)
__attribute__((noinline)) void* operator new(std::size_t size) {
  void* const memory = fails() ? nullptr : std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
__attribute__((noinline)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
// NOLINTEND(misc-definitions-in-headers,misc-new-delete-overloads)

namespace caisson::tenancy {
namespace {

using storage::Access;
using storage::TenantStore;

class Scarcity : public testing::Test {
 protected:
  Scarcity() { spared = true; }
  ~Scarcity() override { first_failing = 0; }

  static void fail_from(std::int64_t first, std::int64_t count, std::int64_t every = 0) {
    failing = count;
    period = every;
    allocations = 0;
    first_failing = first;
  }

  /// Sends jobs to all tenants, whose allocations may fail, and waits for every answer.
  void ask(Fixture& runtime, int jobs) {
    std::latch answered(static_cast<std::ptrdiff_t>(tenants.size()) * jobs);
    for (int job = 0; job < jobs; ++job) {
      for (std::size_t i = 0; i < tenants.size(); ++i) {
        // One of each four looks, the others write.
        const Access access = job % 4 == 3 ? Access::glance : Access::write;
        const auto act = [access, id = ++ids](TenantStore& store) {
          if (access == Access::glance) return store.prepare("SELECT 1 FROM note").step();
          const std::string text = std::to_string(id) + " and what no short string holds";
          store.note({.collection = text});
          return store.prepare("INSERT INTO note(text) VALUES(?)").text(text).run();
        };
        const auto reply = [&, access, i](const tl::expected<bool, Refusal>& answer) {
          if (!answer) ++(answer.error() == Refusal::overloaded ? refused : wrong);
          if (answer && access == Access::write) ++acknowledged[i];
          answered.count_down();
        };
        spared = false;
        runtime.tenants->submit(*tenants[i], access, Deadline::max(), act, reply);
        spared = true;
      }
    }
    answered.wait();
    first_failing = 0;
  }

  /// Everybody is served when there is memory, and has what was acknowledged.
  void expect_service(Fixture& runtime) {
    for (std::size_t i = 0; i < tenants.size(); ++i) {
      ASSERT_EQ(runtime.count(*tenants[i]).value_or(-1), acknowledged[i]);
    }
    for (const auto& usage : runtime.tenants->usage()) ASSERT_FALSE(usage.broken);
    ASSERT_EQ(wrong, 0);
  }

  std::vector<TenantPtr> tenants;
  std::array<std::atomic<std::int64_t>, 300> acknowledged{};
  std::atomic<int> refused = 0;
  std::atomic<int> wrong = 0;
  std::int64_t ids = 0;
};

TEST_F(Scarcity, AnyAllocationMayFail) {
  for (const std::int64_t count : {1, 50}) {
    Fixture runtime(
        {.workers = 3, .open_stores = 2, .on_failure = [](std::string_view, std::string_view why) {
           ADD_FAILURE() << why;
         }});
    tenants.clear();
    for (auto& known : acknowledged) known = 0;
    for (const char* slug : {"a", "b", "c", "d"}) tenants.push_back(runtime.make(slug));
    for (std::int64_t first = 1;; ++first) {
      fail_from(first, count);
      ask(runtime, 4);
      if (allocations < first) break;
      ASSERT_NO_FATAL_FAILURE(expect_service(runtime)) << "allocation " << first;
    }
  }
  EXPECT_GT(refused, 50);
}

TEST_F(Scarcity, HundredsOfTenantsWithTooLittleMemoryAreServedLater) {
  Fixture runtime({.open_stores = 64});
  for (int i = 0; i < 300; ++i) tenants.push_back(runtime.make("t" + std::to_string(i)));
  for (const std::int64_t every : {3, 17, 101, 499}) {
    fail_from(1, 1, every);
    ask(runtime, 8);
    ASSERT_NO_FATAL_FAILURE(expect_service(runtime)) << "every " << every;
  }
  EXPECT_GT(refused, 300);
}

TEST_F(Scarcity, WhatIsDurableIsSeen) {
  Fixture runtime;
  runtime.make("a");
  for (bool all = false; !all;) {
    const auto key = runtime.registry->create_key("a", "k", {"read"}, 0).value().key->id;
    const bool active = runtime.registry->by_slug("a")->status == Status::active;
    fail_from(++ids, 1);
    spared = false;
    try {
      static_cast<void>(active ? runtime.tenants->suspend("a") : runtime.tenants->resume("a"));
      static_cast<void>(runtime.tenants->update("a", {.domains = {{key + ".long.example"}}}));
      static_cast<void>(runtime.registry->revoke_key("a", key));
    } catch (const std::bad_alloc&) {
      ++refused;
    }
    spared = true;
    all = allocations < ids;
    first_failing = 0;
    const Tenant seen = *runtime.registry->by_slug("a");
    const bool revoked = runtime.registry->key(key)->revoked;
    runtime.restart();
    ASSERT_EQ(*runtime.registry->by_slug("a"), seen) << "allocation " << ids;
    ASSERT_EQ(runtime.registry->key(key)->revoked, revoked) << "allocation " << ids;
  }
  EXPECT_GT(refused, 10);
}

TEST_F(Scarcity, WithoutFileDescriptorsAStoreIsNotOpenedAndNotBroken) {
  Fixture runtime;
  const auto tenant = runtime.make("a");
  ASSERT_TRUE(runtime.write(*tenant, "x").value());
  ASSERT_TRUE(runtime.tenants->suspend("a"));  // closes the store
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int first = open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(first, 0);
  close(first);
  bool served = false;
  // One more each time: for the directory, the file, its log.
  for (unsigned spare = 0; spare < 16 && !served; ++spare) {
    const rlimit tight{.rlim_cur = static_cast<unsigned>(first) + spare,
                       .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
    const auto answer = runtime.write(*tenant, "y");
    served = answer.has_value();
    if (!served) ++(answer.error() == Refusal::overloaded ? refused : wrong);
  }
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(served);
  EXPECT_GE(refused, 2);
  EXPECT_EQ(wrong, 0);
  EXPECT_FALSE(runtime.tenants->usage().front().broken);
}

}  // namespace
}  // namespace caisson::tenancy

#include "base/uuid.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace caisson {
namespace {

TEST(NewUuid, IsAVersionSeven) {
  const std::string id = new_uuid(0x0198'0123'4567);
  EXPECT_TRUE(is_uuid(id)) << id;
  EXPECT_TRUE(id.starts_with("01980123-4567-7")) << id;
}

TEST(NewUuid, Property03_RequestIdUniqueness) {
  // Ids made by several threads in the same millisecond, as a busy server makes them, are all
  // different.
  const bool holds = rc::check([] {
    const int threads = *rc::gen::inRange(1, 5);
    const auto each = static_cast<std::size_t>(*rc::gen::inRange(1, 500));
    const auto now = *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 47);
    std::vector<std::vector<std::string>> made(static_cast<std::size_t>(threads));
    std::vector<std::thread> workers;
    workers.reserve(made.size());
    for (auto& mine : made) {
      workers.emplace_back([&mine, each, now] {
        for (std::size_t i = 0; i < each; ++i) mine.push_back(new_uuid(now));
      });
    }
    for (std::thread& worker : workers) worker.join();
    std::unordered_set<std::string> all;
    for (const auto& mine : made) {
      for (const std::string& id : mine) {
        RC_ASSERT(is_uuid(id));
        RC_ASSERT(all.insert(id).second);
      }
    }
  });
  EXPECT_TRUE(holds);
}

TEST(NewUuid, IsNotGuessable) {
  // Every one of the 74 random bits is set about half of the time.
  constexpr int samples = 4000;
  std::array<int, 32> ones{};
  for (int i = 0; i < samples; ++i) {
    std::string id = new_uuid(0);
    std::erase(id, '-');
    for (std::size_t digit = 13; digit < 32; ++digit) ones[digit] += id[digit] >= '8' ? 1 : 0;
  }
  for (std::size_t digit = 13; digit < 32; ++digit) {
    if (digit == 16) continue;  // the variant
    EXPECT_GT(ones[digit], samples / 2 - 250) << digit;
    EXPECT_LT(ones[digit], samples / 2 + 250) << digit;
  }
}

TEST(IsUuid, KnowsOneSpelling) {
  EXPECT_TRUE(is_uuid("01980123-4567-7abc-8def-0123456789ab"));
  for (const char* bad :
       {"", "01980123-4567-7ABC-8def-0123456789ab", "019801234567-7abc-8def-0123456789ab0",
        "01980123-4567-4abc-8def-0123456789ab", "01980123-4567-7abc-cdef-0123456789ab",
        "01980123-4567-7abc-8def-0123456789abc", "g1980123-4567-7abc-8def-0123456789ab"}) {
    EXPECT_FALSE(is_uuid(bad)) << bad;
  }
}

TEST(Uuid, CarriesItsTimeAndIsCanonical) {
  const Uuid id = Uuid::make(1'771'061'400'250);
  EXPECT_EQ(id.unix_ms(), 1'771'061'400'250);
  EXPECT_TRUE(is_uuid(id.text())) << id.text();
  EXPECT_EQ(Uuid::parse(id.text()), id);
}

TEST(Uuid, IncreasesWithinAMillisecond) {
  Uuid last = Uuid::make(1000);
  for (int i = 0; i < 100000; ++i) {
    const Uuid next = Uuid::make(1000);
    ASSERT_LT(last, next);
    ASSERT_EQ(next.unix_ms(), 1000);
    ASSERT_TRUE(is_uuid(next.text()));
    last = next;
  }
}

TEST(Uuid, ThreadsNeverMakeTheSame) {
  std::mutex mutex;
  std::set<Uuid> all;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      std::vector<Uuid> mine;
      for (int i = 0; i < 5000; ++i) mine.push_back(Uuid::make(1000));
      const std::scoped_lock lock(mutex);
      all.insert(mine.begin(), mine.end());
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(all.size(), 20000U);
}

TEST(Uuid, ParsesOnlyTheCanonicalForm) {
  for (const char* text :
       {"", "0190b6a0-7e2a-7c3d-8e4f-0123456789a", "0190b6a0-7e2a-7c3d-8e4f-0123456789abc",
        "0190B6A0-7e2a-7c3d-8e4f-0123456789ab", "0190b6a07e2a-7c3d-8e4f-0123456789ab-",
        "{0190b6a0-7e2a-7c3d-8e4f-0123456789}", "0190b6a0-7e2a-7c3d-8e4f-0123456789ag",
        "0190b6a0-7e2a-7c3d-8e4-f0123456789ab"}) {
    EXPECT_FALSE(Uuid::parse(text)) << text;
  }
}

}  // namespace
}  // namespace caisson

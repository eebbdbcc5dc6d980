#include "runtime/observe/ids.h"

#include <algorithm>
#include <array>
#include <thread>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "runtime/observe/clock.h"
#include "runtime/observe/digest.h"

namespace caisson::observe {
namespace {

TEST(NewUuid, IsAVersionSeven) {
  const std::string id = new_uuid(0x0198'0123'4567);
  EXPECT_TRUE(is_uuid(id)) << id;
  EXPECT_TRUE(id.starts_with("01980123-4567-7")) << id;
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

TEST(FillRandom, FillsAnySize) {
  for (const std::size_t size : {0UL, 1UL, 10UL, 255UL, 256UL, 257UL, 5000UL}) {
    std::vector<unsigned char> bytes(size);
    fill_random(bytes);
    if (size < 255) continue;
    EXPECT_GT(std::ranges::count_if(bytes, [](unsigned char b) { return b != 0; }), 200);
  }
}

TEST(Rfc3339, WritesAndReads) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(1'771'061'400'250), "2026-02-14T09:30:00.250Z");
  EXPECT_EQ(parse_rfc3339("2026-02-14T09:30:00.250Z"), 1'771'061'400'250);
  EXPECT_EQ(parse_rfc3339("2026-02-14T10:30:00.25+01:00"), 1'771'061'400'250);
  EXPECT_EQ(parse_rfc3339("2026-02-14t04:00:00-05:30"), 1'771'061'400'000);
  EXPECT_EQ(parse_rfc3339("2026-02-14T09:30:00.250999Z"), 1'771'061'400'250);
  for (const char* bad :
       {"", "2026-02-14", "2026-02-30T09:30:00Z", "2026-02-14T24:00:00Z", "2026-02-14T09:30:00",
        "2026-02-14T09:30:00.Z", "2026-02-14T09:30:00+1:00", "2026-02-14 09:30:00Z",
        "2026-02-14T09:30:60Z", "2026-02-14T09:30:00ZZ", "2026-0x-14T09:30:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

RC_GTEST_PROP(Rfc3339, ReadsBackWhatItWrote, ()) {
  const auto ms = *rc::gen::inRange<std::int64_t>(-62'167'219'200'000, 253'402'300'800'000);
  RC_ASSERT(parse_rfc3339(rfc3339(ms)) == ms);
}

TEST(Sha256, IsTheStandards) {
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("a", "bc"), sha256("abc"));
  EXPECT_TRUE(equal_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_constant_time("abc", "abcd"));
}

}  // namespace
}  // namespace caisson::observe

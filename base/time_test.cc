#include "base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace caisson {
namespace {

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

TEST(Rfc3339, WritesWholeSeconds) {
  EXPECT_EQ(rfc3339_seconds(1'771'061'400), "2026-02-14T09:30:00Z");
  EXPECT_EQ(rfc3339_seconds(-1), "1969-12-31T23:59:59Z");
}

TEST(ManualClock, MovesWhenToldTo) {
  ManualClock clock(1000);
  clock.advance_ns(2'500'000);
  EXPECT_EQ(clock.unix_ms(), 1002);
  EXPECT_EQ(clock.steady_ns(), 2'500'000);
  clock.set_unix_ms(5);
  EXPECT_EQ(clock.unix_ms(), 5);
  EXPECT_EQ(clock.steady_ns(), 2'500'000) << "a wall clock that jumps moves no deadline";
}

}  // namespace
}  // namespace caisson

// Cron lines, held against systemd's own reading of what they became.

#include "generator/render/calendar.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <random>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caisson::render {
namespace {

using testing::ElementsAre;

constexpr std::time_t base = 1'772'280'000;  // 2026-02-28 12:00 UTC: a month's end is near

TEST(CalendarEvents, AreWhatPeopleWouldWrite) {
  EXPECT_THAT(calendar_events("0 3 * * *"), ElementsAre("*-*-* 03:00:00 UTC"));
  EXPECT_THAT(calendar_events("*/15 * * * *"), ElementsAre("*-*-* *:00,15,30,45:00 UTC"));
  EXPECT_THAT(calendar_events("30 1-4 1,15 * *"), ElementsAre("*-*-01,15 01..04:30:00 UTC"));
  EXPECT_THAT(calendar_events("0 0 * 1-3 1-5"), ElementsAre("Mon..Fri *-01..03-* 00:00:00 UTC"));
  EXPECT_THAT(calendar_events("0 0 * * 0"), ElementsAre("Sun *-*-* 00:00:00 UTC"));
  EXPECT_THAT(calendar_events("0 0 * * 7"), ElementsAre("Sun *-*-* 00:00:00 UTC"));
  EXPECT_THAT(calendar_events("5/20 0 * * *"), ElementsAre("*-*-* 00:05,25,45:00 UTC"));
}

TEST(CalendarEvents, ReadEitherDayAsCronDoes) {
  EXPECT_THAT(calendar_events("0 0 13 * 5"),
              ElementsAre("*-*-13 00:00:00 UTC", "Fri *-*-* 00:00:00 UTC"));
  EXPECT_THAT(calendar_events("0 0 1-31 * 1"), ElementsAre("*-*-* 00:00:00 UTC"));
}

TEST(KubernetesSchedule, IsTheSameForAWeekThatEndsWithDaySix) {
  EXPECT_EQ(kubernetes_schedule("0 3 * * *"), "0 3 * * *");
  EXPECT_EQ(kubernetes_schedule("0 3 * * 7"), "0 3 * * 0");
  EXPECT_EQ(kubernetes_schedule("0 3 * * 0-7"), "0 3 * * *");
  EXPECT_EQ(kubernetes_schedule("0 3 * * 5-7"), "0 3 * * 0,5,6");
  EXPECT_EQ(kubernetes_schedule("*/20 1-4 1,15 */6 1-5"), "0,20,40 1-4 1,15 1,7 1-5");
  // Either day is enough, and one of them is every day.
  EXPECT_EQ(kubernetes_schedule("0 3 1-31 * 1"), "0 3 * * *");
  EXPECT_EQ(kubernetes_schedule("0 3 13 * 5"), "0 3 13 * 5");
}

/// Whether a field of cron holds a value; written apart from the code that is tested.
bool matches(const std::string& field, int value, int high) {
  for (std::size_t at = 0; at <= field.size();) {
    const auto end = std::min(field.find(',', at), field.size());
    const auto part = field.substr(at, end - at);
    int from = 0;
    int to = high;
    int step = 1;
    if (part.front() == '*') {
      std::sscanf(part.c_str(), "*/%d", &step);
      from = high == 31 || high == 12 ? 1 : 0;
    } else if (std::sscanf(part.c_str(), "%d-%d/%d", &from, &to, &step) < 2) {
      to = std::sscanf(part.c_str(), "%d/%d", &from, &step) == 2 ? high : from;
    }
    if (value >= from && value <= to && (value - from) % step == 0) return true;
    at = end + 1;
  }
  return false;
}

/// The first `count` times after `base` at which cron would run the line.
std::vector<std::time_t> expected(const std::array<std::string, 5>& cron, std::size_t count) {
  std::vector<std::time_t> times;
  const std::time_t midnight = base - base % 86'400;
  for (std::time_t today = midnight; today < midnight + 86'400L * 400; today += 86'400) {
    std::tm tm{};
    gmtime_r(&today, &tm);
    const bool day = matches(cron[2], tm.tm_mday, 31);
    const bool week =
        matches(cron[4], tm.tm_wday, 7) || (tm.tm_wday == 0 && matches(cron[4], 7, 7));
    const bool both = cron[2].front() == '*' || cron[4].front() == '*';
    if (!matches(cron[3], tm.tm_mon + 1, 12) || !(both ? day && week : day || week)) continue;
    for (int minute = 0; minute < 24 * 60; ++minute) {
      const auto time = today + minute * 60L;
      if (time <= base || !matches(cron[1], minute / 60, 23)) continue;
      if (matches(cron[0], minute % 60, 59)) times.push_back(time);
      if (times.size() == count) return times;
    }
  }
  return times;
}

/// What systemd says of each event, in one call: its own start takes longer than the answer.
std::vector<std::vector<std::time_t>> elapses(const std::vector<std::string>& events,
                                              std::size_t count) {
  auto command = "TZ=UTC systemd-analyze calendar --base-time='@" + std::to_string(base) +
                 "' --iterations=" + std::to_string(count);
  for (const auto& event : events) command += " '" + event + "'";
  std::vector<std::vector<std::time_t>> all;
  FILE* const out = popen((command + " 2>&1").c_str(), "r");
  std::array<char, 512> line;
  while (std::fgets(line.data(), line.size(), out) != nullptr) {
    const std::string row = line.data();
    std::tm tm{};
    const auto colon = row.find(": ");
    if (row.starts_with("Normalized form:")) {
      all.emplace_back();
    } else if (row.find("elapse:") != row.npos || row.find("Iter") != row.npos) {
      if (strptime(row.c_str() + colon + 2, "%a %Y-%m-%d %H:%M:%S", &tm) != nullptr) {
        all.back().push_back(timegm(&tm));
      }
    }
  }
  EXPECT_EQ(pclose(out), 0) << command;
  EXPECT_EQ(all.size(), events.size());
  return all;
}

TEST(CalendarEvents, FireWhenCronWould) {
  std::mt19937 random(20260214);
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  const auto field = [&](int low, int high) {
    std::string out;
    for (int parts = pick(1, 2); parts > 0; --parts) {
      if (!out.empty()) out += ',';
      const int from = pick(low, high);
      switch (pick(0, 4)) {
        case 0:
          out += '*';
          break;
        case 1:
          out += "*/" + std::to_string(pick(1, high));
          break;
        case 2:
          out += std::to_string(from) + "-" + std::to_string(pick(from, high));
          break;
        case 3:
          out += std::to_string(from) + "-" + std::to_string(pick(from, high)) + "/" +
                 std::to_string(pick(1, high));
          break;
        default:
          out += std::to_string(from);
      }
    }
    return out;
  };
  constexpr std::size_t count = 8;
  std::vector<std::array<std::string, 5>> lines;
  std::vector<std::vector<std::string>> events;
  std::vector<std::string> every;
  for (int round = 0; round < 100; ++round) {
    lines.push_back({field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7)});
    std::string line;
    for (const auto& part : lines.back()) line += (line.empty() ? "" : " ") + part;
    events.push_back(calendar_events(line));
    every.insert(every.end(), events.back().begin(), events.back().end());
  }
  const auto times = elapses(every, count);
  ASSERT_EQ(times.size(), every.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::set<std::time_t> merged;
    for (const auto& event : events[i]) {
      SCOPED_TRACE(event);
      merged.insert(times[next].begin(), times[next].end());
      ++next;
    }
    const auto want = expected(lines[i], count);
    // What is further away than a year is only compared as far as it was looked for.
    ASSERT_GE(merged.size(), want.size());
    const auto end = std::next(merged.begin(), static_cast<std::ptrdiff_t>(want.size()));
    EXPECT_EQ(std::vector(merged.begin(), end), want) << testing::PrintToString(lines[i]);
  }
}

}  // namespace
}  // namespace caisson::render

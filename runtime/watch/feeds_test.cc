#include "runtime/watch/feeds.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caisson::watch {
namespace {

using storage::Change;
using testing::HasSubstr;

std::vector<Change> changes(std::size_t count, const std::string& collection = "notes") {
  std::vector<Change> made;
  for (std::size_t i = 0; i < count; ++i) {
    made.push_back({.collection = collection, .id = Uuid::make(1), .time_ms = 1});
  }
  return made;
}

class Watching : public testing::Test {
 protected:
  Terms terms(const std::string& tenant, std::optional<std::uint64_t> after = {}) {
    auto made = std::make_shared<tenancy::Tenant>();
    made->id = made->slug = tenant;
    auto permit = limiter_.admit_socket(*made);
    return {.tenant = made,
            .caller = std::make_shared<context::Caller>(context::Caller{.expires_ms = expires_ms_}),
            .generation = 0,
            .request_id = "r",
            .collections = {},
            .after = after,
            .permit = std::move(*permit)};
  }
  static std::vector<std::string> all(Watcher& watcher) {
    std::vector<std::string> texts;
    while (auto text = watcher.next()) texts.push_back(std::move(*text));
    return texts;
  }
  static std::uint64_t sequence(const std::string& text) {
    return std::stoull(text.substr(text.find(':') + 1));
  }

  std::int64_t expires_ms_ = 0;
  ManualClock clock_;
  policy::Limiter limiter_{clock_};
  Feeds feeds_{clock_, {.window = 1000, .total = 2000, .keep = std::chrono::minutes(5)}};
};

TEST_F(Watching, SaysWhereItIsThenEveryChangeInOrder) {
  const auto watcher = feeds_.watch(terms("globex"));
  feeds_.publish("globex", changes(3));
  feeds_.publish("initech", changes(1));
  const auto texts = all(*watcher);
  ASSERT_EQ(texts.size(), 4U);
  const std::uint64_t start = sequence(texts[0]);
  EXPECT_EQ(texts[0], R"({"sequence":)" + std::to_string(start) + R"(,"gap":false})");
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(sequence(texts[i]), start + i);
  EXPECT_THAT(texts[1], HasSubstr(R"("op":"created","collection":"notes","id":")"));
  EXPECT_THAT(texts[1], HasSubstr(R"(","version":1,"time":"1970-01-01T00:00:00.001Z"})"));
}

TEST_F(Watching, NumbersFitIntoADouble) {
  const auto watcher = feeds_.watch(terms("globex"));
  EXPECT_LT(sequence(*watcher->next()), std::uint64_t{1} << 53U);
}

TEST_F(Watching, ResumesInsideTheWindowAndSaysSoOutsideOfIt) {
  std::uint64_t start = 0;
  {
    const auto watcher = feeds_.watch(terms("globex"));
    start = sequence(*watcher->next());
    feeds_.publish("globex", changes(5));
  }
  feeds_.publish("globex", changes(5));  // while nobody watches
  const auto resumed = all(*feeds_.watch(terms("globex", start + 3)));
  ASSERT_EQ(resumed.size(), 8U);
  EXPECT_THAT(resumed[0], HasSubstr(R"("gap":false)"));
  EXPECT_EQ(sequence(resumed[1]), start + 4);
  EXPECT_EQ(all(*feeds_.watch(terms("globex", start + 10))).size(), 1U);
  for (const std::uint64_t unknown : {start + 11, start - 1, std::uint64_t{0}}) {
    const auto texts = all(*feeds_.watch(terms("globex", unknown)));
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_EQ(texts[0], R"({"sequence":)" + std::to_string(start + 10) + R"(,"gap":true})");
  }
  feeds_.publish("globex", changes(1000));
  EXPECT_THAT(all(*feeds_.watch(terms("globex", start + 9)))[0], HasSubstr(R"("gap":true)"));
}

TEST_F(Watching, ForgetsAFeedThatNobodyWatches) {
  const std::uint64_t start = sequence(*feeds_.watch(terms("globex"))->next());
  clock_.advance_ms(299'000);
  feeds_.sweep();
  EXPECT_THAT(*feeds_.watch(terms("globex", start))->next(), HasSubstr(R"("gap":false)"));
  clock_.advance_ms(301'000);
  feeds_.sweep();
  feeds_.publish("globex", changes(1));
  const auto later = *feeds_.watch(terms("globex", start))->next();
  EXPECT_THAT(later, HasSubstr(R"("gap":true)"));
  EXPECT_GT(sequence(later), start);
}

TEST_F(Watching, FiltersByCollection) {
  auto asked = terms("globex");
  asked.collections = {"notes", "tasks"};
  const auto watcher = feeds_.watch(std::move(asked));
  feeds_.publish("globex", changes(2, "other"));
  feeds_.publish("globex", changes(1, "tasks"));
  const auto texts = all(*watcher);
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(sequence(texts[1]), sequence(texts[0]) + 3);
}

TEST_F(Watching, EndsASlowWatcherInsteadOfSkipping) {
  const auto slow = feeds_.watch(terms("globex"));
  const std::uint64_t start = sequence(*slow->next());
  feeds_.publish("globex", changes(600));
  EXPECT_EQ(sequence(*slow->next()), start + 1);
  feeds_.publish("globex", changes(600));
  EXPECT_FALSE(slow->next());
  const auto why = slow->ending();
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code, 1013);
}

TEST_F(Watching, SharesTheirRoomFairly) {
  std::vector<std::shared_ptr<Watcher>> watchers;
  for (int i = 0; i < 4; ++i) watchers.push_back(feeds_.watch(terms("t" + std::to_string(i))));
  for (const auto& watcher : watchers) ASSERT_TRUE(watcher->next());
  feeds_.publish("t0", changes(501));  // 2000 for four
  EXPECT_FALSE(watchers[0]->next());
  feeds_.publish("t1", changes(500));
  EXPECT_EQ(all(*watchers[1]).size(), 500U);
}

TEST_F(Watching, SaysThatAnythingMayHaveChanged) {
  const auto watcher = feeds_.watch(terms("globex"));
  const std::uint64_t start = sequence(*watcher->next());
  feeds_.publish("globex", changes(2));
  feeds_.publish("globex", {});
  feeds_.publish("globex", changes(1));
  const auto texts = all(*watcher);
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_THAT(texts[0], HasSubstr(R"("gap":true)"));
  EXPECT_EQ(sequence(texts[1]), sequence(texts[0]) + 1);
  // Whoever had seen everything before has a gap as well.
  EXPECT_THAT(*feeds_.watch(terms("globex", start + 2))->next(), HasSubstr(R"("gap":true)"));
}

TEST_F(Watching, EndsWithItsCredentialAndTenant) {
  const auto other = feeds_.watch(terms("initech"));
  expires_ms_ = clock_.unix_ms() + 1000;
  const auto expiring = feeds_.watch(terms("globex"));
  EXPECT_FALSE(expiring->ending());
  clock_.advance_ms(1000);
  EXPECT_EQ(expiring->ending()->code, 4401);
  feeds_.end("globex", {.code = close_code::suspended});
  EXPECT_EQ(expiring->ending()->code, 4403);
  EXPECT_FALSE(other->ending());
  feeds_.end_all({.code = close_code::credential}, [](const Terms&) { return true; });
  EXPECT_EQ(other->ending()->code, 4401);
}

TEST_F(Watching, TakesNoMessages) {
  EXPECT_EQ(feeds_.watch(terms("globex"))->message("hello", true)->code, 1003);
}

TEST_F(Watching, CountsWhatHappened) {
  auto watcher = feeds_.watch(terms("globex"));
  watcher->opened({});
  feeds_.publish("globex", changes(2));
  all(*watcher);
  EXPECT_EQ(feeds_.readings().open.at("globex"), 1);
  EXPECT_EQ(feeds_.readings().opened, 1U);
  EXPECT_EQ(feeds_.readings().messages, 3U);
  EXPECT_EQ(feeds_.readings().gaps, 0U);
  feeds_.publish("globex", {});
  all(*watcher);
  EXPECT_EQ(feeds_.readings().gaps, 1U);
  watcher->closed(1000);
  watcher.reset();
  EXPECT_TRUE(feeds_.readings().open.empty());
  EXPECT_EQ(feeds_.readings().closes.at(1000), 1U);
}

}  // namespace
}  // namespace caisson::watch

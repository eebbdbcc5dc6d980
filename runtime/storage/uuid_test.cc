#include "runtime/storage/uuid.h"

#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "runtime/observe/base64url.h"
#include "runtime/observe/ids.h"

namespace caisson::storage {
namespace {

TEST(Uuid, CarriesItsTimeAndIsCanonical) {
  const Uuid id = Uuid::make(1'771'061'400'250);
  EXPECT_EQ(id.unix_ms(), 1'771'061'400'250);
  EXPECT_TRUE(observe::is_uuid(id.text())) << id.text();
  EXPECT_EQ(Uuid::parse(id.text()), id);
}

TEST(Uuid, IncreasesWithinAMillisecond) {
  Uuid last = Uuid::make(1000);
  for (int i = 0; i < 100000; ++i) {
    const Uuid next = Uuid::make(1000);
    ASSERT_LT(last, next);
    ASSERT_EQ(next.unix_ms(), 1000);
    ASSERT_TRUE(observe::is_uuid(next.text()));
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

RC_GTEST_PROP(Base64url, DecodesWhatItEncodes, (const std::string& bytes)) {
  const std::string text = observe::encode_base64url(bytes);
  RC_ASSERT(text.find_first_of("+/=") == std::string::npos);
  RC_ASSERT(observe::decode_base64url(text) == bytes);
}

RC_GTEST_PROP(Base64url, HasOneTextForEachValue, (const std::string& text)) {
  const auto bytes = observe::decode_base64url(text);
  if (bytes) RC_ASSERT(observe::encode_base64url(*bytes) == text);
}

TEST(Base64url, RefusesPaddingAndStrayBits) {
  EXPECT_EQ(observe::decode_base64url("YQ"), "a");
  EXPECT_FALSE(observe::decode_base64url("YQ=="));
  EXPECT_FALSE(observe::decode_base64url("YR"));
  EXPECT_FALSE(observe::decode_base64url("Y"));
}

}  // namespace
}  // namespace caisson::storage

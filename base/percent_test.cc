#include "base/percent.h"

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace caisson {
namespace {

TEST(PercentEncoded, KeepsUnreservedCharactersAlone) {
  EXPECT_EQ(percent_encoded("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encoded("a b/ü%"), "a%20b%2F%C3%BC%25");
  EXPECT_EQ(percent_encoded("a/b c", "/"), "a/b%20c");
}

TEST(PercentDecoded, RefusesWhatIsCutOrNoDigit) {
  EXPECT_EQ(percent_decoded("a%2fb%2Fc+"), "a/b/c+");
  EXPECT_EQ(percent_decoded("%00"), std::string(1, '\0'));
  for (const char* bad : {"%", "%2", "a%", "%2g", "%g2", "%%41", "% 1"}) {
    EXPECT_FALSE(percent_decoded(bad)) << bad;
  }
}

RC_GTEST_PROP(PercentDecoded, ReadsBackWhatWasWritten, (const std::string& bytes)) {
  RC_ASSERT(percent_decoded(percent_encoded(bytes)) == bytes);
}

}  // namespace
}  // namespace caisson

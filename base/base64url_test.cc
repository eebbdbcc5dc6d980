#include "base/base64url.h"

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace caisson {
namespace {

RC_GTEST_PROP(Base64url, DecodesWhatItEncodes, (const std::string& bytes)) {
  const std::string text = encode_base64url(bytes);
  RC_ASSERT(text.find_first_of("+/=") == std::string::npos);
  RC_ASSERT(decode_base64url(text) == bytes);
}

RC_GTEST_PROP(Base64url, HasOneTextForEachValue, (const std::string& text)) {
  const auto bytes = decode_base64url(text);
  if (bytes) RC_ASSERT(encode_base64url(*bytes) == text);
}

TEST(Base64url, RefusesPaddingAndStrayBits) {
  EXPECT_EQ(decode_base64url("YQ"), "a");
  EXPECT_FALSE(decode_base64url("YQ=="));
  EXPECT_FALSE(decode_base64url("YR"));
  EXPECT_FALSE(decode_base64url("Y"));
}

TEST(Base64, IsTheStandards) {
  // RFC 4648, section 10.
  EXPECT_EQ(encode_base64(""), "");
  EXPECT_EQ(encode_base64("f"), "Zg==");
  EXPECT_EQ(encode_base64("fo"), "Zm8=");
  EXPECT_EQ(encode_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encode_base64("\xfb\xff"), "+/8=");
  for (const char* bad : {"Zg", "Zg=", "Zg===", "=", "====", "Zh==", "Z===", "Zm9v\n", "-_8="}) {
    EXPECT_FALSE(decode_base64(bad)) << bad;
  }
}

RC_GTEST_PROP(Base64, DecodesWhatItEncodes, (const std::string& bytes)) {
  RC_ASSERT(decode_base64(encode_base64(bytes)) == bytes);
}

}  // namespace
}  // namespace caisson

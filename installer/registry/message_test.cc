#include "installer/registry/message.h"

#include <string>

#include <gtest/gtest.h>

namespace caisson::installer {
namespace {

TEST(Messages, OfBothSidesAreRead) {
  const auto request =
      read_request("HEAD /v2/a/blobs/x HTTP/1.1\r\nHost: h\r\nX-Two: 1\r\nx-two:  2 ");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "HEAD");
  EXPECT_EQ(request->target, "/v2/a/blobs/x");
  EXPECT_EQ(request->field("host"), "h");
  EXPECT_TRUE(request->has("x-two"));
  EXPECT_FALSE(request->field("x-two")) << "which of the two holds, nobody can tell";

  const auto answer = read_answer("HTTP/1.1 404 Not Found\r\nContent-Length: 0");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 404U);
  EXPECT_EQ(answer->field("content-length"), "0");
  EXPECT_TRUE(read_answer("HTTP/1.1 200"));
}

TEST(Messages, OfAnotherFormAreRefused) {
  for (const std::string_view text :
       {"", "GET", "GET / HTTP/2", "GET  / HTTP/1.1", "GET http://h/ HTTP/1.1", "GE(T / HTTP/1.1",
        "GET /\x01 HTTP/1.1", "GET / HTTP/1.1\r\nno colon", "GET / HTTP/1.1\r\n: v",
        "GET / HTTP/1.1\r\nA : v", "GET / HTTP/1.1\r\nA: \x01", "GET / HTTP/1.1\r\nA: b\rC: d"}) {
    EXPECT_FALSE(read_request(text)) << text;
  }
  for (const std::string_view text : {"HTTP/2 200", "HTTP/1.1", "HTTP/1.1 99", "HTTP/1.1 600",
                                      "HTTP/1.1 2e2", "HTTP/1.1 0200", "ICY 200 OK"}) {
    EXPECT_FALSE(read_answer(text)) << text;
  }
}

TEST(Messages, SayWhomARegistryWants) {
  const auto bearer = read_challenge(
      R"(Bearer realm="https://auth.example/token?a=1,2",service="reg", scope="repository:a:pull")");
  ASSERT_TRUE(bearer);
  EXPECT_EQ(bearer->scheme, "bearer");
  EXPECT_EQ(bearer->realm, "https://auth.example/token?a=1,2");
  EXPECT_EQ(bearer->service, "reg");
  EXPECT_EQ(bearer->scope, "repository:a:pull");
  EXPECT_EQ(read_challenge("Basic realm=plain, charset=UTF-8")->realm, "plain");
  EXPECT_FALSE(read_challenge(R"(Bearer realm="open)"));
  EXPECT_FALSE(read_challenge(R"(Bearer realm="a\"b")"));
  EXPECT_FALSE(read_challenge(R"(Bearer realm="a" service="b")"));
}

TEST(Messages, OfTokenServersHoldOneToken) {
  EXPECT_EQ(read_token(R"({"token": "a.b-c"})"), "a.b-c");
  EXPECT_EQ(read_token(R"({ "expires_in" : 300, "x": [1, {"token": "no"}], "access_token":"yes"})"),
            "yes");
  for (const std::string_view text :
       {"", "[]", "{}", R"({"token": 1})", R"({"token": ""})", R"({"token": "a b"})",
        R"({"token": "a\nb"})", R"({"token": "a\\b"})", R"({"token")", R"({"a": [}, "token": "x"})",
        R"({"token": "open)"}) {
    EXPECT_FALSE(read_token(text)) << text;
  }
  std::string deep = R"({"a": )";
  for (int i = 0; i < 10'000; ++i) deep += '[';
  EXPECT_FALSE(read_token(deep));
}

}  // namespace
}  // namespace caisson::installer

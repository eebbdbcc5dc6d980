#include "runtime/http/handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/http/parser.h"

namespace caisson::http {
namespace {

constexpr std::string_view key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr std::string_view version = "Sec-WebSocket-Version: 13\r\n";
constexpr std::string_view upgrade = "Upgrade: websocket\r\n";
constexpr std::string_view connection = "Connection: Upgrade\r\n";

Request parsed(std::string_view line, std::string fields, std::string_view body = "") {
  const std::string bytes =
      std::string(line) + "\r\nHost: a\r\n" + std::move(fields) + "\r\n" + std::string(body);
  std::string_view input = bytes;
  RequestParser parser(HeadLimits{});
  using Stage = RequestParser::Stage;
  Stage stage = parser.feed(input);
  if (stage == Stage::headed) stage = parser.read_body(1000);
  if (stage == Stage::body) stage = parser.feed(input);
  if (stage != Stage::complete) throw std::runtime_error("no request");
  return parser.take();
}

/// 0 when the handshake is accepted.
int refusal(std::initializer_list<std::string_view> fields,
            std::string_view line = "GET / HTTP/1.1", std::string_view body = "") {
  std::string all;
  for (const auto field : fields) all += field;
  const Request request = parsed(line, all, body);
  const auto read = read_handshake(request);
  return read ? 0 : read.error().status;
}

TEST(Handshake, AnswersTheExampleOfTheStandard) {
  const Request request = parsed(
      "GET / HTTP/1.1", std::string(connection) + std::string(upgrade) + std::string(version) +
                            std::string(key) + "Sec-WebSocket-Protocol: chat, superchat\r\n");
  const auto handshake = read_handshake(request);
  ASSERT_TRUE(handshake);
  EXPECT_THAT(handshake->protocols, testing::ElementsAre("chat", "superchat"));
  const Response response = accept_socket(*handshake, nullptr, "chat");
  EXPECT_EQ(response.status, 101);
  EXPECT_THAT(response.fields,
              testing::ElementsAre(testing::Pair("Upgrade", "websocket"),
                                   testing::Pair("Connection", "Upgrade"),
                                   testing::Pair("Sec-WebSocket-Accept",
                                                 "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),  // RFC 6455, 1.3
                                   testing::Pair("Sec-WebSocket-Protocol", "chat")));
}

TEST(Handshake, TakesWhatBrowsersSend) {
  EXPECT_EQ(refusal({"Connection: keep-alive, Upgrade\r\n", "Upgrade: WebSocket\r\n", version, key,
                     "Sec-WebSocket-Extensions: permessage-deflate\r\n"}),
            0);
  EXPECT_EQ(refusal({connection, upgrade, version, key, "Content-Length: 0\r\n"}), 0);
}

TEST(Handshake, AsksForAnUpgrade) {
  EXPECT_EQ(refusal({}), 426);
  EXPECT_EQ(refusal({connection, "Upgrade: h2c\r\n", version, key}), 426);
  EXPECT_EQ(refusal({connection, upgrade, upgrade, version, key}), 426);
  EXPECT_EQ(refusal({connection, upgrade, "Sec-WebSocket-Version: 8\r\n", key}), 426);
  EXPECT_EQ(refusal({connection, upgrade, "Sec-WebSocket-Version: 013\r\n", key}), 426);
  EXPECT_EQ(refusal({connection, upgrade, "Sec-WebSocket-Version: 13, 8\r\n", key}), 426);
}

TEST(Handshake, RefusesEveryOtherDefect) {
  EXPECT_EQ(refusal({upgrade, version, key}), 400);
  EXPECT_EQ(refusal({"Connection: keep-alive\r\n", upgrade, version, key}), 400);
  EXPECT_EQ(refusal({connection, connection, upgrade, version, key}), 400);
  EXPECT_EQ(refusal({"Connection: close, Upgrade\r\n", upgrade, version, key}), 400);
  EXPECT_EQ(refusal({connection, upgrade, key}), 400);
  EXPECT_EQ(refusal({connection, upgrade, version, version, key}), 400);
  EXPECT_EQ(refusal({connection, upgrade, version}), 400);
  EXPECT_EQ(refusal({connection, upgrade, version, key, key}), 400);
  for (const std::string_view bad :
       {"dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25j",
        "dGhlIHNhbXBsZSBub25-ZQ==", "dGhlIHNhbXBsZSBub25jZWU="}) {
    EXPECT_EQ(
        refusal({connection, upgrade, version, "Sec-WebSocket-Key: " + std::string(bad) + "\r\n"}),
        400)
        << bad;
  }
  EXPECT_EQ(refusal({connection, upgrade, version, key, "Sec-WebSocket-Protocol: a,,b\r\n"}), 400);
  EXPECT_EQ(refusal({connection, upgrade, version, key, "Sec-WebSocket-Protocol: a\r\n",
                     "Sec-WebSocket-Protocol: b\r\n"}),
            400);
  EXPECT_EQ(refusal({connection, upgrade, version, key}, "POST / HTTP/1.1"), 400);
  EXPECT_EQ(refusal({connection, upgrade, version, key}, "GET / HTTP/1.0"), 400);
  EXPECT_EQ(
      refusal({connection, upgrade, version, key, "Content-Length: 1\r\n"}, "GET / HTTP/1.1", "x"),
      400);
  EXPECT_EQ(refusal({connection, upgrade, version, key, "Transfer-Encoding: chunked\r\n"},
                    "GET / HTTP/1.1", "0\r\n\r\n"),
            400);
}

}  // namespace
}  // namespace caisson::http

#include "conformance/wire/http.h"

#include <array>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace caisson::conformance {
namespace {

using std::chrono::milliseconds;

/// Accepts one connection, reads until `until` was seen, answers with exactly `answer` and closes.
class CannedServer {
 public:
  CannedServer(std::string until, std::string answer) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(listener_, 1);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    endpoint_.port = ntohs(address.sin_port);
    thread_ = std::thread([this, until = std::move(until), answer = std::move(answer)] {
      const int peer = accept(listener_, nullptr, nullptr);
      std::array<char, 4096> block{};
      while (received_.find(until) == std::string::npos) {
        const auto got = recv(peer, block.data(), block.size(), 0);
        if (got <= 0) break;
        received_.append(block.data(), static_cast<std::size_t>(got));
      }
      EXPECT_EQ(send(peer, answer.data(), answer.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(answer.size()));
      close(peer);
    });
  }
  CannedServer(const CannedServer&) = delete;
  CannedServer& operator=(const CannedServer&) = delete;
  ~CannedServer() {
    if (thread_.joinable()) thread_.join();
    close(listener_);
  }

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  std::string received() {
    thread_.join();
    return received_;
  }

 private:
  int listener_ = -1;
  Endpoint endpoint_;
  std::string received_;
  std::thread thread_;
};

TEST(HttpRequest, WritesExactlyWhatIsAsked) {
  const HttpRequest twice{.target = "/v1/whoami",
                          .host = "a.example",
                          .headers = {{"Caisson-Tenant", "a"}, {"Caisson-Tenant", "b"}}};
  EXPECT_EQ(twice.bytes(),
            "GET /v1/whoami HTTP/1.1\r\nHost: a.example\r\nCaisson-Tenant: a\r\nCaisson-Tenant: "
            "b\r\n\r\n");
  const HttpRequest post{.method = "POST", .host = "a", .body = "{}"};
  EXPECT_NE(post.bytes().find("Content-Length: 2\r\n"), std::string::npos);
  const HttpRequest bare{.method = "POST", .host = "a", .body = "{}", .bare = true};
  EXPECT_EQ(bare.bytes(), "POST / HTTP/1.1\r\n\r\n{}");
}

TEST(HttpConnection, ReadsLengthChunksAndUntilClose) {
  CannedServer server(
      "\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX: 1\r\n\r\nhello"
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
      "HTTP/1.1 204 No Content\r\n\r\n"
      "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"
      R"({"type":"urn:caisson:problem:not-found"})");
  const Deadline deadline = within(milliseconds(5000));
  auto connection = HttpConnection::open(server.endpoint(), deadline);
  ASSERT_TRUE(connection) << connection.error().text();
  const auto first = connection->exchange({.host = "x"}, deadline);
  ASSERT_TRUE(first) << first.error().text();
  EXPECT_EQ(first->body, "hello");
  EXPECT_EQ(first->field("x"), "1");
  const auto second = connection->read(deadline);
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ(second->body, "abcde");
  EXPECT_EQ(connection->read(deadline)->status, 204);
  const auto last = connection->read(deadline);
  ASSERT_TRUE(last) << last.error().text();
  EXPECT_EQ(last->summary(), "404 not-found");
  EXPECT_TRUE(last->closes);
  EXPECT_TRUE(connection->closed(deadline));
}

TEST(HttpConnection, SendsMalformedBytesUntouched) {
  CannedServer server("end", "garbage\r\n\r\n");
  const Deadline deadline = within(milliseconds(5000));
  auto connection = HttpConnection::open(server.endpoint(), deadline);
  ASSERT_TRUE(connection);
  const std::string bytes("GET  /\0\x01 HTTP/9\n:end", 20);
  ASSERT_TRUE(connection->send(bytes, deadline));
  EXPECT_EQ(connection->read(deadline).error().what, "the answer is not HTTP/1");
  EXPECT_EQ(server.received(), bytes);
}

TEST(HttpConnection, IsBounded) {
  CannedServer server("\r\n\r\n",
                      "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + std::string(5000, 'x'));
  const Deadline deadline = within(milliseconds(5000));
  auto connection = HttpConnection::open(server.endpoint(), deadline);
  ASSERT_TRUE(connection);
  ASSERT_TRUE(connection->send(HttpRequest{.host = "x"}.bytes(), deadline));
  EXPECT_FALSE(connection->read(deadline, false, {.head = 100, .body = 1000}));
}

TEST(HttpConnection, GivesUpAtTheDeadline) {
  CannedServer server("never", "");
  auto connection = HttpConnection::open(server.endpoint(), within(milliseconds(5000)));
  ASSERT_TRUE(connection);
  EXPECT_EQ(connection->exchange({.host = "x"}, within(milliseconds(20))).error().what,
            "no answer in time");
  ASSERT_TRUE(connection->send("never", within(milliseconds(5000))));
}

TEST(Exchange, NamesWhatRefused) {
  Endpoint nobody;
  {
    CannedServer server("", "");
    nobody = server.endpoint();
    ASSERT_TRUE(Connection::open(nobody, within(milliseconds(5000))));
  }
  const auto refused = exchange(nobody, {.host = "x"}, within(milliseconds(5000)));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find(nobody.text()), std::string::npos);
}

}  // namespace
}  // namespace caisson::conformance

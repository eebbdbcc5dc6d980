#include "conformance/wire/web_socket.h"

#include <string>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace caisson::conformance {
namespace {

using namespace std::string_literals;
using std::chrono::seconds;

/// Accepts one connection, sends `answer` once a request has come, then keeps what the client says.
class Peer {
 public:
  explicit Peer(std::string answer) : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(listener_, 1);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    endpoint_.port = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer)] {
      const int peer = accept(listener_, nullptr, nullptr);
      std::string block(4096, '\0');
      ssize_t got = 0;
      while ((got = recv(peer, block.data(), block.size(), 0)) > 0) {
        const bool first = heard_.find("\r\n\r\n") == std::string::npos;
        heard_.append(block, 0, static_cast<std::size_t>(got));
        if (first && heard_.find("\r\n\r\n") != std::string::npos) {
          EXPECT_EQ(::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL),
                    static_cast<ssize_t>(answer.size()));
          shutdown(peer, SHUT_WR);
        }
      }
      ::close(peer);
    });
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { ::close(listener_); }

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  std::string heard() {
    thread_.join();
    return heard_;
  }

 private:
  int listener_;
  Endpoint endpoint_;
  std::string heard_;
  std::thread thread_;
};

TEST(WebSocketClient, ReadsFramesAndAnswersPings) {
  Peer peer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi"s +
            "\x89\x01p" + "\x81\x7e\x00\xc8"s + std::string(200, 'x') + "\x88\x06\x11\x31" +
            "gone");
  {
    auto socket = WebSocket::open(peer.endpoint(), {.host = "a"}, within(seconds(10)));
    ASSERT_TRUE(socket);
    EXPECT_TRUE(socket->opened());
    EXPECT_EQ(socket->read(within(seconds(10)))->payload, "hi");
    EXPECT_EQ(socket->read(within(seconds(10)))->payload, std::string(200, 'x'));
    const auto close = socket->read(within(seconds(10)));
    ASSERT_TRUE(close);
    EXPECT_EQ(close->code, 4401);
    EXPECT_EQ(close->payload, "gone");
    EXPECT_FALSE(socket->read(within(seconds(10))));
    socket->close(within(seconds(10)));
  }
  const std::string heard = peer.heard();
  EXPECT_THAT(heard, testing::HasSubstr("\r\nUpgrade: websocket\r\n"));
  EXPECT_THAT(heard, testing::HasSubstr("\x8a\x81\x5a\x0f\xc3\x99\x2a"));  // 'p' under the mask
  EXPECT_THAT(heard, testing::HasSubstr("\x88\x82\x5a\x0f\xc3\x99"));
}

TEST(WebSocketClient, KeepsTheRefusal) {
  Peer peer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  {
    const auto socket = WebSocket::open(peer.endpoint(), {.host = "a"}, within(seconds(10)));
    ASSERT_TRUE(socket);
    EXPECT_FALSE(socket->opened());
    EXPECT_EQ(socket->answer().status, 403);
  }
  peer.heard();
}

}  // namespace
}  // namespace caisson::conformance

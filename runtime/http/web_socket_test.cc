#include "runtime/http/web_socket.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/http/handshake.h"
#include "runtime/http/server.h"
#include "runtime/http/test_socket.h"

namespace caisson::http {
namespace {

using namespace std::chrono_literals;

/// Says back what it hears, and what the test tells it to from its own thread.
class Echo final : public SocketHandler {
 public:
  void opened(std::shared_ptr<SocketWaker> waker) override {
    const std::lock_guard lock(mutex_);
    waker_ = std::move(waker);
    changed_.notify_all();
  }
  std::optional<std::string> next() override {
    const std::lock_guard lock(mutex_);
    if (endless_) return std::string(32768, 'x');
    if (texts_.empty()) return {};
    std::string text = std::move(texts_.front());
    texts_.pop_front();
    return text;
  }
  std::optional<SocketClose> ending() override {
    const std::lock_guard lock(mutex_);
    return ending_;
  }
  std::optional<SocketClose> message(std::string_view bytes, bool text) override {
    if (bytes == "throw me out") return SocketClose{.code = 4000, .reason = "as asked"};
    say((text ? "text " : "binary ") + std::string(bytes));
    return {};
  }
  void closed(std::uint16_t code) noexcept override {
    const std::lock_guard lock(mutex_);
    code_ = code;
    changed_.notify_all();
  }

  void say(std::string text) {
    std::shared_ptr<SocketWaker> waker;
    {
      const std::lock_guard lock(mutex_);
      texts_.push_back(std::move(text));
      waker = waker_;
    }
    if (waker) waker->wake();
  }
  void end(const SocketClose& why) {
    const std::lock_guard lock(mutex_);
    ending_ = why;
    waker_->wake();
  }
  void flood() {
    const std::lock_guard lock(mutex_);
    endless_ = true;
    waker_->wake();
  }
  /// Once it is closed; 0 when that does not happen.
  std::uint16_t code() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 20s, [this] { return code_ != 0; });
    return code_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<SocketWaker> waker_;
  std::deque<std::string> texts_;
  std::optional<SocketClose> ending_;
  bool endless_ = false;
  std::uint16_t code_ = 0;
};

const std::string opening =
    "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(handshake_fields) + "\r\n";

class WebSockets : public testing::Test {
 protected:
  std::shared_ptr<Echo> echo_ = std::make_shared<Echo>();

  Server serve(Limits limits = {}) {
    auto server = Server::start({.limits = limits}, [this](Request&& request, Reply&& reply) {
      if (request.path == "/plain") return reply(Response{.body = "plain"});
      const auto handshake = read_handshake(request);
      if (!handshake) return reply(Response{.status = handshake.error().status});
      reply(accept_socket(*handshake, echo_));
    });
    if (!server) throw std::runtime_error(server.error().text());
    return std::move(*server);
  }
};

TEST_F(WebSockets, Converses) {
  const Server server = serve();
  TestSocket socket(server.port(), opening);
  EXPECT_EQ(socket.answer().status, 101);
  EXPECT_EQ(socket.answer().field("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(socket.answer().field("Content-Length"), "");
  socket.send(Opcode::text, "hi");
  EXPECT_EQ(socket.text(), "text hi");
  socket.send_raw(client_frame(Opcode::binary, std::string(60000, 'b')), 977);
  EXPECT_EQ(socket.text(), "binary " + std::string(60000, 'b'));
  socket.send(Opcode::ping, "are you there?");
  const auto pong = socket.receive();
  ASSERT_TRUE(pong);
  EXPECT_EQ(pong->opcode, Opcode::pong);
  EXPECT_EQ(pong->payload, "are you there?");
  echo_->say("unasked");
  EXPECT_EQ(socket.text(), "unasked");
  socket.send(Opcode::close, "\x03\xe8");
  EXPECT_EQ(socket.close_code(), 1000);
  EXPECT_TRUE(socket.closed());
  EXPECT_EQ(echo_->code(), 1000);
}

TEST_F(WebSockets, FollowKeepAliveRequestsOnOneConnection) {
  const Server server = serve();
  TestClient plain(server.port());
  EXPECT_EQ(plain.ask("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n")->body, "plain");
  // A refused upgrade leaves the connection as it was, pipelined requests included.
  plain.send(
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(plain.receive()->status, 426);
  EXPECT_EQ(plain.receive()->body, "plain");
  const auto opened = plain.ask(opening);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->status, 101);
  plain.send(client_frame(Opcode::text, "hi"));
  std::string frame;
  ASSERT_TRUE(plain.receive_some(frame));
  EXPECT_EQ(frame, "\x81\x07text hi");
}

TEST_F(WebSockets, RefuseBytesBehindTheHandshake) {
  const Server server = serve();
  TestClient client(server.port());
  client.send(opening + client_frame(Opcode::text, "too early"));
  EXPECT_EQ(client.receive()->status, 400);
  EXPECT_TRUE(client.closed());
}

TEST_F(WebSockets, CloseOnEveryDefect) {
  const Server server = serve();
  const std::vector<std::pair<std::string, std::uint16_t>> defects{
      {"\x81\x01x", 1002},
      {client_frame(Opcode::text, "\xff"), 1007},
      {client_frame(Opcode::binary, std::string(65537, 'x')), 1009},
      {client_frame(Opcode::close, "\x03"), 1002},
      {client_frame(Opcode::close, "\x03\xed"), 1002},
      {client_frame(Opcode::close, "\x03\xe8\xff"), 1007},
      {client_frame(Opcode::text, "throw me out"), 4000},
  };
  for (const auto& [bytes, code] : defects) {
    echo_ = std::make_shared<Echo>();
    TestSocket socket(server.port(), opening);
    socket.send_raw(bytes);
    EXPECT_EQ(socket.close_code(), code);
    EXPECT_EQ(echo_->code(), code);
    socket.send(Opcode::close);
    EXPECT_TRUE(socket.closed());
  }
}

TEST_F(WebSockets, EchoACloseWithoutACode) {
  const Server server = serve();
  TestSocket socket(server.port(), opening);
  socket.send(Opcode::close);
  EXPECT_EQ(socket.close_code(), SocketClose::no_code);
  EXPECT_TRUE(socket.closed());
}

TEST_F(WebSockets, EndWhenTheHandlerSays) {
  const Server server = serve();
  TestSocket socket(server.port(), opening);
  socket.send(Opcode::text, "hi");
  EXPECT_EQ(socket.text(), "text hi");
  echo_->end({.code = 4401, .reason = "the credential was revoked"});
  const auto close = socket.receive();
  ASSERT_TRUE(close);
  EXPECT_EQ(close->code, 4401);
  EXPECT_EQ(close->payload, "the credential was revoked");
  // What comes before the peer's close frame is not heard.
  socket.send(Opcode::text, "but");
  socket.send(Opcode::close, "\x11\x31");
  EXPECT_TRUE(socket.closed());
}

TEST_F(WebSockets, AreCutWhenTheCloseIsNotAnswered) {
  Limits limits;
  limits.socket_close_timeout = 100ms;
  const Server server = serve(limits);
  TestSocket socket(server.port(), opening);
  socket.send(Opcode::text, "hi");
  EXPECT_EQ(socket.text(), "text hi");
  echo_->end({.code = 4403});
  EXPECT_EQ(socket.close_code(), 4403);
  EXPECT_TRUE(socket.closed());
}

TEST_F(WebSockets, ArePingedWhenSilentAndCutWhenDead) {
  Limits limits;
  limits.idle_timeout = 50ms;  // of HTTP: must not matter here
  limits.socket_ping_interval = 200ms;
  limits.socket_pong_timeout = 300ms;
  const Server server = serve(limits);
  TestSocket socket(server.port(), opening);
  for (int i = 0; i < 3; ++i) {
    const auto ping = socket.receive();
    ASSERT_TRUE(ping);
    EXPECT_EQ(ping->opcode, Opcode::ping);
    socket.send(Opcode::pong, ping->payload);
  }
  EXPECT_EQ(socket.receive()->opcode, Opcode::ping);
  EXPECT_TRUE(socket.closed());  // this one was not answered
  EXPECT_EQ(echo_->code(), SocketClose::abnormal);
}

TEST_F(WebSockets, AreToldToGoWhenTheServerDrains) {
  Server server = serve();
  TestSocket socket(server.port(), opening);
  socket.send(Opcode::text, "hi");
  EXPECT_EQ(socket.text(), "text hi");
  std::size_t cut = 1;
  std::thread drain([&] { cut = server.drain(20s); });
  EXPECT_EQ(socket.close_code(), SocketClose::going_away);
  socket.send(Opcode::close, "\x03\xe9");
  EXPECT_TRUE(socket.closed());
  drain.join();
  EXPECT_EQ(cut, 0U);
  EXPECT_EQ(echo_->code(), SocketClose::going_away);
}

TEST_F(WebSockets, AskForNoMoreThanThePeerTakes) {
  Limits limits;
  limits.body_timeout = 300ms;  // a peer that does not read
  const Server server = serve(limits);
  TestSocket reading(server.port(), opening);
  echo_->flood();
  for (int i = 0; i < 200; ++i) EXPECT_EQ(reading.text().size(), 32768U);
  // It reads no more: the server stops asking the handler, and gives the connection up.
  EXPECT_EQ(echo_->code(), SocketClose::abnormal);
}

TEST_F(WebSockets, AreGoneWithTheirServer) {
  {
    const Server server = serve();
    TestSocket socket(server.port(), opening);
    socket.send(Opcode::text, "hi");
    EXPECT_EQ(socket.text(), "text hi");
  }
  EXPECT_EQ(echo_->code(), SocketClose::abnormal);
  echo_->say("to nobody");
}

}  // namespace
}  // namespace caisson::http

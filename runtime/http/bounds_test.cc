// What one peer, one tenant and everybody together may have the server keep, and for how long.

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/http/peers.h"
#include "runtime/http/send_queue.h"
#include "runtime/http/server.h"
#include "runtime/http/test_client.h"

namespace caisson::http {
namespace {

using namespace std::chrono_literals;
using observe::Budget;
using observe::Share;

constexpr std::size_t mib = std::size_t{1} << 20;

std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

/// True as soon as `condition` holds; false when it does not within a good while.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 4000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

/// An application that lets in all but /refused, and lists nothing but large answers.
class Application {
 public:
  explicit Application(std::shared_ptr<Budget> budget) : share_(std::make_shared<Share>(budget)) {}

  Admit admit() {
    return [this](const Request& head) {
      ++asked_;
      if (head.path == "/no-memory-for-the-head") throw std::bad_alloc();
      if (head.path == "/refused") {
        return Admission{.answer = {.status = 401, .body = "who are you?"}};
      }
      return Admission{.visit = std::make_shared<Guest>(*this),
                       .most_body = most_body,
                       .share = share_,
                       .expected = head.path == "/large" ? 4 * mib : 0};
    };
  }

  static constexpr std::size_t most_body = 100;
  std::atomic<int> asked_ = 0;
  std::atomic<int> ran_ = 0;
  std::atomic<int> holding_ = 0;  ///< leases
  std::size_t large_ = 4 * mib;

 private:
  class Guest final : public Visit {
   public:
    explicit Guest(Application& application) : application_(application) {}
    void run(Request&& request, Reply&& reply) override {
      if (request.path == "/no-memory") throw std::bad_alloc();
      ++application_.ran_;
      ++application_.holding_;
      const std::shared_ptr<void> lease(
          static_cast<void*>(nullptr),
          [&application = application_](void*) { --application.holding_; });
      const std::size_t size = request.path == "/large" ? application_.large_ : 2;
      reply(Response{.body = std::string(size, 'x'), .lease = lease});
    }
    std::optional<Response> refuse(const Refusal& refusal) override {
      return Response{.status = refusal.status, .body = "guest"};
    }

   private:
    Application& application_;
  };

  std::shared_ptr<Share> share_;
};

class Bounds : public testing::Test {
 protected:
  Server serve(ServerOptions options = {}) {
    options.budget = budget_;
    auto server = Server::start(std::move(options), application_.admit());
    if (!server) throw std::runtime_error(server.error().text());
    return std::move(*server);
  }

  std::shared_ptr<Budget> budget_ = std::make_shared<Budget>(256 * mib);
  Application application_{budget_};
};

TEST_F(Bounds, ReadNoBodyOfWhomIsRefused) {
  const Server server = serve({.limits = {.body = 8 * mib}});
  TestClient client(server.port());
  const auto answer = client.ask(
      "POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n"
      "Expect: 100-continue\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 401) << "and no 100 before it";
  EXPECT_EQ(answer->field("Connection"), "close");
  EXPECT_TRUE(client.closed());
  TestClient chunked(server.port());
  const auto refused = chunked.ask(
      "POST /refused HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  EXPECT_EQ(refused->status, 401);
  EXPECT_TRUE(chunked.closed());
  EXPECT_EQ(application_.ran_, 0);
  EXPECT_EQ(budget_->used(), 0U);
}

TEST_F(Bounds, ASmallBodyOfWhomIsRefusedIsReadPast) {
  const Server server = serve();
  TestClient client(server.port());
  client.send("POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n");
  EXPECT_EQ(client.receive()->status, 401) << "answered before the body is there";
  std::string body = get("/smuggled");
  body.resize(30000, 'x');
  client.send(body, 1000);
  EXPECT_EQ(client.ask(get("/small"))->body, "xx");
  EXPECT_EQ(application_.asked_, 2) << "the body was not taken for a request";
  client.send("POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" +
              get("/small"));
  EXPECT_EQ(client.receive()->status, 401);
  EXPECT_EQ(client.receive()->body, "xx");
}

TEST_F(Bounds, ARefusedBodyThatDoesNotComeIsAnsweredOnce) {
  const Server server = serve({.limits = {.body_timeout = 150ms}});
  TestClient client(server.port());
  client.send("POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 300\r\n\r\nhe");
  EXPECT_EQ(client.receive()->status, 401);
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(Bounds, TheApplicationSaysHowLargeABodyMayBe) {
  const Server server = serve();
  TestClient client(server.port());
  const auto announced = client.ask(
      "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'x'));
  EXPECT_EQ(announced->status, 413);
  EXPECT_EQ(announced->body, "guest") << "the request's visit makes the answer";
  EXPECT_EQ(client.ask(get("/small"))->status, 200);
  const auto chunked =
      client.ask("POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" +
                 std::string(101, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked->status, 413);
  EXPECT_TRUE(client.closed());
}

TEST_F(Bounds, LargeAnswersOfOneConnectionAreMadeOneAtATime) {
  const Server server = serve();
  {
    std::vector<TestClient> clients;
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back(server.port());
      std::string requests;
      for (int j = 0; j < 64; ++j) requests += get("/large");
      clients.back().send(requests);
    }
    ASSERT_TRUE(eventually([&] { return application_.ran_ >= 8; }));
    ASSERT_TRUE(eventually([&] { return budget_->used(observe::Use::answer) >= 8 * 3 * mib; }));
    EXPECT_LE(budget_->used(), 8 * 5 * mib);
    EXPECT_EQ(application_.ran_, 8) << "no second one before the first is taken";
    EXPECT_EQ(application_.holding_, 8);
    std::string first;
    while (first.size() < 5 * mib && clients[0].receive_some(first)) {
    }
    EXPECT_GE(application_.ran_, 9) << "whoever reads goes on";
  }
  EXPECT_TRUE(eventually([&] { return budget_->used() == 0; })) << budget_->used();
  EXPECT_TRUE(eventually([&] { return application_.holding_ == 0; }));
}

/// Pipelined requests whose answers fill the pipeline's bound go on by themselves once the kernel
/// has taken the answers: no byte more has to come.
TEST_F(Bounds, APipelineGoesOnWithoutAnotherByte) {
  application_.large_ = 300'000;
  const Server server = serve();
  TestClient client(server.port());
  std::string requests;
  for (int j = 0; j < 64; ++j) requests += get("/large");
  client.send(requests);
  for (int j = 0; j < 64; ++j) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer) << j;
    EXPECT_EQ(answer->body.size(), 300'000U);
  }
}

/// Whoever has the whole answer finds its lease gone: a next request, on whatever connection, never
/// meets the last one's permit.
TEST_F(Bounds, ALeaseIsGoneBeforeTheAnswerIsThere) {
  application_.large_ = 200'000;
  const Server server = serve({.threads = 2});
  TestClient client(server.port());
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(client.ask(get(i % 3 == 0 ? "/large" : "/small")));
    ASSERT_EQ(application_.holding_, 0) << i;
  }
}

TEST_F(Bounds, ARequestWithoutMemoryIs503AndNothingElse) {
  const Server server = serve();
  TestClient client(server.port());
  const auto answer = client.ask(get("/no-memory"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(client.ask(get("/small"))->status, 200);
  client.send(get("/small") + get("/no-memory-for-the-head"));
  EXPECT_EQ(client.receive()->status, 200);
  EXPECT_EQ(client.receive()->status, 503);
  TestClient next(server.port());
  EXPECT_EQ(next.ask(get("/small"))->status, 200);
}

TEST_F(Bounds, WhatMayHaveBeenDoneIsNotSaidToBeRefused) {
  std::atomic<int> done = 0;
  auto server = Server::start(
      {.budget = budget_, .refuse = [](const Refusal&) -> Response { throw std::bad_alloc(); }},
      [&](Request&& request, Reply&& reply) {
        const Reply dropped = std::move(reply);
        if (request.method == "POST") ++done;
      });
  ASSERT_TRUE(server);
  TestClient client(server->port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  EXPECT_FALSE(client.receive()) << "there is no answer, so the connection is cut";
  EXPECT_EQ(done, 1);
  TestClient next(server->port());
  next.send("nonsense\r\n\r\n");
  const auto refused = next.receive();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 503) << "nothing can have been done";
}

TEST_F(Bounds, APeerThatTakesAByteNowAndThenIsCut) {
  application_.large_ = 16 * mib;
  const Server server = serve({.limits = {.body_timeout = 200ms}});
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int window = 8192;
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const std::string request = get("/large");
  ASSERT_GT(::send(socket, request.data(), request.size(), MSG_NOSIGNAL), 0);
  ASSERT_TRUE(eventually([&] { return application_.ran_ == 1; }));
  EXPECT_TRUE(eventually([&] {
    std::array<char, 512> little;
    return ::recv(socket, little.data(), little.size(), MSG_DONTWAIT) == 0 ||
           server.connections() == 0;
  }));
  ::close(socket);
  EXPECT_TRUE(eventually([&] { return budget_->used() == 0; }));
}

TEST_F(Bounds, OnePeerHasAtMostHalfOfTheConnections) {
  const Server server = serve({.limits = {.connections = 64, .header_timeout = 60s}});
  std::vector<TestClient> clients;
  for (int i = 0; i < 32; ++i) {
    clients.emplace_back(server.port());
    // The answer says that the half has been read as well: a connection that has said nothing makes
    // room for others.
    ASSERT_TRUE(clients.back().ask(get("/") + "GET /half of a req"));
  }
  ASSERT_EQ(server.connections(), 32);
  TestClient next(server.port());
  const auto answer = next.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->body, "") << "it may be a HEAD that is coming";
}

TEST_F(Bounds, ATrustedProxyMayHaveThemAll) {
  const Server server =
      serve({.limits = {.connections = 64, .header_timeout = 60s},
             .trusted = [](std::string_view peer) { return peer == "127.0.0.1"; }});
  std::vector<TestClient> clients;
  for (int i = 0; i < 64; ++i) {
    clients.emplace_back(server.port());
    clients.back().send("GET /half of a req");
  }
  EXPECT_TRUE(eventually([&] { return server.connections() == 64; }));
}

/// Four times as many connections as there is place for, of every kind that waits for its peer, and
/// more bytes of unread answers than the share has: who asks and reads is answered each time.
TEST_F(Bounds, WhoAsksAndReadsGetsInWhereTheOldestGoesOut) {
  budget_ = std::make_shared<Budget>(16 * mib);
  Application application(budget_);
  application.large_ = 2 * mib;
  auto server = Server::start({.limits = {.connections = 40,
                                          .oldest_out = true,
                                          .header_timeout = 600s,
                                          .body_timeout = 600s,
                                          .idle_timeout = 600s},
                               .budget = budget_},
                              application.admit());
  ASSERT_TRUE(server);
  const std::array<std::string, 5> kinds{
      "", "GET /half of a req", "POST /refused HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n",
      get("/large"), get("/large") + get("/large") + get("/large")};
  std::vector<TestClient> clients;
  for (const auto& kind : kinds) {
    for (int i = 0; i < 40; ++i) {
      clients.emplace_back(server->port());
      if (!kind.empty()) clients.back().send(kind);
      if (i % 10 != 9) continue;
      TestClient scrape(server->port());
      const auto answer = scrape.ask(get("/large"));
      ASSERT_TRUE(answer) << kind;
      EXPECT_EQ(answer->status, 200) << kind;
      EXPECT_EQ(answer->body.size(), application.large_) << kind;
    }
  }
  EXPECT_LE(server->connections(), 40U);
}

/// Three peers connect all the time, and hold what they have: somebody who is far away, whose
/// request comes late and whose answer takes many round trips, is answered each time.
TEST_F(Bounds, WhoAsksFromFarAwayIsAnsweredAmongPeersThatOnlyConnect) {
  constexpr std::size_t most = 40;
  constexpr std::uint32_t loopback = 0x7f000000;
  budget_ = std::make_shared<Budget>(64 * mib);
  Application application(budget_);
  application.large_ = 2 * mib;
  auto server = Server::start({.limits = {.connections = most,
                                          .oldest_out = true,
                                          .header_timeout = 600s,
                                          .body_timeout = 600s,
                                          .idle_timeout = 600s},
                               .budget = budget_},
                              application.admit());
  ASSERT_TRUE(server);
  const std::array<std::string, 3> kinds{"", "GET /half of a req", get("/large")};
  std::vector<TestClient> held;
  const auto connect_all = [&](const std::string& kind) {
    for (std::uint32_t i = 0; i < 2 * most; ++i) {
      held.emplace_back(server->port(), loopback + 2 + i % 3);
      if (!kind.empty()) held.back().send(kind);
    }
    // They are through when one who comes after them is.
    TestClient last(server->port(), loopback + 9);
    EXPECT_EQ(last.ask(get("/"))->status, 200);
  };
  for (const auto& kind : kinds) {
    for (int round = 0; round < 4; ++round) {
      held.clear();
      connect_all(kind);
      TestClient scrape(server->port(), loopback + 10);
      connect_all(kind);
      scrape.send("GET /lar");
      connect_all(kind);
      scrape.send("ge HTTP/1.1\r\nHost: a\r\n\r\n");
      ASSERT_TRUE(eventually([&] { return application.holding_ > 0; }));
      connect_all(kind);
      const auto answer = scrape.receive();
      ASSERT_TRUE(answer) << kind << round;
      EXPECT_EQ(answer->status, 200) << kind;
      EXPECT_EQ(answer->body.size(), application.large_) << kind;
    }
  }
}

TEST_F(Bounds, HeadsAreChargedToTheirPeer) {
  budget_ = std::make_shared<Budget>(100'000);
  const Server server = serve({.limits = {.header = 16384, .header_timeout = 60s}});
  std::vector<TestClient> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(server.port());
    clients.back().send("GET / HTTP/1.1\r\nA: " + std::string(10'000, 'a'));
  }
  // A third is what the peer may have: the others are told so.
  EXPECT_TRUE(eventually([&] { return budget_->refused(observe::Use::request) >= 5; }));
  EXPECT_LE(budget_->used(), 34'000U);
}

TEST(Peers, CountANetworkOfIPv6AsOne) {
  EXPECT_EQ(counted_as("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(counted_as("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
  EXPECT_EQ(counted_as("2001:db8:1:2:ffff::1"), "2001:db8:1:2::");
  EXPECT_EQ(counted_as("unix"), "unix");
  Peers peers(std::make_shared<Budget>(1000));
  const auto one = peers.find("2001:db8:1:2::1", false);
  EXPECT_EQ(peers.find("2001:db8:1:2::9", false), one);
  EXPECT_NE(peers.find("2001:db8:1:3::1", false), one);
}

TEST(SendQueue, KeepsTheOrderOfWhatIsAppended) {
  SendQueue queue;
  std::string expected;
  std::string sent;
  std::vector<std::weak_ptr<int>> leases;
  for (int i = 0; i < 200; ++i) {
    const auto lease = std::make_shared<int>(i);
    leases.emplace_back(lease);
    const std::string head = "head " + std::to_string(i);
    const std::string body(i % 5 == 0 ? 40'000 : 100, static_cast<char>('a' + i % 26));
    queue.tail() += head;
    queue.append(body);
    queue.end_answer({.lease = lease});
    expected += head + body;
    if (i % 3 == 0) continue;
    while (queue.size() > 5000) {
      const std::string_view front = queue.front().substr(0, 7777);
      sent += front;
      queue.consume(front.size());
    }
  }
  while (!queue.empty()) {
    const std::string_view front = queue.front();
    sent += front;
    queue.consume(front.size());
  }
  EXPECT_EQ(sent, expected);
  for (const auto& lease : leases) EXPECT_TRUE(lease.expired());
}

}  // namespace
}  // namespace caisson::http

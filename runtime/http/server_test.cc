#include "runtime/http/server.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <rapidcheck.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/http/limits.h"
#include "runtime/http/test_client.h"

namespace caisson::http {
namespace {

using namespace std::chrono_literals;

std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::string post(const std::string& path, const std::string& body, const std::string& fields = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + fields + "\r\n" + body;
}

/// Answers with the path and the body of the request.
void echo(Request&& request, Reply&& reply) {
  reply(Response{.body = std::string(request.path) + " " + request.body});
}

Server serve(ServerOptions options, Handler handler) {
  auto server = Server::start(std::move(options), std::move(handler));
  if (!server) throw std::runtime_error(server.error().text());
  return std::move(*server);
}

/// Keeps replies back until the test hands them out, from the test's own thread.
class Backlog {
 public:
  Handler handler() {
    return [this](Request&& request, Reply&& reply) {
      const std::lock_guard lock(mutex_);
      waiting_.emplace_back(std::string(request.path), std::move(reply));
      changed_.notify_all();
    };
  }

  /// The replies in the order of their requests, once there are `count`.
  std::vector<std::pair<std::string, Reply>> take(std::size_t count,
                                                  std::chrono::milliseconds patience = 20s) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return waiting_.size() >= count; });
    return std::exchange(waiting_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::string, Reply>> waiting_;
};

TEST(Server, AnswersWithDateLengthAndFields) {
  const Server server = serve({}, [](Request&&, Reply&& reply) {
    reply(Response{.status = 201, .fields = {{"X-One", "1"}}, .body = "made"});
  });
  TestClient client(server.port());
  const auto answer = client.ask(get("/"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "made");
  EXPECT_EQ(answer->field("X-One"), "1");
  EXPECT_EQ(answer->field("Content-Length"), "4");
  EXPECT_THAT(answer->field("Date"), testing::EndsWith(" GMT"));
  EXPECT_EQ(answer->field("Connection"), "");
}

TEST(Server, AnswersHeadWithoutBody) {
  const Server server = serve({}, echo);
  TestClient client(server.port());
  client.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" + get("/y"));
  const auto head = client.receive(true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->field("Content-Length"), "3");
  const auto next = client.receive();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->body, "/y ");
}

TEST(Server, SendsNoBodyWith204And304) {
  const Server server = serve({}, [](Request&& request, Reply&& reply) {
    reply(Response{.status = request.path == "/304" ? 304 : 204, .body = "never"});
  });
  TestClient client(server.port());
  for (const char* path : {"/204", "/304"}) {
    const auto answer = client.ask(get(path));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->field("Content-Length"), "");
  }
  EXPECT_EQ(client.ask(get("/204"))->status, 204);
}

TEST(Server, KeepsTheOrderOfPipelinedRequests) {
  Backlog backlog;
  const Server server = serve({}, backlog.handler());
  TestClient client(server.port());
  client.send(get("/0") + get("/1") + get("/2") + get("/3"));
  auto replies = backlog.take(4);
  ASSERT_EQ(replies.size(), 4U);
  for (const std::size_t i : {3, 1, 0, 2}) replies[i].second(Response{.body = replies[i].first});
  for (const char* path : {"/0", "/1", "/2", "/3"}) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, path);
  }
}

TEST(Server, BoundsThePipeline) {
  Backlog backlog;
  const Server server = serve({.limits = {.pipeline = 4}}, backlog.handler());
  TestClient client(server.port());
  std::string requests;
  for (int i = 0; i < 10; ++i) requests += get("/" + std::to_string(i));
  client.send(requests);
  int answered = 0;
  while (answered < 10) {
    auto replies = backlog.take(1);
    ASSERT_FALSE(replies.empty());
    EXPECT_LE(replies.size(), 4U);
    for (auto& [path, reply] : replies) {
      EXPECT_EQ(path, "/" + std::to_string(answered));
      reply(Response{.body = path});
      const auto answer = client.receive();
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->body, "/" + std::to_string(answered++));
    }
  }
}

TEST(Server, ContinuesOnlyWhenTheBodyIsAwaited) {
  const Server server = serve({}, echo);
  TestClient client(server.port());
  client.send("POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  const auto interim = client.receive();
  ASSERT_TRUE(interim);
  EXPECT_EQ(interim->status, 100);
  client.send("abc");
  EXPECT_EQ(client.receive()->body, "/e abc");
  EXPECT_EQ(client.ask(post("/f", "xyz", "Expect: 100-continue\r\n"))->body, "/f xyz");
}

TEST(Server, RefusesInsteadOfContinuing) {
  const Server server = serve({.limits = {.body = 10}}, echo);
  TestClient client(server.port());
  const auto answer = client.ask(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_TRUE(client.closed());
}

TEST(Server, DeliversTheRefusalToAPeerThatKeepsSending) {
  const Server server = serve({.limits = {.body = 10}}, echo);
  TestClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" +
              std::string(500000, 'x'));
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
}

TEST(Server, CarriesLargeBodiesBothWays) {
  const Server server = serve({.limits = {.body = 8U << 20U}}, echo);
  TestClient client(server.port());
  const std::string body(8U << 20U, 'b');
  std::thread sender([&] { client.send(post("/", body)); });
  const auto answer = client.receive();
  sender.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "/ " + body);
}

TEST(Server, AnswersAPeerThatShutItsSendingSide) {
  const Server server = serve({}, echo);
  TestClient client(server.port());
  client.send(get("/a") + get("/b"));
  client.shut_sending();
  EXPECT_EQ(client.receive()->body, "/a ");
  EXPECT_EQ(client.receive()->body, "/b ");
  EXPECT_TRUE(client.closed());
}

TEST(Server, DroppedReplyIs500) {
  const Server server = serve({}, [](Request&&, Reply&&) {});
  TestClient client(server.port());
  EXPECT_EQ(client.ask(get("/"))->status, 500);
  EXPECT_EQ(client.ask(get("/"))->status, 500);
}

TEST(Server, ThrowingHandlerIs500AndTheConnectionGoesOn) {
  const Server server = serve({}, [](Request&& request, Reply&& reply) {
    const Reply mine = std::move(reply);
    if (request.path == "/throw") throw std::runtime_error("secret detail");
  });
  TestClient client(server.port());
  const auto answer = client.ask(get("/throw"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_THAT(answer->body, testing::Not(testing::HasSubstr("secret")));
  EXPECT_EQ(client.ask(get("/"))->status, 500);
}

TEST(Server, NeverLetsAFieldForgeAnother) {
  const Server server = serve({}, [](Request&&, Reply&& reply) {
    reply(Response{.fields = {{"Location", "/a\r\nSet-Cookie: x=y"}}});
  });
  TestClient client(server.port());
  const auto answer = client.ask(get("/"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->field("Set-Cookie"), "");
}

TEST(Server, CutsSlowHeads) {
  const Server server = serve({.limits = {.header_timeout = 150ms}}, echo);
  TestClient silent(server.port());
  TestClient slow(server.port());
  slow.send("GET / HT");
  const auto answer = slow.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
  EXPECT_TRUE(slow.closed());
  EXPECT_TRUE(silent.closed());
}

TEST(Server, CutsSlowBodies) {
  const Server server = serve({.limits = {.body_timeout = 150ms}}, echo);
  TestClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
  EXPECT_EQ(client.receive()->status, 408);
  EXPECT_TRUE(client.closed());
}

TEST(Server, ClosesIdleConnections) {
  const Server server = serve({.limits = {.idle_timeout = 150ms}}, echo);
  TestClient client(server.port());
  EXPECT_EQ(client.ask(get("/"))->status, 200);
  EXPECT_TRUE(client.closed());
}

TEST(Server, CutsPeersThatDoNotRead) {
  const Server server = serve({.limits = {.body_timeout = 150ms}}, [](Request&&, Reply&& reply) {
    reply(Response{.body = std::string(16U << 20U, 'x')});
  });
  TestClient client(server.port());
  client.send(get("/"));
  for (int i = 0; i < 2000 && server.connections() != 0; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(server.connections(), 0U);
}

TEST(Server, AnswersForAHandlerThatIsLate) {
  Backlog backlog;
  const Server server = serve({.limits = {.request_timeout = 150ms}}, backlog.handler());
  TestClient client(server.port());
  client.send(get("/late") + get("/later"));
  EXPECT_EQ(client.receive()->status, 504);
  EXPECT_EQ(client.receive()->status, 504);
  for (auto& [path, reply] : backlog.take(2)) reply(Response{.body = "too late"});
  client.send(get("/again"));
  for (auto& [path, reply] : backlog.take(1)) reply(Response{.body = path});
  EXPECT_EQ(client.receive()->body, "/again");
}

TEST(Server, TurnsAwayConnectionsAboveTheBound) {
  Backlog backlog;
  const Server server = serve({.limits = {.connections = 2}}, backlog.handler());
  TestClient one(server.port());
  TestClient two(server.port());
  one.send(get("/one"));
  two.send(get("/two"));
  auto replies = backlog.take(2);
  TestClient three(server.port());
  const auto answer = three.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_TRUE(three.closed());
  for (auto& [path, reply] : replies) reply(Response{.body = path});
  EXPECT_EQ(one.receive()->body, "/one");
  EXPECT_EQ(two.receive()->body, "/two");
}

/// Bytes that the kernel has received for connections to a port and nobody has read.
std::size_t unread_of(std::uint16_t port) {
  std::size_t sum = 0;
  std::ifstream table("/proc/net/tcp");
  for (std::string line; std::getline(table, line);) {
    unsigned local = 0;
    unsigned long received = 0;
    if (std::sscanf(line.c_str(), " %*d: %*8x:%x %*8x:%*x %*x %*x:%lx", &local, &received) == 2 &&
        local == port) {
      sum += received;
    }
  }
  return sum;
}

TEST(Server, TheKernelKeepsLittleOfWhatIsNotRead) {
  Backlog backlog;
  const Server server = serve({.threads = 1, .limits = {.pipeline = 2}}, backlog.handler());
  sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(server.port()), .sin_addr = {}};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += get("/");
  // Until the kernel takes no more on either side.
  pollfd writable{.fd = client, .events = POLLOUT, .revents = 0};
  while (::poll(&writable, 1, 300) == 1) {
    if (::send(client, requests.data(), requests.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) break;
  }
  const std::size_t unread = unread_of(server.port());
  EXPECT_GT(unread, 0U);
  EXPECT_LE(unread, static_cast<std::size_t>(kernel_unread));
  ::close(client);
}

/// A segment of the loopback device is larger than any other: one that finds no place in an empty
/// buffer comes again after 200 milliseconds, and again after 400.
TEST(Server, TakesTheLargestSegmentAtOnce) {
  const Server server = serve({.limits = {.body = 1 << 20}}, echo);
  constexpr std::uint32_t clients = 20;
  std::uint32_t sent_again = 0;
  for (std::uint32_t i = 0; i < clients; ++i) {
    TestClient client(server.port());
    // The connection is there and its buffer has its size before the segment is sent.
    ASSERT_EQ(client.ask(get("/"))->status, 200);
    client.send(post("/", std::string(60'000, 'x')));
    const auto answer = client.receive();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->status, 200) << i;
    sent_again += client.sent_again();
  }
  // On a busy machine the kernel asks once in a while whether a segment came.
  EXPECT_LT(sent_again, clients / 2);
}

TEST(Server, ClosesTheIdlestConnectionForANewOne) {
  const Server server = serve({.limits = {.connections = 2}}, echo);
  TestClient one(server.port());
  EXPECT_EQ(one.ask(get("/"))->status, 200);
  TestClient two(server.port());
  EXPECT_EQ(two.ask(get("/"))->status, 200);
  TestClient three(server.port());
  EXPECT_EQ(three.ask(get("/"))->status, 200);
  EXPECT_TRUE(one.closed());
  EXPECT_EQ(two.ask(get("/"))->status, 200);
}

/// The kernel chooses the loop: one that has no connection at all finds room in another.
TEST(Server, FindsRoomForANewConnectionInEveryLoop) {
  constexpr std::size_t most = 8;
  const Server server = serve({.threads = 8, .limits = {.connections = most}}, echo);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<TestClient>(server.port()));
    const auto answer = clients.back()->ask(get("/"));
    ASSERT_TRUE(answer) << i;
    ASSERT_EQ(answer->status, 200) << i;
    EXPECT_LE(server.connections(), most + 1) << "with one that is on its way";
  }
  EXPECT_EQ(server.readings().turned_away, 0U);
}

TEST(Server, BoundsTheMemoryOfUnfinishedRequests) {
  const Server server = serve(
      {.limits = {.body = 200'000}, .budget = std::make_shared<observe::Budget>(100'000)}, echo);
  for (int i = 0; i < 3; ++i) {
    TestClient client(server.port());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" +
                std::string(150'000, 'x'));
    const auto refused = client.receive();
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 503);
    TestClient small(server.port());
    EXPECT_EQ(small.ask(post("/", std::string(30'000, 'x')))->status, 200);
  }
}

TEST(Server, RefusesAPortThatIsTaken) {
  const Server server = serve({.threads = 2}, echo);
  const auto second =
      Server::start({.listen = "127.0.0.1:" + std::to_string(server.port()), .threads = 2}, echo);
  ASSERT_FALSE(second.has_value());
  EXPECT_THAT(second.error().text(), testing::HasSubstr("cannot listen on 127.0.0.1:"));
}

TEST(Server, RefusesAnAddressThatIsNone) {
  for (const char* listen :
       {"", "8080", ":8080", "127.0.0.1:http", "localhost:http", "1.2.3.4.5:1"}) {
    EXPECT_FALSE(Server::start({.listen = listen}, echo).has_value()) << listen;
  }
}

TEST(Server, ListensOnTheAddressOfAName) {
  const auto server = Server::start({.listen = "localhost:0"}, echo);
  ASSERT_TRUE(server.has_value()) << server.error().text();
  EXPECT_GT(server->port(), 0);
}

TEST(Server, ListensToBothFamilies) {
  const Server server = serve({.listen = "[::]:0"}, [](Request&& request, Reply&& reply) {
    reply(Response{.status = 200, .body = std::string(request.peer)});
  });
  TestClient client(server.port());
  const auto answer = client.ask(get("/"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "127.0.0.1");
}

TEST(Server, OutlivedByItsReplies) {
  Backlog backlog;
  std::vector<std::pair<std::string, Reply>> replies;
  {
    const Server server = serve({}, backlog.handler());
    TestClient client(server.port());
    client.send(get("/"));
    replies = backlog.take(1);
    ASSERT_EQ(replies.size(), 1U);
  }
  replies.front().second(Response{});
}

TEST(Drain, ClosesIdleConnectionsAndStopsAccepting) {
  Server server = serve({.threads = 2}, echo);
  const std::uint16_t port = server.port();
  TestClient client(port);
  EXPECT_EQ(client.ask(get("/"))->status, 200);
  EXPECT_EQ(server.drain(10s), 0U);
  EXPECT_TRUE(client.closed());
  EXPECT_THROW(TestClient{port}, std::runtime_error);
}

/// While one request is not answered yet, hundreds come too late: each is told so, also with a body
/// and by HEAD, and none of it is done.
TEST(Drain, TellsWhoeverComesLate) {
  Backlog backlog;
  Server server = serve({.threads = 2}, backlog.handler());
  const std::uint16_t port = server.port();
  TestClient slow(port);
  slow.send(get("/slow"));
  auto held = backlog.take(1);
  ASSERT_EQ(held.size(), 1U);
  std::size_t cut = 0;
  std::thread drain([&] { cut = server.drain(60s); });
  // Until it has begun, requests are answered.
  int status = 200;
  while (status == 200) {
    TestClient early(port);
    early.send(get("/early"));
    std::thread answers([&] {
      for (auto& [path, reply] : backlog.take(1, 50ms)) reply(Response{.body = path});
    });
    status = early.receive().value_or(TestClient::Answer{}).status;
    answers.join();
  }
  EXPECT_EQ(status, 503);
  for (int i = 0; i < 300; ++i) {
    TestClient late(port);
    const bool head = i % 3 == 1;
    late.send(i % 3 == 0 ? post("/late", std::string(100'000, 'b'))
              : head     ? "HEAD /late HTTP/1.1\r\nHost: x\r\n\r\n"
                         : get("/late"));
    const auto answer = late.receive(head).value_or(TestClient::Answer{});
    EXPECT_EQ(answer.status, 503) << i;
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_EQ(answer.body.find("draining") == std::string::npos, head);
    EXPECT_TRUE(late.closed());
  }
  for (auto& [path, reply] : held) reply(Response{.body = path});
  const auto answer = slow.receive();
  drain.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "/slow");
  EXPECT_EQ(answer->field("Connection"), "close");
  EXPECT_EQ(cut, 0U);
  EXPECT_THROW(TestClient{port}, std::runtime_error);
}

TEST(Drain, ServesOnBeforeItAndEndsEachConnection) {
  Server server = serve({.threads = 2}, echo);
  TestClient idle(server.port());
  EXPECT_EQ(idle.ask(get("/"))->field("Connection"), "");
  server.begin_to_leave();
  EXPECT_EQ(idle.ask(get("/"))->field("Connection"), "close");
  EXPECT_TRUE(idle.closed());
  for (int i = 0; i < 300; ++i) {
    TestClient client(server.port());
    const auto answer = client.ask(get("/"));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
  }
  EXPECT_EQ(server.drain(10s), 0U);
}

TEST(Drain, CutsWhatDoesNotEnd) {
  Backlog backlog;
  Server server = serve({}, backlog.handler());
  TestClient client(server.port());
  client.send(get("/"));
  const auto replies = backlog.take(1);
  EXPECT_EQ(server.drain(100ms), 1U);
  EXPECT_TRUE(client.closed());
}

/// Any number of connections and requests, any order and thread of the replies, some dropped: every
/// request gets exactly one response, its own, in order.
TEST(Property01_ExactlyOneResponse, ForEveryAcceptedRequest) {
  Backlog backlog;
  const Server server = serve({.threads = 2, .limits = {.pipeline = 16}}, backlog.handler());
  EXPECT_TRUE(rc::check([&] {
    const auto count = *rc::gen::inRange<std::size_t>(1, 12);
    const auto dropped = *rc::gen::container<std::vector<bool>>(count, rc::gen::arbitrary<bool>());
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    const auto piece = *rc::gen::inRange<std::size_t>(0, 64);
    TestClient client(server.port());
    std::string requests;
    for (std::size_t i = 0; i < count; ++i) requests += get("/" + std::to_string(i));
    client.send(requests, piece);
    std::vector<std::pair<std::string, Reply>> replies;
    while (replies.size() < count) {
      auto more = backlog.take(1);
      RC_ASSERT(!more.empty());
      std::move(more.begin(), more.end(), std::back_inserter(replies));
    }
    std::shuffle(replies.begin(), replies.end(), std::minstd_rand(seed));
    for (auto& [path, reply] : replies) {
      const Reply mine = std::exchange(reply, {});
      if (dropped[std::stoul(path.substr(1))]) continue;
      Reply used = std::move(const_cast<Reply&>(mine));
      used(Response{.body = path});
      used(Response{.body = "a second answer"});
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto answer = client.receive();
      RC_ASSERT(answer.has_value());
      RC_ASSERT(answer->status == (dropped[i] ? 500 : 200));
      if (!dropped[i]) RC_ASSERT(answer->body == "/" + std::to_string(i));
    }
    client.shut_sending();
    RC_ASSERT(client.closed());
  }));
}

/// A drain at any moment: every request that the handler saw is answered, nobody is left without a
/// word.
TEST(Property44_GracefulDrain, LosesNothingAcknowledged) {
  EXPECT_TRUE(rc::check([] {
    const auto clients = *rc::gen::inRange<std::size_t>(1, 6);
    const auto requests = *rc::gen::inRange<std::size_t>(1, 40);
    const auto pause = *rc::gen::inRange(0, 2000);
    std::atomic<std::size_t> handled = 0;
    Server server = serve({.threads = 2}, [&](Request&& request, Reply&& reply) {
      ++handled;
      echo(std::move(request), std::move(reply));
    });
    std::atomic<std::size_t> answered = 0;
    std::vector<std::thread> threads;
    threads.reserve(clients);
    for (std::size_t c = 0; c < clients; ++c) {
      threads.emplace_back([client = TestClient(server.port()), &answered, requests]() mutable {
        for (std::size_t i = 0; i < requests && client.send(post("/" + std::to_string(i), "b"));
             ++i) {
          const auto answer = client.receive();
          if (!answer) return;
          if (answer->body == "/" + std::to_string(i) + " b") ++answered;
          if (answer->field("Connection") == "close") return;
        }
      });
    }
    std::this_thread::sleep_for(std::chrono::microseconds(pause));
    const std::size_t cut = server.drain(20s);
    for (auto& thread : threads) thread.join();
    RC_ASSERT(cut == 0);
    RC_ASSERT(answered == handled);
    RC_ASSERT(answered >= clients);  // whoever was connected before the drain got a word in
  }));
}

}  // namespace
}  // namespace caisson::http

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/scratch.h"
#include "installer/registry/connection.h"
#include "installer/registry/message.h"
#include "installer/registry/push.h"
#include "installer/registry/server.h"
#include "installer/verify/bundle_testing.h"

namespace caisson::installer {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Images : public ::testing::Test {
 protected:
  void SetUp() override {
    maker_.add({{"etc/a", "a\n"}});
    maker_.add_image("docker.io/team/app:1", testing::noise(3'000'000, 1));
    maker_.add_image("other:2", testing::noise(1000, 2));
  }

  /// What is on the medium, verified.
  const Catalogue& catalogue() {
    maker_.seal();
    maker_.put_directory(scratch_ / "bundle");
    auto bundle = testing::verified(scratch_ / "bundle", maker_.root_text, testing::site());
    EXPECT_TRUE(bundle) << bundle.error().what;
    bundle_.emplace(*std::move(bundle));
    auto made = Catalogue::of(*bundle_);
    EXPECT_TRUE(made) << made.error().what;
    return catalogue_.emplace(*std::move(made));
  }

  Scratch scratch_;
  testing::Maker maker_;
  std::optional<VerifiedBundle> bundle_;
  std::optional<Catalogue> catalogue_;
};

Endpoint endpoint(std::uint16_t port) {
  return {.host = "127.0.0.1", .port = std::to_string(port), .tls = false};
}

/// All that comes for these bytes until the other side ends.
std::string talk(std::uint16_t port, std::string_view bytes) {
  auto connection = connect(endpoint(port), nullptr);
  EXPECT_TRUE(connection) << connection.error().what;
  EXPECT_TRUE((*connection)->write(bytes));
  std::string text;
  char buffer[65536];
  while (true) {
    const auto got = (*connection)->read(buffer);
    if (!got || *got == 0) return text;
    text.append(buffer, *got);
  }
}

std::string get(std::uint16_t port, const std::string& target, const std::string& method = "GET") {
  return talk(port, method + " " + target + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
}

std::string body_of(const std::string& answer) {
  return answer.substr(answer.find("\r\n\r\n") + 4);
}

TEST_F(Images, AreServedByTagAndByDigest) {
  const auto server = Server::listen(catalogue(), 0);
  ASSERT_TRUE(server) << server.error().what;
  const auto port = (*server)->port();
  const auto& image = maker_.manifest.images[0];
  const auto manifest = "{manifest of docker.io/team/app:1}";
  EXPECT_THAT(get(port, "/v2/"), StartsWith("HTTP/1.1 200 OK\r\n"));
  for (const auto& reference : {std::string("1"), to_text(image.manifest.digest)}) {
    const auto answer = get(port, "/v2/team/app/manifests/" + reference + "?ns=docker.io");
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/vnd.oci.image.manifest.v1+json\r\n"));
    EXPECT_THAT(answer,
                HasSubstr("Docker-Content-Digest: " + to_text(image.manifest.digest) + "\r\n"));
    EXPECT_EQ(body_of(answer), manifest);
  }
  const auto layer = "/v2/team/app/blobs/" + to_text(image.layers[0].blob.digest);
  EXPECT_EQ(body_of(get(port, layer)), testing::noise(3'000'000, 1));
  const auto head = get(port, layer, "HEAD");
  EXPECT_THAT(head, HasSubstr("Content-Length: 3000000\r\n"));
  EXPECT_EQ(body_of(head), "");
  EXPECT_EQ(body_of(get(port, "/v2/library/other/tags/list")),
            R"({"name":"library/other","tags":["2"]})");

  const std::string zeros = "sha256:" + std::string(64, '0');
  for (const auto& target :
       {std::string("/"), std::string("/v2/team/app"), std::string("/v2/none/manifests/1"),
        std::string("/v2/team/app/manifests/2"), std::string("/v2/library/other/manifests/1"),
        "/v2/team/app/blobs/" + zeros, std::string("/v2/team/app/blobs/../../MANIFEST"),
        std::string("/v2/team/app/blobs/")}) {
    EXPECT_THAT(get(port, target), StartsWith("HTTP/1.1 404 ")) << target;
  }
  EXPECT_THAT(get(port, "/v2/", "DELETE"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(talk(port, "POST /v2/ HTTP/1.1\r\nContent-Length: 9\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(talk(port, std::string(100'000, 'x')), "");
}

TEST_F(Images, AreRefusedAtOnceToWhoTriesTlsFirst) {
  const auto server = Server::listen(catalogue(), 0);
  ASSERT_TRUE(server) << server.error().what;
  // The first record of a client that goes on only once it is answered.
  EXPECT_THAT(talk((*server)->port(), std::string("\x16\x03\x01\x02\x00", 5)),
              StartsWith("HTTP/1.1 400 "));
}

TEST_F(Images, AreServedToManyAtOnceOverConnectionsThatStay) {
  const auto server = Server::listen(catalogue(), 0);
  ASSERT_TRUE(server) << server.error().what;
  const auto port = (*server)->port();
  const auto layer =
      "/v2/team/app/blobs/" + to_text(maker_.manifest.images[0].layers[0].blob.digest);
  std::atomic<int> right = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 48; ++i) {
    clients.emplace_back([&] {
      const auto answers =
          talk(port, "GET " + layer + " HTTP/1.1\r\n\r\nHEAD /v2/ HTTP/1.1\r\n\r\nGET /v2/ " +
                         "HTTP/1.1\r\nConnection: close\r\n\r\n");
      const auto first = answers.find("\r\n\r\n") + 4;
      right += answers.substr(first, 3'000'000) == testing::noise(3'000'000, 1) &&
               answers.ends_with("\r\n\r\n{}");
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(right, 48);
}

TEST_F(Images, AreServedThoughSlowOnesHoldEveryConnection) {
  const auto server = Server::listen(catalogue(), 0);
  ASSERT_TRUE(server) << server.error().what;
  const auto port = (*server)->port();
  // Some ask for half a thing, others take nothing of what they asked for.
  const auto layer =
      "/v2/team/app/blobs/" + to_text(maker_.manifest.images[0].layers[0].blob.digest);
  std::vector<std::unique_ptr<Connection>> slow;
  for (int i = 0; i < 16; ++i) {
    slow.push_back(*connect(endpoint(port), nullptr));
    (void)slow.back()->write(i % 2 == 0 ? "GET /v2/ HTTP/1.1\r\n"
                                        : "GET " + layer + " HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  EXPECT_EQ(body_of(get(port, layer)), testing::noise(3'000'000, 1));
  EXPECT_THAT(get(port, "/v2/"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(Images, ThatAreNotWhatWasSignedAreNeverServedWhole) {
  const auto server = Server::listen(catalogue(), 0);
  ASSERT_TRUE(server) << server.error().what;
  const auto& image = maker_.manifest.images[0];
  const auto place = [&](const Digest& digest) { return scratch_ / "bundle" / blob_path(digest); };
  auto bytes = testing::noise(3'000'000, 1);
  bytes[7] ^= 1;
  testing::put(place(image.layers[0].blob.digest), bytes);
  testing::put(place(image.manifest.digest), "{manifest of docker.io/team/app:2}");
  EXPECT_LT(
      body_of(get((*server)->port(), "/v2/team/app/blobs/" + to_text(image.layers[0].blob.digest)))
          .size(),
      3'000'000U);
  EXPECT_EQ(get((*server)->port(), "/v2/team/app/manifests/1"), "");
}

TEST_F(Images, EndWithTheServerWhoeverIsConnected) {
  auto server = Server::listen(catalogue(), 0);
  ASSERT_TRUE(server) << server.error().what;
  std::vector<std::unique_ptr<Connection>> idle;
  for (int i = 0; i < 30; ++i) idle.push_back(*connect(endpoint((*server)->port()), nullptr));
  server->reset();
  char buffer[1];
  for (auto& connection : idle) {
    const auto got = connection->read(buffer);
    EXPECT_TRUE(!got || *got == 0);
  }
}

TEST_F(Images, ThatOneRegistryCannotTellApartAreRefused) {
  maker_.add_image("quay.io/team/app:1", testing::noise(100, 3));
  maker_.seal();
  maker_.put_directory(scratch_ / "bundle");
  const auto bundle = testing::verified(scratch_ / "bundle", maker_.root_text, testing::site());
  ASSERT_TRUE(bundle) << bundle.error().what;
  const auto refused = Catalogue::of(*bundle);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::image_names);
  EXPECT_THAT(refused.error().what, HasSubstr("team/app:1"));
}

/// A registry as a test wants it: answers each request, which may have a body, on a connection of
/// its own.
class Registry {
 public:
  struct Request {
    Head head;
    std::string body;
  };
  using Handler = std::function<std::string(const Request&)>;

  explicit Registry(Handler handler) : handler_(std::move(handler)) {
    socket_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const named = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), named, size), 0);
    EXPECT_EQ(::listen(socket_.get(), 16), 0);
    EXPECT_EQ(::getsockname(socket_.get(), named, &size), 0);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~Registry() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }

  std::uint16_t port = 0;
  std::vector<std::string> seen;  ///< "PUT /v2/..."; to be read when nothing is asked any more

 private:
  void run() {
    while (true) {
      const int accepted_socket = ::accept(socket_.get(), nullptr, nullptr);
      if (accepted_socket < 0) return;
      const auto connection = accepted(Descriptor(accepted_socket));
      std::string text;
      std::optional<Request> request;
      char buffer[65536];
      while (true) {
        if (const auto end = text.find("\r\n\r\n"); end != std::string::npos) {
          request = Request{.head = read_request(text.substr(0, end)).value(),
                            .body = text.substr(end + 4)};
          const auto length = request->head.field("content-length").value_or("0");
          if (request->body.size() >= std::stoull(std::string(length))) break;
        }
        const auto got = connection->read(buffer);
        if (!got || *got == 0) break;
        text.append(buffer, *got);
      }
      if (!request) continue;
      seen.push_back(request->head.method + " " + request->head.target);
      (void)connection->write(handler_(*request));
    }
  }

  Handler handler_;
  Descriptor socket_;
  std::thread thread_;
};

/// What a registry does that works: it keeps what it is given, and answers in chunks.
class Honest {
 public:
  std::string operator()(const Registry::Request& request) {
    const auto& target = request.head.target;
    if (request.head.method == "HEAD") {
      return kept.contains(target) ? "HTTP/1.1 200 OK\r\n\r\n" : "HTTP/1.1 404 Not Found\r\n\r\n";
    }
    if (request.head.method == "POST") {
      return "HTTP/1.1 202 Accepted\r\nLocation: " + target +
             "1?state=x\r\nContent-Length: 0\r\n\r\n";
    }
    const auto upload = target.find("/uploads/");
    const auto name =
        upload == std::string::npos
            ? target
            : target.substr(0, upload) + "/sha256:" + target.substr(target.size() - 64);
    kept[name] = request.body;
    return "HTTP/1.1 201 Created\r\nDocker-Content-Digest: " + to_text(sha256(request.body)) +
           "\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
  }
  std::map<std::string, std::string> kept;
};

Destination to(const Registry& registry) {
  return *destination_of("127.0.0.1:" + std::to_string(registry.port) + "/site", false);
}

TEST_F(Images, ArePushedOnce) {
  Honest honest;
  Registry registry(std::ref(honest));
  const auto& images = catalogue();
  const auto first = push(images, to(registry), {});
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_EQ(first->sent, 8U);  // of each image: configuration, layer, manifest, tag
  EXPECT_EQ(first->there, 0U);
  const auto& image = maker_.manifest.images[0];
  EXPECT_EQ(honest.kept.at("/v2/site/team/app/blobs/" + to_text(image.layers[0].blob.digest)),
            testing::noise(3'000'000, 1));
  EXPECT_EQ(honest.kept.at("/v2/site/team/app/manifests/1"), "{manifest of docker.io/team/app:1}");
  EXPECT_EQ(first->images.at(0).target,
            to(registry).endpoint.authority() + "/site/team/app@" + to_text(image.manifest.digest));
  const auto again = push(images, to(registry), {});
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(again->sent, 2U) << "tags alone";
  EXPECT_EQ(again->there, 6U);
}

TEST_F(Images, ArePushedWithThePasswordOrTheTokenThatARegistryWants) {
  Honest honest;
  std::atomic<std::uint16_t> port = 0;
  const std::string basic = "Basic dXNlcjpzZWNyZXQ=";
  for (const bool with_token : {false, true}) {
    std::vector<std::string> tokens;
    Registry registry([&](const Registry::Request& request) -> std::string {
      const auto given = request.head.field("authorization").value_or("");
      if (request.head.target.starts_with("/token")) {
        tokens.push_back(request.head.target);
        if (given != basic) return "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
        return "HTTP/1.1 200 OK\r\n\r\n{\"token\":\"t0k\"}";
      }
      if (given == (with_token ? "Bearer t0k" : basic)) return honest(request);
      return "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: " +
             (with_token ? "Bearer realm=\"http://127.0.0.1:" + std::to_string(port) +
                               "/token\",service=\"reg\""
                         : std::string("Basic realm=\"r\"")) +
             "\r\nContent-Length: 0\r\n\r\n";
    });
    port = registry.port;
    auto destination = to(registry);
    const auto& images = catalogue();
    const auto stranger = push(images, destination, {});
    ASSERT_FALSE(stranger);
    EXPECT_EQ(stranger.error().code, Code::registry_login);
    destination.user = "user";
    destination.password = "secret";
    const auto pushed = push(images, destination, {});
    ASSERT_TRUE(pushed) << pushed.error().what;
    EXPECT_EQ(tokens.empty(), !with_token);
    if (with_token) {
      EXPECT_THAT(
          tokens,
          Contains("/token?service=reg&scope=repository%3Asite%2Fteam%2Fapp%3Apull%2Cpush"));
    }
    destination.password = "wrong";
    const auto wrong = push(images, destination, {});
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, Code::registry_login);
    EXPECT_THAT(wrong.error().what, Not(HasSubstr("wrong")));
  }
}

TEST_F(Images, AreNotPushedToWhoDoesNotDoItsPart) {
  struct Case {
    std::string method;
    std::string answer;
    Code code;
    std::string words;
  };
  const std::string empty = "Content-Length: 0\r\n\r\n";
  const Case cases[] = {
      {"HEAD", "SSH-2.0-OpenSSH_9.2\r\n\r\n", Code::registry_unreachable, "does not speak HTTP"},
      {"HEAD", "", Code::registry_unreachable, "does not speak HTTP"},
      {"HEAD", std::string(100'000, 'x'), Code::registry_unreachable, "does not speak HTTP"},
      {"HEAD", "HTTP/1.1 500 Oops\r\n\r\n", Code::registry_refused, "answers 500"},
      {"POST", "HTTP/1.1 202 Accepted\r\nLocation: http://127.0.0.1:1/v2/\r\n" + empty,
       Code::registry_refused, "another host"},
      {"POST", "HTTP/1.1 202 Accepted\r\nLocation: //evil/v2/\r\n" + empty, Code::registry_refused,
       "another host"},
      {"POST", "HTTP/1.1 202 Accepted\r\n" + empty, Code::registry_refused, "another host"},
      {"POST", "HTTP/1.1 403 Forbidden\r\n" + empty, Code::registry_login, "may not push"},
      {"PUT", "HTTP/1.1 413 Too Large\r\n\r\n{\"errors\": \x1b[31m}", Code::registry_refused,
       "answers 413"},
      {"PUT", "HTTP/1.1 201 Created\r\nDocker-Content-Digest: sha256:0\r\n" + empty,
       Code::registry_refused, "under the digest"},
      {"PUT", "HTTP/1.1 201 Created\r\n" + empty, Code::registry_refused, "does not have it"},
      {"PUT",
       "HTTP/1.1 201 Created\r\nDocker-Content-Digest: sha256:0\r\nDocker-Content-Digest: "
       "sha256:1\r\n" +
           empty,
       Code::registry_refused, "under several digests"},
      {"HEAD", "HTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:0\r\n\r\n", Code::registry_refused,
       "under the digest sha256:0"},
  };
  const auto& images = catalogue();
  for (const auto& each : cases) {
    Honest honest;
    Registry registry([&](const Registry::Request& request) {
      const bool blob = request.head.target.find("/uploads/") != std::string::npos;
      const bool digest = each.words == "under the digest";
      if (request.head.method == each.method && !(digest && blob)) return each.answer;
      return honest(request);
    });
    const auto refused = push(images, to(registry), {});
    ASSERT_FALSE(refused) << each.answer;
    EXPECT_EQ(refused.error().code, each.code) << each.answer << refused.error().what;
    EXPECT_THAT(refused.error().what, HasSubstr(each.words));
    EXPECT_THAT(refused.error().what, Not(HasSubstr("\x1b")));
  }
  const auto nobody = push(images, *destination_of("127.0.0.1:1", false), {});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Code::registry_unreachable);
}

TEST(Destinations, AreHostsWithAPortAndAPrefix) {
  const auto plain = destination_of("registry.example", true);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->endpoint.authority(), "registry.example:443");
  const auto all = destination_of("[::1]:5000/team/product", false);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->endpoint.host, "[::1]");
  EXPECT_EQ(all->endpoint.port, "5000");
  EXPECT_EQ(all->prefix, "team/product");
  for (const std::string_view text :
       {"", ":5000", "host:", "host:0", "host:65536", "host:x", "ho st", "host/", "host/UPPER",
        "host/../x", "user@host", "https://host"}) {
    EXPECT_FALSE(destination_of(text, true)) << text;
  }
}

}  // namespace
}  // namespace caisson::installer

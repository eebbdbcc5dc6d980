#include "installer/registry/server.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/json_text.h"
#include "installer/registry/connection.h"
#include "installer/registry/message.h"

namespace caisson::installer {
namespace {

constexpr unsigned kConnections = 16;

/// How long a connection may stand still while another one waits for its place.
constexpr std::chrono::seconds kStill{2};

/// The first byte of a TLS handshake (RFC 8446, section 5.1).
constexpr char kHandshake = 22;

/// What is asked for, taken apart.
struct Asked {
  enum class What { version, document, blob, tags } what = What::version;
  std::string_view repository;
  std::string_view reference;
};

std::optional<Asked> asked_of(std::string_view target) {
  target = target.substr(0, target.find('?'));
  if (target == "/v2" || target == "/v2/") return Asked{};
  constexpr std::string_view prefix = "/v2/";
  if (!target.starts_with(prefix)) return std::nullopt;
  target.remove_prefix(prefix.size());
  constexpr std::string_view tags = "/tags/list";
  if (target.ends_with(tags)) {
    return Asked{.what = Asked::What::tags,
                 .repository = target.substr(0, target.size() - tags.size())};
  }
  for (const auto& [word, what] :
       {std::pair{std::string_view("/manifests/"), Asked::What::document},
        std::pair{std::string_view("/blobs/"), Asked::What::blob}}) {
    const auto at = target.rfind(word);
    if (at == std::string_view::npos) continue;
    return Asked{.what = what,
                 .repository = target.substr(0, at),
                 .reference = target.substr(at + word.size())};
  }
  return std::nullopt;
}

std::string head_of(std::string_view status, std::string_view type, std::uint64_t length,
                    const std::string& digest = {}) {
  std::string head = "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: " + std::string(type) +
                     "\r\nContent-Length: " + std::to_string(length) +
                     "\r\nDocker-Distribution-Api-Version: registry/2.0\r\n";
  if (!digest.empty()) head += "Docker-Content-Digest: " + digest + "\r\n";
  return head + "\r\n";
}

/// Answers the requests of one connection.
class Visit {
 public:
  /// `moved` is called when a whole head was received, and when a piece was sent.
  Visit(const Catalogue& catalogue, Connection& connection, std::function<void()> moved)
      : catalogue_(catalogue), connection_(connection), moved_(std::move(moved)) {}

  void serve() {
    while (auto text = next_head()) {
      const auto head = read_request(*text);
      // A body would stand where the next request is expected.
      if (!head || head->has("content-length") || head->has("transfer-encoding")) {
        (void)error("400 Bad Request", "UNSUPPORTED");
        return;
      }
      if (!answer(*head) || head->field("connection") == "close") return;
    }
  }

 private:
  std::optional<std::string> next_head() {
    constexpr std::string_view end = "\r\n\r\n";
    while (true) {
      if (const auto at = pending_.find(end); at != std::string::npos) {
        auto head = pending_.substr(0, at);
        pending_.erase(0, at + end.size());
        moved_();
        return head;
      }
      if (pending_.size() > kMostOfHead) return std::nullopt;
      char buffer[4096];
      const auto got = connection_.read(buffer);
      if (!got || *got == 0) return std::nullopt;
      pending_.append(buffer, *got);
      // Engines try TLS first, and wait long for somebody who says nothing: no request is this.
      if (pending_.front() == kHandshake) return std::string();
    }
  }

  /// False when the connection has to end.
  bool answer(const Head& head) {
    body_ = head.method != "HEAD";
    if (body_ && head.method != "GET") return error("405 Method Not Allowed", "UNSUPPORTED");
    const auto asked = asked_of(head.target);
    if (!asked) return error("404 Not Found", "UNSUPPORTED");
    if (asked->what == Asked::What::version) return send("200 OK", "application/json", "{}");
    if (!catalogue_.has(asked->repository)) return error("404 Not Found", "NAME_UNKNOWN");
    switch (asked->what) {
      case Asked::What::document:
        return document(*asked);
      case Asked::What::blob:
        return blob(*asked);
      default:
        return tags(*asked);
    }
  }

  bool document(const Asked& asked) {
    const auto* document = catalogue_.document(asked.repository, asked.reference);
    if (document == nullptr) return error("404 Not Found", "MANIFEST_UNKNOWN");
    const auto text = catalogue_.read(*document);
    if (!text) return false;
    return send("200 OK", to_text(document->type), *text, to_text(document->digest));
  }

  bool blob(const Asked& asked) {
    const auto digest = sha256_of(asked.reference);
    const auto* size = digest ? catalogue_.blob(*digest) : nullptr;
    if (size == nullptr) return error("404 Not Found", "BLOB_UNKNOWN");
    const auto head = head_of("200 OK", "application/octet-stream", *size, to_text(*digest));
    if (!connection_.write(head)) return false;
    if (!body_) return true;
    return catalogue_
        .read(*digest,
              [&](std::string_view piece) {
                auto sent = connection_.write(piece);
                if (sent) moved_();
                return sent;
              })
        .has_value();
  }

  bool tags(const Asked& asked) {
    std::string list;
    for (const auto& tag : catalogue_.tags(asked.repository)) {
      list += (list.empty() ? "" : ",") + json_string(tag);
    }
    return send("200 OK", "application/json",
                R"({"name":)" + json_string(asked.repository) + R"(,"tags":[)" + list + "]}");
  }

  bool error(std::string_view status, std::string_view code) {
    return send(status, "application/json",
                R"({"errors":[{"code":")" + std::string(code) + "\"}]}");
  }

  bool send(std::string_view status, std::string_view type, std::string_view body,
            const std::string& digest = {}) {
    auto text = head_of(status, type, body.size(), digest);
    if (body_) text += body;
    return connection_.write(text).has_value();
  }

  const Catalogue& catalogue_;
  Connection& connection_;
  std::function<void()> moved_;
  std::string pending_;
  bool body_ = true;
};

tl::unexpected<Refusal> cannot_listen(std::uint16_t port) {
  return refuse(Code::serving_port,
                "cannot listen on 127.0.0.1:" + std::to_string(port) + ": " + system_words(errno));
}

}  // namespace

Checked<std::unique_ptr<Server>> Server::listen(const Catalogue& catalogue, std::uint16_t port) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return cannot_listen(port);
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const named = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), named, size) != 0 || ::listen(socket.get(), 64) != 0 ||
      ::getsockname(socket.get(), named, &size) != 0) {
    return cannot_listen(port);
  }
  return std::unique_ptr<Server>(new Server(catalogue, std::move(socket), ntohs(address.sin_port)));
}

Server::Server(const Catalogue& catalogue, Descriptor socket, std::uint16_t port)
    : catalogue_(catalogue), socket_(std::move(socket)), port_(port) {
  threads_.emplace_back([this] { accept_all(); });
  for (unsigned i = 0; i < kConnections; ++i) threads_.emplace_back([this] { work(); });
}

Server::~Server() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    // Whoever accepts, receives or sends returns.
    ::shutdown(socket_.get(), SHUT_RDWR);
    for (const auto& [socket, moved] : live_) ::shutdown(socket, SHUT_RDWR);
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Server::hand_over(Descriptor socket) {
  std::unique_lock lock(mutex_);
  while (!ending_ && live_.size() == kConnections) {
    const auto slowest = std::ranges::min_element(
        live_, {}, [](const auto& connection) { return connection.second; });
    if (Clock::now() < slowest->second + kStill) {
      changed_.wait_until(lock, slowest->second + kStill);
    } else {
      // Its thread comes back, and says so.
      ::shutdown(slowest->first, SHUT_RDWR);
      slowest->second = Clock::time_point::max() - kStill;
    }
  }
  changed_.wait(lock, [&] { return ending_ || !waiting_; });
  if (ending_) return;
  live_[socket.get()] = Clock::now();
  waiting_ = std::move(socket);
  changed_.notify_all();
}

Descriptor Server::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ending_ || waiting_; });
  auto socket = ending_ ? Descriptor() : std::move(waiting_);
  waiting_ = Descriptor();
  changed_.notify_all();
  return socket;
}

void Server::has_moved(int socket) {
  const std::lock_guard lock(mutex_);
  if (auto& last = live_[socket]; last < Clock::now()) last = Clock::now();
}

bool Server::has_ended() {
  const std::lock_guard lock(mutex_);
  return ending_;
}

void Server::ends(int socket) {
  {
    const std::lock_guard lock(mutex_);
    live_.erase(socket);
  }
  changed_.notify_all();
}

void Server::accept_all() {
  while (true) {
    Descriptor socket(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (has_ended()) return;
    if (socket) {
      hand_over(std::move(socket));
    } else {
      // Another client may give back the descriptors or the memory that this one lacked.
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
}

void Server::work() {
  while (auto socket = next()) {
    const int number = socket.get();
    // It is forgotten before it is closed, when its number may be another one's.
    std::unique_ptr<Connection> connection;
    try {
      connection = accepted(std::move(socket));
      Visit(catalogue_, *connection, [&] { has_moved(number); }).serve();
    } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch)
      // The client sees a connection that ends, and asks again.
    }
    ends(number);
  }
}

}  // namespace caisson::installer

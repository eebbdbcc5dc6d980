#include "runtime/http/server.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/http/activation.h"
#include "runtime/http/loop.h"

namespace caisson::http {
namespace {

constexpr int backlog = 4096;
/// For answers to those who came at the end of a drain.
constexpr auto last_words = std::chrono::seconds(2);
constexpr std::size_t default_budget = std::size_t{256} << 20;

bool nobody(std::string_view) { return false; }

Response plain_problem(const Refusal& refusal) {
  std::string body = "{\"type\":\"urn:caisson:problem:";
  body.append(refusal.code).append("\",\"status\":").append(std::to_string(refusal.status));
  body.append(",\"detail\":\"").append(refusal.detail).append("\"}");
  return {.status = refusal.status,
          .fields = {{"Content-Type", "application/problem+json"}},
          .body = std::move(body)};
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

/// A host name, and nothing that a resolver could take for an odd spelling of an address.
bool is_name(std::string_view host) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return std::ranges::any_of(host, letter) && std::ranges::all_of(host, [&](char c) {
           return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

/// `address:port`, or a name that is looked up now: in a container that is how a listener binds to
/// one network.
Result<Address> parse_address(const std::string& listen) {
  const auto bad = [&] {
    return fail("the listen address " + listen + " is not address:port",
                "write for example 127.0.0.1:8080 or [::1]:8080");
  };
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos || colon == 0) return bad();
  std::string host = listen.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE;
  if (!is_name(host)) hints.ai_flags |= AI_NUMERICHOST;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), listen.c_str() + colon + 1, &hints, &found);
  if (error != 0 && is_name(host)) {
    return fail("cannot find the address of " + host + " to listen on: " + gai_strerror(error));
  }
  if (error != 0) return bad();
  Address address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

/// A socket that closes itself unless it is released.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Result<Socket> bind_socket(const Address& address, const std::string& listen, bool share_port) {
  Socket socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  const int off = 0;
  // `[::]` takes connections of both families, whatever the host's default is.
  if (address.storage.ss_family == AF_INET6) {
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (share_port) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) !=
      0) {
    return fail(
        "cannot listen on " + listen + ": " + std::generic_category().message(errno),
        errno == EADDRINUSE ? "stop the process that holds the port or choose another" : "");
  }
  return socket;
}

/// One name of the passed socket per loop: they share its queue of connections, which outlives them
/// all.
Result<std::vector<Socket>> share_passed(std::string_view path, std::size_t count) {
  auto passed = passed_socket(path);
  if (!passed) return tl::unexpected(passed.error());
  std::vector<Socket> sockets;
  sockets.emplace_back(*passed);
  while (sockets.size() < count) {
    Socket next(::fcntl(*passed, F_DUPFD_CLOEXEC, 0));
    if (next.get() < 0) {
      return fail("cannot listen on unix:" + std::string(path) + ": " +
                  std::generic_category().message(errno));
    }
    sockets.push_back(std::move(next));
  }
  return sockets;
}

/// `[::]:PORT` where the kernel was started without IPv6: every address that there is.
std::string without_missing_family(const std::string& listen) {
  constexpr std::string_view every = "[::]:";
  if (!listen.starts_with(every)) return listen;
  const Socket probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool missing = probe.get() < 0 && errno == EAFNOSUPPORT;
  return missing ? "0.0.0.0:" + listen.substr(every.size()) : listen;
}

/// One listening socket per loop on the same port. SO_REUSEPORT would let a second process of the
/// same user share the port unnoticed, so the first bind is made without it.
Result<std::vector<Socket>> open_listeners(const std::string& listen, std::size_t count) {
  if (const auto path = unix_path(listen)) return share_passed(*path, count);
  auto address = parse_address(without_missing_family(listen));
  if (!address) return tl::unexpected(address.error());
  auto first = bind_socket(*address, listen, false);
  if (!first) return tl::unexpected(first.error());
  ::getsockname(first->get(), reinterpret_cast<sockaddr*>(&address->storage), &address->size);
  std::vector<Socket> sockets;
  sockets.push_back(std::move(*first));
  const int on = 1;
  if (count > 1) ::setsockopt(sockets[0].get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  while (sockets.size() < count) {
    auto next = bind_socket(*address, listen, true);
    if (!next) return tl::unexpected(next.error());
    sockets.push_back(std::move(*next));
  }
  for (const auto& socket : sockets) {
    if (::listen(socket.get(), backlog) != 0) {
      return fail("cannot listen on " + listen + ": " + std::generic_category().message(errno));
    }
  }
  return sockets;
}

std::uint16_t port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  if (address.ss_family != AF_INET6 && address.ss_family != AF_INET) return 0;
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

struct Server::State {
  State(const Limits& limits, const std::shared_ptr<observe::Budget>& budget)
      : shared(limits, budget) {}

  Shared shared;
  std::optional<TlsFiles> tls_files;
  std::uint16_t port = 0;
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<std::thread> threads;

  void stop() {
    for (const auto& loop : loops) loop->stop();
    for (auto& thread : threads) thread.join();
    threads.clear();
  }
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}
Server::~Server() {
  if (state_) state_->stop();
}

Result<Server> Server::start(ServerOptions options, Handler handler) {
  return start(std::move(options), everybody(std::move(handler)));
}

Result<Server> Server::start(ServerOptions options, Admit admit) {
  const auto threads = options.threads > 0 ? static_cast<std::size_t>(options.threads)
                                           : std::max(1U, std::thread::hardware_concurrency());
  auto sockets = open_listeners(options.listen, threads);
  if (!sockets) return tl::unexpected(sockets.error());
  if (!options.budget) options.budget = std::make_shared<observe::Budget>(default_budget);
  auto state = std::make_unique<State>(options.limits, options.budget);
  state->shared.admit = std::move(admit);
  state->shared.trusted = options.trusted ? std::move(options.trusted) : nobody;
  state->shared.refuse = options.refuse ? std::move(options.refuse) : plain_problem;
  state->tls_files = std::move(options.tls);
  state->shared.secure = state->tls_files.has_value();
  state->shared.passed = unix_path(options.listen).has_value();
  state->port = port_of(sockets->front().get());
  Server server(std::move(state));
  if (server.state_->tls_files) {
    if (auto loaded = server.reload_tls(); !loaded) return tl::unexpected(loaded.error());
  }
  for (auto& socket : *sockets) {
    server.state_->loops.push_back(std::make_unique<Loop>(server.state_->shared, socket.release()));
  }
  auto& loops = server.state_->loops;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    loops[i]->join(*loops[(i + 1) % loops.size()], loops.size() - 1);
  }
  server.state_->shared.accepting = server.state_->shared.listening = loops.size();
  for (const auto& loop : server.state_->loops) {
    server.state_->threads.emplace_back([raw = loop.get()] { raw->run(); });
    pthread_setname_np(server.state_->threads.back().native_handle(), "http");
  }
  return server;
}

std::uint16_t Server::port() const { return state_->port; }

std::size_t Server::connections() const { return state_->shared.connections; }

observe::ConnectionReadings Server::readings() const {
  const Shared& shared = state_->shared;
  return {.open = shared.connections,
          .limit = shared.limits.connections,
          .lasting = shared.lasting,
          .accepted = shared.accepted,
          .turned_away = shared.turned_away,
          .cut = shared.cut,
          .lives = shared.lives.read()};
}

Result<void> Server::reload_tls() {
  if (!state_->tls_files) return {};
  auto context = TlsContext::load(*state_->tls_files);
  if (!context) return tl::unexpected(context.error());
  const std::lock_guard lock(state_->shared.mutex);
  state_->shared.tls = std::move(*context);
  return {};
}

void Server::begin_to_leave() { state_->shared.leaving = true; }

std::size_t Server::drain(std::chrono::milliseconds deadline) {
  Shared& shared = state_->shared;
  const auto end = Loop::Clock::now() + deadline;
  shared.draining = true;
  for (const auto& loop : state_->loops) loop->drain();
  if (shared.passed) deafen();
  std::size_t cut = 0;
  {
    std::unique_lock lock(shared.mutex);
    shared.changed.wait_until(lock, end, [&] { return shared.accepting == 0 && shared.owed == 0; });
    cut = shared.owed;
  }
  // Whoever comes too late is still told so.
  if (!shared.passed) deafen();
  std::unique_lock lock(shared.mutex);
  shared.changed.wait_for(lock, last_words,
                          [&] { return shared.listening == 0 && shared.connections <= cut; });
  lock.unlock();
  state_->stop();
  return cut;
}

void Server::deafen() {
  for (const auto& loop : state_->loops) loop->deafen();
}

}  // namespace caisson::http

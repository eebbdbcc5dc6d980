#include "conformance/wire/connection.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace caisson::conformance {
namespace {

int remaining_ms(Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

/// True when the socket is ready for `events`; false at the deadline.
bool wait_for(int socket, short events, Deadline deadline) {
  for (;;) {
    pollfd entry{.fd = socket, .events = events, .revents = 0};
    const int ready = poll(&entry, 1, remaining_ms(deadline));
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) return true;  // the operation itself will say what is wrong
  }
}

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

Result<Address> address_of(const Endpoint& endpoint) {
  Address address;
  if (!endpoint.socket.empty()) {
    auto* local = reinterpret_cast<sockaddr_un*>(&address.bytes);
    if (endpoint.socket.size() >= sizeof local->sun_path)
      return fail("the path of a socket is longer than " + std::to_string(sizeof local->sun_path) +
                  " bytes");
    local->sun_family = AF_UNIX;
    endpoint.socket.copy(local->sun_path, endpoint.socket.size());
    address.size = sizeof *local;
    return address;
  }
  const std::string host = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.bytes);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.bytes);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    address.size = sizeof *v4;
  } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    address.size = sizeof *v6;
  } else {
    return fail("'" + endpoint.host + "' is not a numeric address");
  }
  return address;
}

tl::unexpected<Failure> system_failure(const std::string& what) {
  return fail(what + ": " + std::strerror(errno));
}

/// OpenSSL writes without MSG_NOSIGNAL: while this is there, a peer that has closed is an error of
/// this thread's call, and no SIGPIPE that ends the program.
class WithoutBrokenPipes {
 public:
  WithoutBrokenPipes() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  WithoutBrokenPipes(const WithoutBrokenPipes&) = delete;
  WithoutBrokenPipes& operator=(const WithoutBrokenPipes&) = delete;
  ~WithoutBrokenPipes() {
    const int error = errno;
    const timespec now{};
    if (sigismember(&before_, SIGPIPE) == 0) sigtimedwait(&pipe_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

}  // namespace

struct Connection::Tls {
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context{SSL_CTX_new(TLS_client_method()),
                                                       SSL_CTX_free};
  std::unique_ptr<SSL, void (*)(SSL*)> session{SSL_new(context.get()), SSL_free};

  /// Runs one TLS operation to its end: its result, 0 when the peer closed, or -1 with a reason.
  template <class Operation>
  int run(int socket, Deadline deadline, std::string& reason, Operation operation) const {
    const WithoutBrokenPipes guard;
    for (;;) {
      ERR_clear_error();
      const int result = operation(session.get());
      if (result > 0) return result;
      switch (SSL_get_error(session.get(), result)) {
        case SSL_ERROR_WANT_READ:
          if (wait_for(socket, POLLIN, deadline)) continue;
          reason = "no answer in time";
          return -1;
        case SSL_ERROR_WANT_WRITE:
          if (wait_for(socket, POLLOUT, deadline)) continue;
          reason = "not accepted in time";
          return -1;
        case SSL_ERROR_ZERO_RETURN:
          return 0;
        default:
          reason = "TLS failed";
          if (const char* text = ERR_reason_error_string(ERR_peek_error())) reason = text;
          if (const long why = SSL_get_verify_result(session.get()); why != X509_V_OK)
            reason += std::string(": ") + X509_verify_cert_error_string(why);
          return -1;
      }
    }
  }
};

Connection::Connection() = default;
Connection::Connection(Connection&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), tls_(std::move(other.tls_)) {}
Connection& Connection::operator=(Connection&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(tls_, other.tls_);
  return *this;
}
Connection::~Connection() {
  tls_.reset();
  if (socket_ >= 0) close(socket_);
}

Result<Connection> Connection::open(const Endpoint& endpoint, Deadline deadline) {
  const auto address = address_of(endpoint);
  if (!address) return tl::unexpected(address.error());
  Connection connection;
  connection.socket_ =
      socket(address->bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection.socket_ < 0) return system_failure("cannot make a socket");
  const int on = 1;  // means nothing to a Unix socket, and does no harm
  setsockopt(connection.socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto* target = reinterpret_cast<const sockaddr*>(&address->bytes);
  if (connect(connection.socket_, target, address->size) != 0) {
    if (errno != EINPROGRESS) return system_failure("cannot connect to " + endpoint.text());
    if (!wait_for(connection.socket_, POLLOUT, deadline)) {
      return fail("cannot connect to " + endpoint.text() + " in time");
    }
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection.socket_, SOL_SOCKET, SO_ERROR, &error, &size);
    errno = error;
    if (error != 0) return system_failure("cannot connect to " + endpoint.text());
  }
  if (!endpoint.tls) return connection;

  connection.tls_ = std::make_unique<Tls>();
  SSL* session = connection.tls_->session.get();
  if (session == nullptr) return fail("cannot make a TLS session");
  if (!endpoint.ca_file.empty()) {
    if (SSL_CTX_load_verify_locations(connection.tls_->context.get(), endpoint.ca_file.c_str(),
                                      nullptr) != 1 ||
        SSL_set1_host(session, endpoint.server_name.c_str()) != 1) {
      return fail("cannot read certificates from " + endpoint.ca_file,
                  "give a file of certificates in PEM");
    }
    SSL_set_verify(session, SSL_VERIFY_PEER, nullptr);
  }
  SSL_set_fd(session, connection.socket_);
  if (!endpoint.server_name.empty()) {
    SSL_set_tlsext_host_name(session, endpoint.server_name.c_str());
  }
  std::string reason = "closed by the peer";
  if (connection.tls_->run(connection.socket_, deadline, reason, SSL_connect) <= 0) {
    return fail("no TLS with " + endpoint.text() + ": " + reason);
  }
  return connection;
}

Result<void> Connection::send(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    std::ptrdiff_t sent = 0;
    if (tls_) {
      std::string reason = "closed by the peer";
      sent = tls_->run(socket_, deadline, reason, [&](SSL* session) {
        return SSL_write(session, bytes.data(),
                         static_cast<int>(std::min<std::size_t>(bytes.size(), 16384)));
      });
      if (sent <= 0) return fail("cannot send: " + reason);
    } else {
      // As a client over a real network: of 64 KiB at once over the loopback, what has no place in
      // a small receive buffer is dropped, and sent again after 200 ms.
      sent =
          ::send(socket_, bytes.data(), std::min<std::size_t>(bytes.size(), 16384), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno == EAGAIN) {
        if (!wait_for(socket_, POLLOUT, deadline)) return fail("cannot send in time");
        continue;
      }
      if (sent < 0) return system_failure("cannot send");
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<std::size_t> Connection::receive(char* data, std::size_t size, Deadline deadline) {
  if (tls_) {
    std::string reason;
    const int got = tls_->run(socket_, deadline, reason, [&](SSL* session) {
      return SSL_read(session, data, static_cast<int>(std::min<std::size_t>(size, 1 << 20)));
    });
    if (got < 0) return fail("cannot receive: " + reason);
    return static_cast<std::size_t>(got);
  }
  for (;;) {
    const std::ptrdiff_t got = recv(socket_, data, size, 0);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return system_failure("cannot receive");
    if (!wait_for(socket_, POLLIN, deadline)) return fail("no answer in time");
  }
}

void Connection::finish_sending() {
  if (!tls_) shutdown(socket_, SHUT_WR);
}

}  // namespace caisson::conformance

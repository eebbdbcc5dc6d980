#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace caisson::client {

struct Authority {
  std::string host;  ///< without the brackets of an IPv6 address; or the path of a Unix socket
  std::string port;  ///< empty of a Unix socket
};

/// Takes `host:port`, `host` or `[address]:port` apart.
[[nodiscard]] Authority split(std::string_view text, std::string_view default_port);

/// Where a listener of this machine is reached: a wildcard address is asked over loopback,
/// `unix:/path` at its path.
[[nodiscard]] Authority reachable(std::string_view listen);

/// A TCP or Unix connection that closes itself; false when none could be made. Sending and
/// receiving give up after `patience`.
class Connection {
 public:
  Connection(const Authority& at, std::chrono::seconds patience);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  explicit operator bool() const { return connected_; }
  [[nodiscard]] int get() const { return socket_; }

 private:
  void attempt(int family, const sockaddr* address, socklen_t size, std::chrono::seconds patience);
  void reset();

  int socket_ = -1;
  bool connected_ = false;
};

}  // namespace caisson::client

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace caisson::conformance {

/// The moment after which an operation gives up. Everything on the wire is bounded by one.
using Deadline = std::chrono::steady_clock::time_point;

[[nodiscard]] inline Deadline within(std::chrono::milliseconds span) {
  return std::chrono::steady_clock::now() + span;
}

/// Where to connect to: a Unix socket, or a port of `host`, a numeric address (v4 or v6) or
/// "localhost".
struct Endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  bool tls = false;
  std::string server_name{};  ///< for TLS: what the certificate is asked for
  std::string ca_file{};      ///< for TLS: who may have signed it; empty: nobody looks
  std::string socket{};       ///< absolute path of a Unix socket, instead of host and port

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
  /// For people.
  [[nodiscard]] std::string text() const { return socket.empty() ? authority() : "unix:" + socket; }
  /// For the field `Host` of a request to the listener itself.
  [[nodiscard]] std::string authority() const {
    return socket.empty() ? host + ":" + std::to_string(port) : "localhost";
  }
};

/// One connection, with TLS when the endpoint says so. Without a `ca_file` the certificate is not
/// verified: the edge of a stack that the harness started has one of its own making. Owns the
/// socket; bytes go out exactly as given.
class Connection {
 public:
  [[nodiscard]] static Result<Connection> open(const Endpoint& endpoint, Deadline deadline);

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  [[nodiscard]] Result<void> send(std::string_view bytes, Deadline deadline);
  /// Up to `size` bytes; 0 when the peer has closed.
  [[nodiscard]] Result<std::size_t> receive(char* data, std::size_t size, Deadline deadline);
  /// Tells the peer that nothing more will be sent (not with TLS).
  void finish_sending();

 private:
  struct Tls;
  Connection();

  int socket_ = -1;
  std::unique_ptr<Tls> tls_;
};

}  // namespace caisson::conformance

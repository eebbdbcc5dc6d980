#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/observe/budget.h"

namespace caisson::http {

class SocketHandler;

/// One field line; the name is as received (compare without case), the value without surrounding
/// blanks.
struct Field {
  std::string_view name;
  std::string_view value;
};

/// A request that has passed the strict guard (RFC 9110, 9112): exactly one Host, at most one
/// framing, origin-form target, no control characters. Views point into the buffers of the request
/// itself.
struct Request {
  std::string head;  ///< the bytes that the views below look into
  std::string_view method;
  std::string_view path;   ///< target up to '?', still percent-encoded
  std::string_view query;  ///< after '?', still percent-encoded
  std::string_view host;   ///< host without port, lower-cased by the guard
  std::vector<Field> fields;
  std::string body;
  std::string peer;  ///< address of the peer, without port; "unix" over a Unix socket
  bool tls = false;
  observe::Charge charge;  ///< for the bytes of head and body, once somebody pays for them

  Request() = default;
  Request(Request&&) noexcept = default;
  Request& operator=(Request&&) noexcept = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request() = default;

  /// The value of the only field with this name (ASCII case-insensitive); empty view with a null
  /// `data()` when there is none or more than one. `count` tells how often it was sent.
  [[nodiscard]] std::string_view field(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
};

struct Response {
  int status = 200;
  /// Without Content-Length, Transfer-Encoding, Connection and Date, which the server writes
  /// itself.
  std::vector<std::pair<std::string, std::string>> fields{};
  std::string body{};
  bool close = false;  ///< close the connection after this response
  /// With status 101 alone: the connection is a WebSocket from here on (handshake.h).
  std::shared_ptr<SocketHandler> socket{};
  /// For the bytes of the body; without one the connection charges whoever paid for the request.
  observe::Charge charge{};
  /// Let go when the answer has been handed to the kernel, or cannot be any more.
  std::shared_ptr<void> lease{};
};

}  // namespace caisson::http

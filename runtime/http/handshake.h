#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "runtime/http/head.h"
#include "runtime/http/message.h"
#include "runtime/http/socket.h"

namespace caisson::http {

/// A request to open a WebSocket (RFC 6455, section 4.2.1) that is right in every part.
struct SocketHandshake {
  std::string_view key;
  std::vector<std::string_view> protocols;  ///< as offered, at most 16
};

/// Whether the request wants another protocol on its connection; what follows it is then not read
/// before it is answered.
[[nodiscard]] bool asks_to_upgrade(const Request& request);

/// The error is 426 `upgrade-required` (no upgrade, another protocol, another version; answer with
/// `Upgrade: websocket` and `Sec-WebSocket-Version: 13`) or 400 `malformed-request`.
[[nodiscard]] tl::expected<SocketHandshake, Refused> read_handshake(const Request& request);

/// The 101 that opens the socket; `protocol` is one of those offered, or empty.
[[nodiscard]] Response accept_socket(const SocketHandshake& handshake,
                                     std::shared_ptr<SocketHandler> handler,
                                     std::string_view protocol = {});

}  // namespace caisson::http

#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string_view>

namespace caisson::http {

/// The server's bounds. Every buffer and every wait of a connection is covered by one of them.
struct Limits {
  std::size_t header = 16384;       ///< bytes of request line and fields
  std::size_t body = 1048576;       ///< bytes of a body after chunked decoding
  std::size_t connections = 10000;  ///< one more closes the idlest, or is answered 503
  std::size_t pipeline = 64;        ///< requests of one connection that wait for their response
  /// For listeners of which few ask, and briefly: where a connection or its answer has no place,
  /// one closes that waits for its peer, be it amid a head or an answer: the oldest of the peer
  /// that has most of them.
  bool oldest_out = false;
  std::chrono::milliseconds header_timeout{10000};  ///< first byte to end of head
  /// End of head to end of body; a peer that takes neither all that waits nor 64 KiB of it.
  std::chrono::milliseconds body_timeout{30000};
  std::chrono::milliseconds idle_timeout{60000};     ///< between requests
  std::chrono::milliseconds request_timeout{30000};  ///< end of body to response; then 504

  std::size_t socket_message = std::size_t{64} << 10;  ///< bytes of a WebSocket's incoming message
  std::size_t socket_unsent = std::size_t{64} << 10;   ///< then its handler is asked for no more
  std::chrono::milliseconds socket_ping_interval{20000};  ///< of silence before a ping
  std::chrono::milliseconds socket_pong_timeout{10000};   ///< ping to any byte of the peer
  std::chrono::milliseconds socket_close_timeout{5000};   ///< our close frame to the peer's

  /// Connections of one peer that is no trusted proxy: one alone cannot keep everybody else out.
  [[nodiscard]] std::size_t peer_connections() const {
    constexpr std::size_t least = 16;
    return std::max(connections / 2, least);
  }
};

/// Bytes that the kernel keeps unsent of one connection.
inline constexpr int kernel_unsent = 16 * 1024;

/// Bytes asked for as SO_RCVBUF, of which the kernel takes twice as many: just enough for a segment
/// of the loopback device, which has 64 KiB. Into less none fits, and each is sent again after 200
/// and 400 milliseconds. While a body is read it is more, so that a body comes as fast over a long
/// way.
inline constexpr int receive_buffer = 32 * 1024;
inline constexpr int receive_buffer_of_body = 128 * 1024;
/// What the kernel then keeps unread of one connection, with what came before it was told so:
/// measured with writes of 1 byte to 200 kB, on loopback, it is 64 to 80 KiB.
inline constexpr int kernel_unread = 96 * 1024;

/// A request that the server answers by itself: what the guard refused, a deadline, a dropped
/// reply.
struct Refusal {
  int status = 400;
  std::string_view code;    ///< problem code of docs/runtime.md, for example "malformed-request"
  std::string_view detail;  ///< one lower-case sentence without any byte of the request
  std::string_view peer;
};

}  // namespace caisson::http

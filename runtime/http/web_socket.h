#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/http/limits.h"
#include "runtime/http/socket.h"

namespace caisson::http {

/// The protocol of one WebSocket (RFC 6455) as a filter between bytes and a handler's messages:
/// keep-alive, the close handshake and their deadlines. It does no I/O itself; what is to be sent
/// is appended to `out`.
class WebSocket {
 public:
  using Clock = std::chrono::steady_clock;

  WebSocket(std::shared_ptr<SocketHandler> handler, std::shared_ptr<SocketWaker> waker,
            const Limits& limits);
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;
  ~WebSocket();

  void receive(std::string_view bytes, std::string& out);
  /// Appends messages while less than `Limits::socket_unsent` bytes wait, `unsent` of which wait
  /// already. True when there may be more.
  bool pull(std::string& out, std::size_t unsent);
  /// Begins the close handshake, unless it has begun.
  void close(const SocketClose& why, std::string& out);
  /// Sends what is due. False when the peer has let a deadline pass: nothing more can be said.
  [[nodiscard]] bool tick(Clock::time_point now, std::string& out);

  /// All is said on both sides.
  [[nodiscard]] bool over() const { return state_ == State::over; }
  [[nodiscard]] std::size_t buffered() const { return parser_.buffered(); }

 private:
  enum class State : std::uint8_t { open, closing, over };

  void take(FrameParser::Event event, std::string& out);
  void answer_close(std::string& out);
  void end(std::uint16_t code);

  const std::shared_ptr<SocketHandler> handler_;
  const Limits& limits_;
  FrameParser parser_;
  State state_ = State::open;
  bool told_ = false;                       ///< the handler knows that it is over
  bool pinged_ = false;                     ///< and nothing came since
  Clock::time_point heard_ = Clock::now();  ///< the peer's last bytes, or our ping
  Clock::time_point close_by_{};
};

}  // namespace caisson::http

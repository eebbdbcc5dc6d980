#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/http/frame.h"

namespace caisson::http {

/// Tells a WebSocket, from any thread, that its handler has something to say.
class SocketWaker {
 public:
  SocketWaker() = default;
  SocketWaker(const SocketWaker&) = delete;
  SocketWaker& operator=(const SocketWaker&) = delete;
  virtual ~SocketWaker() = default;
  /// `SocketHandler::next` is asked soon, once for any number of calls. Never blocks; nothing
  /// happens when the connection is gone.
  virtual void wake() noexcept = 0;
};

/// Our end of one WebSocket. Messages are pulled from it as the peer takes them, so nothing piles
/// up for a slow peer. Called on the connection's event loop alone; must not throw and must not
/// block. A `Response` of status 101 carries one.
class SocketHandler {
 public:
  SocketHandler() = default;
  SocketHandler(const SocketHandler&) = delete;
  SocketHandler& operator=(const SocketHandler&) = delete;
  virtual ~SocketHandler() = default;

  /// The handshake is through. Once, before anything else.
  virtual void opened(std::shared_ptr<SocketWaker> waker) = 0;
  /// The next text to send; none: nothing for now, the waker says when there is.
  [[nodiscard]] virtual std::optional<std::string> next() = 0;
  /// Why the conversation has to end now, if it has to. Asked before every `next` that follows a
  /// wake-up, and every 100 ms or so.
  [[nodiscard]] virtual std::optional<SocketClose> ending() = 0;
  /// A whole message; what is returned ends the conversation.
  [[nodiscard]] virtual std::optional<SocketClose> message(std::string_view bytes, bool text) = 0;
  /// It is over: the code of the first close frame that was sent or received, 1006 without one.
  /// Once.
  virtual void closed(std::uint16_t code) noexcept = 0;
};

}  // namespace caisson::http

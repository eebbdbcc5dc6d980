#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "conformance/wire/http.h"

namespace caisson::conformance {

/// The client's end of a WebSocket (RFC 6455), as far as probes need it: the handshake as it is
/// given, then whole frames.
class WebSocket {
 public:
  struct Frame {
    enum class Kind : std::uint8_t { text, close, other };
    Kind kind = Kind::other;
    std::string payload{};   ///< of a close frame: its reason
    std::uint16_t code = 0;  ///< of a close frame; 1005 when it has none
  };

  /// Sends `request` with the fields of a handshake and reads the answer; `opened` tells whether it
  /// was 101.
  [[nodiscard]] static Result<WebSocket> open(const Endpoint& endpoint, HttpRequest request,
                                              Deadline deadline);

  [[nodiscard]] const HttpResponse& answer() const { return answer_; }
  [[nodiscard]] bool opened() const { return answer_.status == 101; }

  /// The next frame that is no ping; pings are answered. Fails when none comes in time or the
  /// connection ends without a close frame.
  [[nodiscard]] Result<Frame> read(Deadline deadline);
  /// The code of the close frame, whatever comes before it; 0 when none comes in time.
  [[nodiscard]] std::uint16_t close_code(Deadline deadline);
  /// Sends a close frame; the connection ends when this is destroyed.
  void close(Deadline deadline);

 private:
  WebSocket(HttpConnection connection, HttpResponse answer)
      : connection_(std::move(connection)), answer_(std::move(answer)) {}
  [[nodiscard]] Result<void> need(std::size_t bytes, Deadline deadline);
  [[nodiscard]] Result<void> send(std::uint8_t opcode, std::string_view payload, Deadline deadline);

  HttpConnection connection_;
  HttpResponse answer_;
  std::string buffer_;
};

}  // namespace caisson::conformance

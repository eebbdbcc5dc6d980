#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/http/frame.h"
#include "runtime/http/test_client.h"

namespace caisson::http {

/// The fields of a WebSocket's handshake, as a browser sends them.
inline constexpr std::string_view handshake_fields =
    "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// The client's end of a WebSocket, for tests: says exactly what it is told to, also what no client
/// may say.
class TestSocket {
 public:
  struct Frame {
    Opcode opcode = Opcode::text;
    std::string payload;
    std::uint16_t code = 0;  ///< of a close frame
  };

  /// Sends `request`, handshake fields included, and reads its answer.
  TestSocket(std::uint16_t port, std::string_view request);

  [[nodiscard]] const TestClient::Answer& answer() const { return answer_; }
  bool send(Opcode opcode, std::string_view payload = {});
  bool send_raw(std::string_view bytes, std::size_t piece = 0) {
    return client_.send(bytes, piece);
  }
  /// The next frame; nothing when the server has closed or nothing came in time.
  [[nodiscard]] std::optional<Frame> receive();
  /// The payload of the next frame, which must be a text; empty for anything else.
  [[nodiscard]] std::string text();
  /// Everything up to the close frame is skipped; 0 when the connection ends without one.
  [[nodiscard]] std::uint16_t close_code();
  [[nodiscard]] bool closed() { return client_.closed(); }

 private:
  TestClient client_;
  TestClient::Answer answer_;
  std::string received_;
};

/// A frame as a client sends it.
[[nodiscard]] std::string client_frame(Opcode opcode, std::string_view payload);

}  // namespace caisson::http

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "base/utf8.h"

namespace caisson::http {

/// RFC 6455, section 5.2.
enum class Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

/// Why a WebSocket ends (RFC 6455, section 7.4); codes from 4000 on are the application's.
struct SocketClose {
  std::uint16_t code = 0;
  std::string reason{};  ///< UTF-8, at most 123 bytes; longer ones are cut

  static constexpr std::uint16_t normal = 1000;
  static constexpr std::uint16_t going_away = 1001;
  static constexpr std::uint16_t protocol_error = 1002;
  static constexpr std::uint16_t unsupported = 1003;
  static constexpr std::uint16_t no_code = 1005;   ///< never on the wire: a close without a code
  static constexpr std::uint16_t abnormal = 1006;  ///< never on the wire: no close was received
  static constexpr std::uint16_t invalid_text = 1007;
  static constexpr std::uint16_t too_big = 1009;
  static constexpr std::uint16_t internal = 1011;
  static constexpr std::uint16_t try_later = 1013;
};

/// The frames of one client, taken apart strictly: masked, no extension's bits, lengths in their
/// shortest form, control frames whole and short, text that is UTF-8 to its last fragment. Fed with
/// pieces of any size: how the bytes are cut never changes what is understood. What it refuses is
/// refused for good. Keeps at most one message of `limit` bytes and one control frame.
class FrameParser {
 public:
  enum class Event : std::uint8_t { none, text, binary, ping, pong, close, failed };

  explicit FrameParser(std::size_t limit) : limit_(limit) {}

  /// Takes from the front of `input` until it is empty or something is whole: a message with all
  /// its fragments, or a control frame.
  Event feed(std::string_view& input);

  /// What the last event brought: the message, or the payload of the control frame. Until the next
  /// `feed`.
  [[nodiscard]] const std::string& payload() const { return control() ? control_ : message_; }
  [[nodiscard]] const SocketClose& failure() const { return failure_; }

  /// Bytes of unfinished messages that are kept.
  [[nodiscard]] std::size_t buffered() const { return message_.size() + control_.size(); }

 private:
  Event fail(std::uint16_t code, std::string_view reason);
  [[nodiscard]] bool control() const { return (opcode_ & 8U) != 0; }
  [[nodiscard]] std::size_t header_size() const;
  bool check_opening();
  bool begin_payload();
  Event take_payload(std::string_view& input);
  Event finish_frame();
  void forget();

  const std::size_t limit_;
  std::array<std::uint8_t, 14> header_{};
  std::size_t header_have_ = 0;
  bool in_payload_ = false;
  bool whole_ = false;  ///< the last event's payload has been given out
  bool failed_ = false;

  std::uint8_t opcode_ = 0;    ///< of the current frame
  std::uint8_t fragment_ = 0;  ///< opcode of the unfinished message; 0: there is none
  std::uint64_t missing_ = 0;  ///< bytes of the current payload
  std::size_t mask_at_ = 0;
  std::string message_;
  std::string control_;
  Utf8Validator utf8_;
  SocketClose failure_;
};

/// What a close frame says; without a payload its code is `no_code`. The error is the close to
/// answer with: half a code, a code that must not be sent, a reason that is not UTF-8.
[[nodiscard]] tl::expected<SocketClose, SocketClose> read_close(std::string_view payload);

/// Appends one whole frame; with `mask` as a client sends it.
void append_frame(std::string& out, Opcode opcode, std::string_view payload,
                  std::optional<std::array<std::uint8_t, 4>> mask = {});
void append_close(std::string& out, const SocketClose& close);

}  // namespace caisson::http

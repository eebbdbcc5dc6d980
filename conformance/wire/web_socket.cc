#include "conformance/wire/web_socket.h"

#include <array>

namespace caisson::conformance {
namespace {

constexpr std::uint8_t text_opcode = 1;
constexpr std::uint8_t close_opcode = 8;
constexpr std::uint8_t ping_opcode = 9;
constexpr std::uint8_t pong_opcode = 10;
constexpr std::size_t largest_frame = 1 << 20;

}  // namespace

Result<WebSocket> WebSocket::open(const Endpoint& endpoint, HttpRequest request,
                                  Deadline deadline) {
  auto connection = HttpConnection::open(endpoint, deadline);
  if (!connection) return tl::unexpected(connection.error());
  for (const auto& [name, value] :
       {std::pair("Connection", "Upgrade"), std::pair("Upgrade", "websocket"),
        std::pair("Sec-WebSocket-Version", "13"),
        std::pair("Sec-WebSocket-Key", "Y2Fpc3Nvbi1jb25mb3JtYQ==")}) {
    request.headers.emplace_back(name, value);
  }
  auto answer = connection->exchange(request, deadline);
  if (!answer) return tl::unexpected(answer.error());
  return WebSocket(std::move(*connection), std::move(*answer));
}

Result<void> WebSocket::need(std::size_t bytes, Deadline deadline) {
  while (buffer_.size() < bytes) {
    const auto some = connection_.read_some(deadline);
    if (!some) return tl::unexpected(some.error());
    if (some->empty()) return fail("the connection ended without a close frame");
    buffer_ += *some;
  }
  return {};
}

Result<WebSocket::Frame> WebSocket::read(Deadline deadline) {
  const auto byte = [this](std::size_t at) { return static_cast<std::uint8_t>(buffer_[at]); };
  for (;;) {
    if (auto fed = need(2, deadline); !fed) return tl::unexpected(fed.error());
    const std::uint8_t opcode = byte(0) & 0x0fU;
    std::size_t header = 2;
    std::size_t size = byte(1);  // a server does not mask
    if (size > 127) return fail("a frame of the server is masked");
    if (size >= 126) {
      header += size == 126 ? 2 : 8;
      if (auto fed = need(header, deadline); !fed) return tl::unexpected(fed.error());
      size = 0;
      for (std::size_t i = 2; i < header; ++i) size = size << 8U | byte(i);
    }
    if (size > largest_frame) return fail("a frame is larger than the harness reads");
    if (auto fed = need(header + size, deadline); !fed) return tl::unexpected(fed.error());
    Frame frame{.payload = buffer_.substr(header, size)};
    buffer_.erase(0, header + size);
    if (opcode == ping_opcode) {
      if (auto sent = send(pong_opcode, frame.payload, deadline); !sent) {
        return tl::unexpected(sent.error());
      }
      continue;
    }
    if (opcode == text_opcode) frame.kind = Frame::Kind::text;
    if (opcode == close_opcode) {
      frame.kind = Frame::Kind::close;
      frame.code = 1005;
      if (size >= 2) {
        frame.code = static_cast<std::uint16_t>(static_cast<std::uint8_t>(frame.payload[0]) << 8U |
                                                static_cast<std::uint8_t>(frame.payload[1]));
        frame.payload.erase(0, 2);
      }
    }
    return frame;
  }
}

std::uint16_t WebSocket::close_code(Deadline deadline) {
  for (;;) {
    const auto frame = read(deadline);
    if (!frame) return 0;
    if (frame->kind == Frame::Kind::close) return frame->code;
  }
}

void WebSocket::close(Deadline deadline) {
  // A peer that is gone needs no farewell.
  static_cast<void>(send(close_opcode, "\x03\xe8", deadline));
}

Result<void> WebSocket::send(std::uint8_t opcode, std::string_view payload, Deadline deadline) {
  // The mask protects proxies from a page's script; the harness has none, so any will do.
  constexpr std::array<std::uint8_t, 4> mask{0x5a, 0x0f, 0xc3, 0x99};
  std::string frame{static_cast<char>(0x80U | opcode),
                    static_cast<char>(0x80U | payload.size())};  // at most 125 bytes
  frame.append(reinterpret_cast<const char*>(mask.data()), mask.size());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame += static_cast<char>(static_cast<std::uint8_t>(payload[i]) ^ mask[i % mask.size()]);
  }
  return connection_.send(frame, deadline);
}

}  // namespace caisson::conformance

#include "runtime/http/test_socket.h"

#include <stdexcept>

namespace caisson::http {

TestSocket::TestSocket(std::uint16_t port, std::string_view request) : client_(port) {
  auto answer = client_.ask(request);
  if (!answer) throw std::runtime_error("the handshake was not answered");
  answer_ = std::move(*answer);
}

bool TestSocket::send(Opcode opcode, std::string_view payload) {
  return client_.send(client_frame(opcode, payload));
}

std::optional<TestSocket::Frame> TestSocket::receive() {
  const auto have = [this](std::size_t bytes) {
    while (received_.size() < bytes) {
      if (!client_.receive_some(received_)) return false;
    }
    return true;
  };
  const auto byte = [this](std::size_t at) { return static_cast<std::uint8_t>(received_[at]); };
  if (!have(2)) return {};
  std::size_t header = 2;
  std::size_t size = byte(1);  // a server's frame has no mask
  if (size >= 126) {
    header += size == 126 ? 2 : 8;
    if (!have(header)) return {};
    size = 0;
    for (std::size_t i = 2; i < header; ++i) size = size << 8U | byte(i);
  }
  if (!have(header + size)) return {};
  Frame frame{.opcode = static_cast<Opcode>(byte(0) & 0x0fU),
              .payload = received_.substr(header, size)};
  if (frame.opcode == Opcode::close) {
    frame.code = size < 2 ? SocketClose::no_code
                          : static_cast<std::uint16_t>(byte(header) << 8U | byte(header + 1));
    frame.payload.erase(0, 2);
  }
  received_.erase(0, header + size);
  return frame;
}

std::string TestSocket::text() {
  auto frame = receive();
  return frame && frame->opcode == Opcode::text ? std::move(frame->payload) : std::string();
}

std::uint16_t TestSocket::close_code() {
  while (const auto frame = receive()) {
    if (frame->opcode == Opcode::close) return frame->code;
  }
  return 0;
}

std::string client_frame(Opcode opcode, std::string_view payload) {
  std::string out;
  append_frame(out, opcode, payload, std::array<std::uint8_t, 4>{0x12, 0xa4, 0x00, 0xff});
  return out;
}

}  // namespace caisson::http

#include "runtime/http/test_client.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/http/text.h"

namespace caisson::http {
namespace {

constexpr timeval patience{.tv_sec = 20, .tv_usec = 0};

}  // namespace

std::string TestClient::Answer::field(std::string_view name) const {
  for (const auto& [own, value] : fields) {
    if (same_name(own, name)) return value;
  }
  return {};
}

TestClient::TestClient(std::uint16_t port, std::uint32_t from)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (from != 0) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(from);
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof(own)) != 0)
      throw std::runtime_error("the test client cannot bind");
  }
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(socket_);
    throw std::runtime_error("the test client cannot connect");
  }
}

TestClient::~TestClient() {
  if (socket_ >= 0) ::close(socket_);
}

bool TestClient::send(std::string_view bytes, std::size_t piece) {
  while (!bytes.empty()) {
    const std::size_t size = piece == 0 ? bytes.size() : std::min(piece, bytes.size());
    const auto sent = ::send(socket_, bytes.data(), size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::uint32_t TestClient::sent_again() const {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (::getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    throw std::runtime_error("the kernel tells nothing of the test client");
  return info.tcpi_total_retrans;
}

void TestClient::shut_sending() { ::shutdown(socket_, SHUT_WR); }

bool TestClient::fill() {
  std::array<char, 65536> piece;
  const auto got = ::recv(socket_, piece.data(), piece.size(), 0);
  if (got <= 0) return false;
  buffer_.append(piece.data(), static_cast<std::size_t>(got));
  return true;
}

std::optional<TestClient::Answer> TestClient::receive(bool head_only) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return {};
  }
  Answer answer;
  answer.status = std::stoi(buffer_.substr(buffer_.find(' ') + 1, 3));
  for (std::size_t line = buffer_.find("\r\n") + 2; line < end;) {
    const std::size_t stop = buffer_.find("\r\n", line);
    const std::size_t colon = buffer_.find(": ", line);
    answer.fields.emplace_back(buffer_.substr(line, colon - line),
                               buffer_.substr(colon + 2, stop - colon - 2));
    line = stop + 2;
  }
  buffer_.erase(0, end + 4);
  const std::string length = answer.field("Content-Length");
  const std::size_t size = length.empty() || head_only ? 0 : std::stoul(length);
  while (buffer_.size() < size) {
    if (!fill()) return {};
  }
  answer.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return answer;
}

bool TestClient::closed() {
  if (!buffer_.empty()) return false;
  char byte = 0;
  const auto got = ::recv(socket_, &byte, 1, 0);
  return got == 0 || (got < 0 && errno == ECONNRESET);
}

bool TestClient::receive_some(std::string& into) {
  if (buffer_.empty() && !fill()) return false;
  into += std::exchange(buffer_, {});
  return true;
}

std::string TestClient::receive_all() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

}  // namespace caisson::http

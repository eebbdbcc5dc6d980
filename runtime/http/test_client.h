#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace caisson::http {

/// A raw TCP client for tests: sends exactly the bytes it is given and reads what comes back. Every
/// wait is bounded, so a server that hangs fails a test instead of stopping it.
class TestClient {
 public:
  struct Answer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;

    [[nodiscard]] std::string field(std::string_view name) const;
  };

  /// Connects from `from`, an address of the loopback network in host order; 0: whichever.
  explicit TestClient(std::uint16_t port, std::uint32_t from = 0);
  ~TestClient();
  TestClient(TestClient&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  TestClient& operator=(TestClient&&) = delete;

  /// False when the server has closed. Sends piece by piece, `piece` bytes in each segment.
  bool send(std::string_view bytes, std::size_t piece = 0);
  void shut_sending();

  /// The next response, also an interim one; nothing when the connection closed or nothing came in
  /// time. `head_only`: the response to HEAD, which has no body whatever its fields say.
  [[nodiscard]] std::optional<Answer> receive(bool head_only = false);
  /// True when the server closes without sending another byte.
  [[nodiscard]] bool closed();
  /// Appends what comes next to `into`; false when the server closes or is silent for too long.
  bool receive_some(std::string& into);
  /// Everything until the server closes or is silent for too long.
  [[nodiscard]] std::string receive_all();

  /// Segments that the kernel had to send again, because the other side did not take them.
  [[nodiscard]] std::uint32_t sent_again() const;

  /// Sends the bytes of one request and gives its response.
  [[nodiscard]] std::optional<Answer> ask(std::string_view request) {
    send(request);
    return receive();
  }

 private:
  bool fill();

  int socket_;
  std::string buffer_;
};

}  // namespace caisson::http

#include "runtime/health.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include <netdb.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace caisson::runtime {
namespace {

constexpr timeval patience{.tv_sec = 5, .tv_usec = 0};

/// Closes itself.
class Connected {
 public:
  Connected(const std::string& host, const std::string& port, int lookup_flags) {
    addrinfo hints{};
    hints.ai_flags = lookup_flags;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return;
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
    for (; found != nullptr && !connected_; found = found->ai_next) attempt(*found);
  }
  ~Connected() { reset(); }
  Connected(const Connected&) = delete;
  Connected& operator=(const Connected&) = delete;

  explicit operator bool() const { return connected_; }
  [[nodiscard]] int get() const { return socket_; }

 private:
  void attempt(const addrinfo& address) {
    reset();
    socket_ = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    connected_ = ::connect(socket_, address.ai_addr, address.ai_addrlen) == 0;
  }
  void reset() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  int socket_ = -1;
  bool connected_ = false;
};

std::string question(std::string_view host, std::string_view path) {
  std::string text = "GET ";
  text.append(path).append(" HTTP/1.1\r\nHost: ").append(host);
  return text.append("\r\nConnection: close\r\n\r\n");
}

/// The beginning of the answer; empty when there is none.
std::string ask(int socket, const std::string& question) {
  std::array<char, 64> answer;
  if (::send(socket, question.data(), question.size(), MSG_NOSIGNAL) < 0) return {};
  const auto got = ::recv(socket, answer.data(), answer.size(), 0);
  return got > 0 ? std::string(answer.data(), static_cast<std::size_t>(got)) : std::string();
}

std::string ask_over_tls(int socket, const std::string& question) {
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()),
                                                             SSL_CTX_free);
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context.get()), SSL_free);
  SSL_set_fd(ssl.get(), socket);
  std::array<char, 64> answer;
  if (SSL_connect(ssl.get()) != 1 ||
      SSL_write(ssl.get(), question.data(), static_cast<int>(question.size())) <= 0) {
    return {};
  }
  const int got = SSL_read(ssl.get(), answer.data(), answer.size());
  return got > 0 ? std::string(answer.data(), static_cast<std::size_t>(got)) : std::string();
}

struct Authority {
  std::string host;  ///< without the brackets of an IPv6 address
  std::string port;
};

Authority split(std::string_view text, std::string_view default_port) {
  std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && text.find(']', colon) != std::string_view::npos) {
    colon = std::string_view::npos;
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {
      .host = std::string(host),
      .port = std::string(colon == std::string_view::npos ? default_port : text.substr(colon + 1))};
}

}  // namespace

bool is_ready(const std::string& listen, bool tls) {
  Authority at = split(listen, "");
  if (at.host == "0.0.0.0") at.host = "127.0.0.1";
  if (at.host == "::") at.host = "::1";
  const Connected connected(at.host, at.port, AI_NUMERICHOST | AI_NUMERICSERV);
  if (!connected) return false;
  const std::string text = question("localhost", "/readyz");
  const std::string answer = tls ? ask_over_tls(connected.get(), text) : ask(connected.get(), text);
  return answer.starts_with("HTTP/1.1 200 ");
}

std::optional<bool> is_healthy(std::string_view url) {
  constexpr std::string_view http = "http://";
  constexpr std::string_view tcp = "tcp://";
  if (url.starts_with(tcp)) {
    const Authority at = split(url.substr(tcp.size()), "");
    if (at.host.empty() || at.port.empty()) return {};
    return static_cast<bool>(Connected(at.host, at.port, AI_NUMERICSERV));
  }
  if (!url.starts_with(http)) return {};
  url.remove_prefix(http.size());
  const std::size_t end = std::min(url.find('/'), url.size());
  const std::string_view authority = url.substr(0, end);
  const std::string_view path = end < url.size() ? url.substr(end) : "/";
  const Authority at = split(authority, "80");
  if (at.host.empty()) return {};
  const Connected connected(at.host, at.port, AI_NUMERICSERV);
  if (!connected) return false;
  const std::string answer = ask(connected.get(), question(authority, path));
  return answer.starts_with("HTTP/1.") && answer.size() > 9 && answer[9] == '2';
}

}  // namespace caisson::runtime

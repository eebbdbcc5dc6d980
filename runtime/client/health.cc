#include "runtime/client/health.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include <openssl/ssl.h>
#include <sys/socket.h>

#include "runtime/client/connection.h"

namespace caisson::client {
namespace {

constexpr auto patience = std::chrono::seconds(5);

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

}  // namespace

bool is_ready(const std::string& listen, bool tls) {
  const Authority at = reachable(listen);
  const Connection connected(at, patience);
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
    return static_cast<bool>(Connection(at, patience));
  }
  if (!url.starts_with(http)) return {};
  url.remove_prefix(http.size());
  const std::size_t end = std::min(url.find('/'), url.size());
  const std::string_view authority = url.substr(0, end);
  const std::string_view path = end < url.size() ? url.substr(end) : "/";
  const Authority at = split(authority, "80");
  if (at.host.empty()) return {};
  const Connection connected(at, patience);
  if (!connected) return false;
  const std::string answer = ask(connected.get(), question(authority, path));
  return answer.starts_with("HTTP/1.") && answer.size() > 9 && answer[9] == '2';
}

}  // namespace caisson::client

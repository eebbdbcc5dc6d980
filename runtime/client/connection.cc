#include "runtime/client/connection.h"

#include <algorithm>
#include <memory>

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace caisson::client {

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

Authority reachable(std::string_view listen) {
  constexpr std::string_view local = "unix:";
  if (listen.starts_with(local))
    return {.host = std::string(listen.substr(local.size())), .port = {}};
  Authority at = split(listen, "");
  // `::` listens to IPv4 as well, which the loopback interface always has.
  if (at.host == "0.0.0.0" || at.host == "::") at.host = "127.0.0.1";
  return at;
}

Connection::Connection(const Authority& at, std::chrono::seconds patience) {
  if (at.host.starts_with('/')) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    if (at.host.size() >= sizeof(address.sun_path)) return;
    std::ranges::copy(at.host, address.sun_path);
    attempt(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address), patience);
    return;
  }
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(at.host.c_str(), at.port.c_str(), &hints, &found) != 0) return;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  for (; found != nullptr && !connected_; found = found->ai_next) {
    attempt(found->ai_family, found->ai_addr, found->ai_addrlen, patience);
  }
}

void Connection::attempt(int family, const sockaddr* address, socklen_t size,
                         std::chrono::seconds patience) {
  reset();
  const timeval longest{.tv_sec = patience.count(), .tv_usec = 0};
  socket_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof(longest));
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof(longest));
  connected_ = ::connect(socket_, address, size) == 0;
}

Connection::~Connection() { reset(); }

void Connection::reset() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

}  // namespace caisson::client

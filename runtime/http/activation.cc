#include "runtime/http/activation.h"

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace caisson::http {
namespace {

constexpr int first_fd = 3;  // SD_LISTEN_FDS_START

/// A number of the environment; 0 when it is none.
int number(const char* name) {
  const char* const text = std::getenv(name);
  const std::string_view digits = text == nullptr ? "" : text;
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return error == std::errc{} && end == digits.data() + digits.size() ? value : 0;
}

bool is_listening_at(int fd, std::string_view path) {
  sockaddr_un address{};
  socklen_t size = sizeof(address);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  if (address.sun_family != AF_UNIX || path != address.sun_path) return false;
  int type = 0;
  int listening = 0;
  size = sizeof(int);
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
         ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

}  // namespace

std::optional<std::string_view> unix_path(std::string_view listen) {
  constexpr std::string_view scheme = "unix:";
  if (!listen.starts_with(scheme)) return {};
  return listen.substr(scheme.size());
}

Result<int> passed_socket(std::string_view path) {
  // Variables that were meant for the parent of this process pass nothing to it.
  const int count = number("LISTEN_PID") == ::getpid() ? number("LISTEN_FDS") : 0;
  for (int fd = first_fd; fd < first_fd + count; ++fd) {
    if (!is_listening_at(fd, path)) continue;
    if (::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) == 0 &&
        ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) {
      return fd;
    }
    return fail("cannot use the socket " + std::string(path) + ": " +
                std::generic_category().message(errno));
  }
  return fail("systemd passed no stream socket that listens at " + std::string(path),
              "start the unit, not the program, with ListenStream= of that path in a socket unit");
}

}  // namespace caisson::http

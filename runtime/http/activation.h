#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"

namespace caisson::http {

/// PATH of a listen address `unix:PATH`: the service manager listens there and passes the socket.
[[nodiscard]] std::optional<std::string_view> unix_path(std::string_view listen);

/// The listening stream socket at `path` that the service manager passed to this process
/// (sd_listen_fds(3)): not blocking, closed on exec, and the caller's from now on. Fails when none
/// was passed.
[[nodiscard]] Result<int> passed_socket(std::string_view path);

}  // namespace caisson::http

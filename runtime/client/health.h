#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace caisson::client {

/// Whether `GET /readyz` of a listener on this machine answers 200 within five seconds. `listen` is
/// the configured address:port; a wildcard address is asked over loopback. A TLS listener is asked
/// over TLS, without checking whom its certificate names: the question goes to this very machine.
[[nodiscard]] bool is_ready(const std::string& listen, bool tls);

/// The same of any service: whether `http://host[:port][/path]` answers 2xx, or `tcp://host:port`
/// accepts a connection. Nothing for any other URL.
[[nodiscard]] std::optional<bool> is_healthy(std::string_view url);

}  // namespace caisson::client

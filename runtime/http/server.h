#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/http/limits.h"
#include "runtime/http/reply.h"
#include "runtime/http/tls.h"
#include "runtime/http/visit.h"
#include "runtime/observe/budget.h"
#include "runtime/observe/metrics.h"

namespace caisson::http {

struct ServerOptions {
  /// address:port or [v6]:port, where port 0 takes a free one; or unix:/path, a socket that systemd
  /// passes
  std::string listen = "127.0.0.1:0";
  std::optional<TlsFiles> tls;
  int threads = 1;  ///< event loops, each with its own listening socket; 0: one per core
  Limits limits;
  /// Bounds the bytes of requests that are not answered and of answers that are not sent; servers
  /// may share one. None: 256 MiB.
  std::shared_ptr<observe::Budget> budget;
  /// Whether the peer at an address is a proxy that brings the requests of others, so that no
  /// peer's share bounds it. None: only peers on a Unix socket are.
  std::function<bool(std::string_view)> trusted;
  /// Builds the answer to a refusal (request id, problem document); called from any thread, must
  /// not throw. Without it the answer is a plain problem document.
  std::function<Response(const Refusal&)> refuse;
};

/// An HTTP/1.1 server: accepts from `start` on, stops in `drain` or in its destructor.
class Server {
 public:
  /// Fails when the address cannot be bound or the certificate cannot be used.
  [[nodiscard]] static Result<Server> start(ServerOptions options, Admit admit);
  /// As one that lets everybody in.
  [[nodiscard]] static Result<Server> start(ServerOptions options, Handler handler);

  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();  ///< closes every connection at once

  [[nodiscard]] std::uint16_t port() const;  ///< 0 on a Unix socket
  [[nodiscard]] std::size_t connections() const;
  [[nodiscard]] observe::ConnectionReadings readings() const;  ///< for a scrape

  /// Loads certificate and key again for the connections to come. Keeps the old pair on failure.
  [[nodiscard]] Result<void> reload_tls();

  /// From now on each connection ends with an answer (`Connection: close`), so that whoever routes
  /// elsewhere by then keeps none that a drain would close under a request.
  void begin_to_leave();

  /// Lets every request that has begun be answered with `Connection: close`, and closes what is
  /// left after `deadline`. Until then whoever connects is told to come back (503 `draining`); on a
  /// socket that was passed, connections wait for the next process. Returns the number of
  /// connections it had to cut.
  std::size_t drain(std::chrono::milliseconds deadline);

 private:
  struct State;
  void deafen();
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace caisson::http

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/wire/connection.h"

namespace caisson::conformance {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// A request as the harness wants it on the wire: nothing is checked, added or repaired except that
/// `Host` and `Content-Length` are written when they are not among the headers (and `bare` is not
/// set).
struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  std::string host{};
  Headers headers{};
  std::string body{};
  bool bare = false;

  [[nodiscard]] std::string bytes() const;
};

/// What came back. `body` is decoded from chunks; `raw` is every byte as received.
struct HttpResponse {
  int status = 0;
  Headers headers{};
  std::string body{};
  std::string raw{};
  std::int64_t micros = 0;  ///< from the first byte sent to the last received
  bool closes = false;      ///< the peer will close, or has closed, the connection

  /// The first field of that name (ASCII case-insensitive), or empty.
  [[nodiscard]] std::string_view field(std::string_view name) const;
  /// The code of an RFC 9457 answer, or empty.
  [[nodiscard]] std::string problem() const;
  /// "404 not-found", "200".
  [[nodiscard]] std::string summary() const;
};

/// Bounds of what one response may hold; beyond them reading fails.
struct ResponseLimits {
  std::size_t head = 64 << 10;
  std::size_t body = 64 << 20;
};

/// A connection that reads responses one after the other, as pipelining needs.
class HttpConnection {
 public:
  [[nodiscard]] static Result<HttpConnection> open(const Endpoint& endpoint, Deadline deadline);

  [[nodiscard]] Result<void> send(std::string_view bytes, Deadline deadline);
  /// The next response. `head_only`: the request was HEAD, so no body follows. Interim (1xx)
  /// answers but 101 are skipped.
  [[nodiscard]] Result<HttpResponse> read(Deadline deadline, bool head_only = false,
                                          ResponseLimits limits = {});
  /// The status of what comes next, which stays to be read; interim answers are told, too.
  [[nodiscard]] Result<int> next_status(Deadline deadline);
  [[nodiscard]] Result<HttpResponse> exchange(const HttpRequest& request, Deadline deadline);
  /// Everything the peer sends until it closes or the deadline comes; for answers that are not
  /// HTTP.
  [[nodiscard]] std::string drain(Deadline deadline, std::size_t limit = 1 << 20);
  /// Whatever comes next; empty when the peer has closed.
  [[nodiscard]] Result<std::string> read_some(Deadline deadline);
  /// True when the peer has closed: nothing buffered and end of stream before the deadline.
  [[nodiscard]] bool closed(Deadline deadline);
  void finish_sending() { connection_.finish_sending(); }

 private:
  explicit HttpConnection(Connection connection) : connection_(std::move(connection)) {}
  [[nodiscard]] Result<bool> more(Deadline deadline);  ///< false: the peer has closed
  /// Reads one head into `response`; returns its size in the buffer, where it stays.
  [[nodiscard]] Result<std::size_t> head(HttpResponse& response, std::size_t limit,
                                         Deadline deadline);

  Connection connection_;
  std::string buffer_;  ///< received and not yet part of a response
  std::chrono::steady_clock::time_point sent_;
};

/// One request on a connection of its own.
[[nodiscard]] Result<HttpResponse> exchange(const Endpoint& endpoint, const HttpRequest& request,
                                            Deadline deadline);

/// The value of a top-level string member of a JSON object; empty when there is none.
[[nodiscard]] std::string json_string(std::string_view json, std::string_view member);

}  // namespace caisson::conformance

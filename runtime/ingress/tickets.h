#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "base/digest.h"
#include "base/time.h"
#include "runtime/context/request_context.h"
#include "runtime/http/message.h"
#include "runtime/observe/problem.h"

namespace caisson::ingress {

/// Tickets stand in for a credential where a browser cannot send one: with the handshake of a
/// WebSocket. Whoever has proved who they are gets one and offers it as a protocol. It holds for 30
/// seconds and for one use, so that it is worth nothing in a log that it gets into. Only its
/// SHA-256 is kept. Thread-safe.
class Tickets {
 public:
  explicit Tickets(const Clock& clock) : clock_(clock) {}

  struct Issued {
    std::string text;
    std::int64_t expires_ms = 0;  ///< Unix time
  };
  /// `generation`: of the keys that verified the caller's token. At most 64 of a tenant and 16,384
  /// of all wait to be used.
  [[nodiscard]] tl::expected<Issued, observe::Problem> issue(const context::RequestContext& context,
                                                             std::uint64_t generation);

  /// Whom a ticket stands for.
  struct Holder {
    std::shared_ptr<const context::Caller> caller;
    std::string tenant_id;
    std::uint64_t generation = 0;
  };
  /// Uses the ticket up; nothing when it is unknown, used or too old.
  [[nodiscard]] std::optional<Holder> redeem(std::string_view text);

 private:
  struct Entry {
    Holder holder;
    std::int64_t expires_ns = 0;
  };
  void drop_expired(std::int64_t now_ns);               // with the mutex
  void erase(std::map<Digest, Entry>::iterator entry);  // with the mutex

  const Clock& clock_;
  std::mutex mutex_;
  std::map<Digest, Entry> entries_;
  std::map<std::string, int, std::less<>> waiting_;     // of each tenant
  std::deque<std::pair<std::int64_t, Digest>> by_age_;  // all live equally long
};

/// The ticket that a request to open the watch offers; the error is the reason for the log. None
/// for every other request: a ticket opens nothing else.
[[nodiscard]] tl::expected<std::optional<std::string_view>, std::string_view> read_ticket(
    const http::Request& request);

}  // namespace caisson::ingress

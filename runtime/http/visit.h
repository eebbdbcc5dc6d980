#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>

#include "runtime/http/limits.h"
#include "runtime/http/reply.h"
#include "runtime/observe/budget.h"

namespace caisson::http {

/// One request on its way through the application, from its head on. Called on the connection's
/// event loop; must not block.
class Visit {
 public:
  Visit() = default;
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  virtual ~Visit() = default;

  /// The request is whole: answers it now or later, from any thread, through its Reply.
  virtual void run(Request&& request, Reply&& reply) = 0;
  /// The server refuses the rest of the request (its body is too large, malformed, late), and this
  /// is the answer; none: the server makes it.
  [[nodiscard]] virtual std::optional<Response> refuse(const Refusal& refusal) = 0;
};

/// What becomes of a request whose head is there.
struct Admission {
  /// Without one the head is answered at once, and the body is not read.
  std::shared_ptr<Visit> visit;
  /// That answer.
  Response answer{};
  /// Bytes that the body may have, besides `Limits::body`.
  std::size_t most_body = std::numeric_limits<std::size_t>::max();
  /// Pays for the body and for answers that are not charged; null: the peer does.
  std::shared_ptr<observe::Share> share{};
  /// Bytes that the answer may well have. While the answers that a connection has coming are more
  /// than it may leave unsent, it begins no further request.
  std::size_t expected = 0;
};

/// Decides on a request by its head, before a byte of its body is read. Called on the connection's
/// event loop; must not block.
using Admit = std::function<Admission(const Request& head)>;

/// Lets everybody in.
[[nodiscard]] Admit everybody(Handler handler);

}  // namespace caisson::http

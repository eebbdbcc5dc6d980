#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "runtime/http/message.h"

namespace caisson::http {

/// Where replies go. The server's connections are sinks; tests make one from a function with
/// `reply_to`.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  /// Takes the response to the request numbered `ticket`. Called from any thread, once per ticket.
  virtual void reply(std::uint64_t ticket, Response response) noexcept = 0;
  /// The request's Reply was destroyed unused: the sink answers 500 itself.
  virtual void dropped(std::uint64_t ticket) noexcept = 0;
};

/// The duty to answer one request: move-only, used at most once, from any thread. A Reply that is
/// destroyed unused answers 500, so every request gets exactly one response.
class Reply {
 public:
  Reply() = default;
  Reply(std::shared_ptr<ReplySink> sink, std::uint64_t ticket)
      : sink_(std::move(sink)), ticket_(ticket) {}
  Reply(Reply&&) noexcept = default;
  Reply& operator=(Reply&& other) noexcept {
    std::swap(sink_, other.sink_);
    std::swap(ticket_, other.ticket_);
    return *this;
  }
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply() {
    if (sink_) sink_->dropped(ticket_);
  }

  /// Sends the response. A second call, or a call on a moved-from Reply, does nothing.
  void operator()(Response response) {
    if (const auto sink = std::exchange(sink_, nullptr)) sink->reply(ticket_, std::move(response));
  }

 private:
  std::shared_ptr<ReplySink> sink_;
  std::uint64_t ticket_ = 0;
};

/// Answers one request: now or later, from any thread, through its Reply. Must not throw and must
/// not block: it runs on the connection's own event loop.
using Handler = std::function<void(Request&&, Reply&&)>;

/// A Reply that calls `function(Response)`; a dropped one calls it with an empty 500.
template <class Function>
[[nodiscard]] Reply reply_to(Function&& function) {
  class Sink final : public ReplySink {
   public:
    explicit Sink(Function&& f) : function_(std::forward<Function>(f)) {}
    void reply(std::uint64_t, Response response) noexcept override {
      function_(std::move(response));
    }
    void dropped(std::uint64_t) noexcept override { function_(Response{.status = 500}); }

   private:
    std::decay_t<Function> function_;
  };
  return Reply(std::make_shared<Sink>(std::forward<Function>(function)), 0);
}

}  // namespace caisson::http

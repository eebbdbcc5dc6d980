#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/http/loop.h"
#include "runtime/http/parser.h"
#include "runtime/http/web_socket.h"

namespace caisson::http {

/// One connection: bytes to requests, responses to bytes in the order of their requests, and a
/// deadline for every wait. Lives on one loop; only `reply` and `dropped` may be called from other
/// threads.
class Connection final : public ReplySink, public std::enable_shared_from_this<Connection> {
 public:
  Connection(Loop& loop, int socket, std::string peer, const TlsContext* tls);

  /// Answers 503 on a socket that exceeds the bound of connections, and closes it.
  static void turn_away(Loop& loop, int socket, std::string_view peer);

  void start();
  void tick(Loop::Clock::time_point now);
  void drain();
  void close();
  /// The handler of the connection's WebSocket has something to say.
  void woken();
  /// True when `woken` is to be called; false when it will be anyway. From any thread.
  [[nodiscard]] bool ring() { return !rung_.exchange(true); }

  void reply(std::uint64_t ticket, Response response) noexcept override;
  void dropped(std::uint64_t ticket) noexcept override;

  /// Between requests, with nothing to send.
  [[nodiscard]] bool is_idle() const { return wait_ == Wait::first || wait_ == Wait::idle; }
  /// When the connection is given up if nothing happens.
  [[nodiscard]] Loop::Clock::time_point deadline() const { return deadline_; }

  [[nodiscard]] Loop::Clock::time_point born() const { return born_; }
  [[nodiscard]] std::size_t index() const { return index_; }
  void set_index(std::size_t index) { index_ = index; }

 private:
  /// A request that waits for its response, or for its turn to send it.
  struct Slot {
    bool ready = false;
    bool head_only = false;
    bool close = false;  ///< the request or its response ends the connection
    Loop::Clock::time_point deadline{};
    Response response{};
  };

  /// What the connection waits for; each has its own deadline.
  enum class Wait : std::uint8_t { nothing, first, idle, head, body, write, linger };

  void wait_readable();
  void on_readable();
  void wait_writable();
  void take(std::string_view bytes);
  void process(std::string_view input);
  void dispatch();
  void refuse(const Refused& refused);
  void answer(std::uint64_t ticket, Response response);
  void charge(std::size_t bytes);
  void emit_front();
  void open_socket(const Response& response);
  void converse();
  void flush();
  void finish();
  void settle();
  void watch();

  [[nodiscard]] bool paused() const;
  [[nodiscard]] bool quiet() const;
  [[nodiscard]] Wait awaited() const;
  [[nodiscard]] std::chrono::milliseconds timeout(Wait wait) const;
  [[nodiscard]] std::size_t unsent() const { return out_.size() - sent_ + plain_out_.size(); }
  [[nodiscard]] std::string& plain_out() { return tls_ ? plain_out_ : out_; }

  Loop& loop_;  ///< gone when `socket_` is empty
  std::shared_ptr<Inbox> inbox_;
  std::optional<Descriptor> socket_;  ///< empty once closed
  std::optional<TlsSession> tls_;
  std::string peer_;
  const Loop::Clock::time_point born_ = Loop::Clock::now();
  std::size_t index_ = 0;

  RequestParser parser_;
  std::string pending_;  ///< received and not yet parsed: the pipeline is full
  std::vector<Slot> slots_;
  std::uint64_t first_ticket_ = 0;  ///< of slots_.front()
  std::uint64_t next_ticket_ = 0;

  std::unique_ptr<WebSocket> web_socket_;  ///< what the connection has become

  std::string plain_out_;  ///< responses before encryption
  std::string out_;        ///< bytes for the wire
  std::size_t sent_ = 0;   ///< of out_
  std::size_t discarded_ = 0;
  std::size_t charged_ = 0;  ///< to `Shared::buffered`
  std::size_t behind_ = 0;   ///< bytes that came with the last request and follow it

  Wait wait_ = Wait::nothing;
  std::uint64_t wait_ticket_ = 0;
  Loop::Clock::time_point deadline_;

  bool busy_ = false;     ///< inside an event: replies need not settle
  bool reading_ = false;  ///< a wait for input is armed
  bool writing_ = false;
  std::atomic<bool> rung_ = false;
  bool upgrading_ = false;  ///< a request to upgrade is not answered: what follows may be no HTTP
  bool last_ = false;       ///< no further request is taken
  bool ended_ = false;      ///< the peer sends no more
  bool lingering_ = false;  ///< our side is shut; the peer's bytes are dropped until it closes
};

}  // namespace caisson::http

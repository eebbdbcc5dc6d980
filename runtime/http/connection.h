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
#include "runtime/http/peers.h"
#include "runtime/http/send_queue.h"
#include "runtime/http/visit.h"
#include "runtime/http/web_socket.h"

namespace caisson::http {

/// One connection: bytes to requests, responses to bytes in the order of their requests, and a
/// deadline for every wait. Every byte that it keeps is charged: to the peer until a head has told
/// whose request it is, then to whom the admission says. When there is no memory for something,
/// this connection alone ends. Lives on one loop; only `reply` and `dropped` may be called from
/// other threads.
class Connection final : public ReplySink, public std::enable_shared_from_this<Connection> {
 public:
  /// `late`: it came when the drain had begun.
  Connection(Loop& loop, Descriptor socket, std::string address, std::shared_ptr<Peer> peer,
             const TlsContext* tls, bool late);

  /// Answers 503 on a socket that exceeds the bound of connections.
  static void turn_away(Loop& loop, int socket, std::string_view peer);

  void start();
  void tick(Loop::Clock::time_point now);
  void drain();
  void close();
  void cut();
  /// The handler of the connection's WebSocket has something to say.
  void woken();
  /// True when `woken` is to be called; false when it will be anyway. From any thread.
  [[nodiscard]] bool ring() { return !rung_.exchange(true); }

  void reply(std::uint64_t ticket, Response response) noexcept override;
  void dropped(std::uint64_t ticket) noexcept override;

  /// Between requests, with nothing to send.
  [[nodiscard]] bool is_idle() const { return wait_ == Wait::first || wait_ == Wait::idle; }
  /// Its peer does not take what is sent.
  [[nodiscard]] bool is_unread() const { return wait_ == Wait::write; }
  /// Nothing of it is being done, and nobody who is known is sending a body: only its peer is
  /// waited for.
  [[nodiscard]] bool awaits_peer() const {
    return wait_ != Wait::nothing && slots_.empty() && visit_ == nullptr;
  }
  /// When the connection is given up if nothing happens.
  [[nodiscard]] Loop::Clock::time_point deadline() const { return deadline_; }

  [[nodiscard]] Loop::Clock::time_point born() const { return born_; }
  /// It came when the drain had begun: nothing of it is done.
  [[nodiscard]] bool is_late() const { return late_; }
  [[nodiscard]] const std::shared_ptr<Peer>& counted() const { return counted_; }
  [[nodiscard]] std::size_t index() const { return index_; }
  void set_index(std::size_t index) { index_ = index; }

 private:
  static constexpr int unanswered = 0;  ///< status of the Response that stands for a dropped reply

  /// A request that waits for its response, or for its turn to send it.
  struct Slot {
    bool ready = false;
    bool head_only = false;
    bool close = false;  ///< the request or its response ends the connection
    Loop::Clock::time_point deadline{};
    std::shared_ptr<observe::Share> share{};  ///< pays for the answer
    std::size_t expected = 0;                 ///< bytes of an answer that is not ready
    Response response{};
  };

  /// What the connection waits for; each has its own deadline.
  enum class Wait : std::uint8_t { nothing, first, idle, head, body, write, linger };

  /// Every event runs in here: what it throws ends this connection and nothing else.
  template <class Event>
  void guard(Event&& event) noexcept {
    const auto self = shared_from_this();
    try {
      event();
    } catch (...) {
      give_up();
    }
  }
  void give_up() noexcept;

  void wait_readable();
  void on_readable();
  void wait_writable();
  void take(std::string_view bytes);
  void process(std::string_view input);
  void admit();
  void dispatch();
  void refuse(const Refused& refused);
  void turn_down(Response response, bool head_only, bool goes_on);
  void account();
  [[nodiscard]] bool pay();
  void receive_into(int bytes);

  // Answers and their bytes (connection_output.cc).
  void answer(std::uint64_t ticket, Response response);
  void emit_front();
  void open_socket(const Slot& slot);
  void converse();
  void encrypt();
  void flush();
  void finish();

  void on_tick(Loop::Clock::time_point now);
  void settle();
  void watch();

  [[nodiscard]] bool paused() const;
  [[nodiscard]] bool quiet() const;
  [[nodiscard]] Wait awaited() const;
  [[nodiscard]] std::chrono::milliseconds timeout(Wait wait) const;
  [[nodiscard]] std::size_t unsent() const { return out_.size() + plain_.size(); }
  [[nodiscard]] SendQueue& plain_out() { return tls_ ? plain_ : out_; }

  Loop& loop_;  ///< gone when `socket_` is empty
  std::shared_ptr<Inbox> inbox_;
  std::optional<Descriptor> socket_;  ///< empty once closed
  std::optional<TlsSession> tls_;
  std::string peer_;
  std::shared_ptr<Peer> counted_;
  const Loop::Clock::time_point born_ = Loop::Clock::now();
  const bool late_;
  std::size_t index_ = 0;

  RequestParser parser_;
  std::string pending_;  ///< received and not yet parsed: the pipeline is full
  observe::Charge own_;  ///< of the peer, for what is nobody's yet
  // Of the request whose body is being read.
  std::shared_ptr<Visit> visit_;
  observe::Charge body_;
  std::size_t expected_next_ = 0;

  std::vector<Slot> slots_;
  std::uint64_t first_ticket_ = 0;  ///< of slots_.front()
  std::uint64_t next_ticket_ = 0;
  std::uint64_t answered_ = 0;  ///< requests whose answers are whole on their way
  std::size_t expected_ = 0;    ///< bytes of answers that are not ready
  std::size_t ready_ = 0;       ///< bytes of answers that wait for earlier ones

  std::unique_ptr<WebSocket> web_socket_;  ///< what the connection has become
  observe::Charge conversation_;           ///< for what the WebSocket keeps

  SendQueue plain_;           ///< answers before encryption
  SendQueue out_;             ///< bytes for the wire
  observe::Charge wire_;      ///< for what the kernel keeps of a peer that does not read
  int receive_buffer_ = 0;    ///< the kernel's, as it was last set
  bool blocked_ = false;      ///< the kernel takes no more for now
  std::size_t progress_ = 0;  ///< bytes sent since the deadline of the write was set
  std::size_t discarded_ = 0;
  std::size_t behind_ = 0;  ///< bytes that came with the last request and follow it

  Wait wait_ = Wait::nothing;
  std::uint64_t wait_ticket_ = 0;
  Loop::Clock::time_point deadline_;

  bool busy_ = false;     ///< inside an event: replies need not settle
  bool reading_ = false;  ///< a wait for input is armed
  bool writing_ = false;
  std::atomic<bool> rung_ = false;
  std::atomic<bool> lost_ = false;  ///< there was no memory to bring a reply here
  bool upgrading_ = false;  ///< a request to upgrade is not answered: what follows may be no HTTP
  bool last_ = false;       ///< no further request is taken
  bool ended_ = false;      ///< the peer sends no more
  bool lingering_ = false;  ///< our side is shut; the peer's bytes are dropped until it closes
};

}  // namespace caisson::http

#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <sys/socket.h>

#include "runtime/http/limits.h"
#include "runtime/http/peers.h"
#include "runtime/http/reply.h"
#include "runtime/http/tls.h"
#include "runtime/http/visit.h"
#include "runtime/http/writer.h"
#include "runtime/observe/histogram.h"

namespace caisson::http {

class Connection;

/// A file descriptor that an event loop waits for, without the cost of Asio's polymorphic executor.
using Descriptor =
    boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

/// What the event loops of one server share. Immutable while they run, but for the counters and
/// `tls`.
struct Shared {
  Shared(const Limits& bounds, const std::shared_ptr<observe::Budget>& budget)
      : limits(bounds), peers(budget) {}

  const Limits limits;
  Admit admit;
  std::function<Response(const Refusal&)> refuse;
  std::function<bool(std::string_view)> trusted;  ///< whether the peer at an address is a proxy
  Peers peers;
  bool secure = false;  ///< speaks TLS
  bool passed = false;  ///< somebody else keeps the listening socket: its queue outlives the server

  std::atomic<bool> leaving = false;  ///< the server will drain: no connection lasts for another
  std::atomic<bool> draining = false;
  std::atomic<std::size_t> connections = 0;
  std::atomic<std::size_t> owed = 0;     ///< of these, those that came before the drain
  std::atomic<std::size_t> lasting = 0;  ///< connections open for more than a minute
  std::atomic<std::uint64_t> accepted = 0;
  std::atomic<std::uint64_t> turned_away = 0;
  std::atomic<int> handed_on = 0;      ///< sockets on their way from loop to loop
  std::atomic<std::uint64_t> cut = 0;  ///< what their peers do not read had no place
  observe::SharedHistogram<observe::life_bounds.size()> lives{observe::life_bounds};
  std::atomic<std::size_t> accepting = 0;  ///< loops that have not begun to drain
  std::atomic<std::size_t> listening = 0;  ///< loops whose listening socket is open
  std::mutex mutex;                        ///< guards `tls` and the waiting for a change
  std::condition_variable changed;         ///< of one of these counts or `connections`, towards 0
  std::shared_ptr<const TlsContext> tls;
};

/// Brings replies of other threads to their connection's loop, many in one wake-up. Outlives the
/// loop, so a reply that comes too late is dropped here.
class Inbox {
 public:
  struct Delivery {
    std::shared_ptr<Connection> connection;
    std::uint64_t ticket = 0;
    Response response;
  };

  explicit Inbox(boost::asio::io_context& context) : context_(&context) {}

  /// False, and the reply is gone, when there is no memory for it.
  [[nodiscard]] bool push(Delivery delivery) noexcept;
  /// `Connection::woken` on the loop's thread.
  void wake(std::shared_ptr<Connection> connection) noexcept;
  /// Delivers what a wake-up was not to be had for.
  void catch_up();
  /// From now on deliveries are dropped. Called before the loop's io_context goes.
  void shut();
  void set_owner(std::thread::id owner) { owner_ = owner; }
  [[nodiscard]] bool on_loop_thread() const { return std::this_thread::get_id() == owner_; }

 private:
  void deliver();
  void schedule() noexcept;  // with the mutex

  std::mutex mutex_;
  std::vector<Delivery> waiting_;
  std::vector<std::shared_ptr<Connection>> woken_;
  bool scheduled_ = false;
  boost::asio::io_context* context_;
  std::atomic<std::thread::id> owner_{};
};

/// One thread's event loop: its listening socket, its connections and their deadlines.
class Loop {
 public:
  using Clock = std::chrono::steady_clock;
  using Timer = boost::asio::basic_waitable_timer<Clock, boost::asio::wait_traits<Clock>,
                                                  boost::asio::io_context::executor_type>;

  /// Owns `listener`, a listening non-blocking socket, from here on.
  Loop(Shared& shared, int listener);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// `next`, and so on: the `others` loops that may have room for a connection when this one has
  /// none. Before `run`.
  void join(Loop& next, std::size_t others) {
    next_ = &next;
    others_ = others;
  }
  void run();     ///< until `stop`; the calling thread becomes the loop's
  void drain();   ///< from any thread; whoever connects from now on is refused
  void deafen();  ///< from any thread; nobody connects any more
  void stop();    ///< from any thread; closes every connection

  // For connections, on the loop's thread.
  Shared& shared;
  std::array<char, 65536> scratch;  ///< what was just received; connections own no read buffer
  DateClock date;
  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  [[nodiscard]] const std::shared_ptr<Inbox>& inbox() const { return inbox_; }
  void remove(Connection& connection);
  /// With `oldest_out`: closes, for the bytes of an answer of `wanting`, another connection whose
  /// peer does not read. False when there is none.
  [[nodiscard]] bool shed_unread(const Connection& wanting);

 private:
  void wait_acceptable();
  /// Accepts what waits to be: some of it, or `all`.
  void accept_waiting(bool all = false);
  /// `asked`: loops that had no room for it.
  void admit(int accepted, const sockaddr_storage& from, std::size_t asked);
  void admit_or_close(int accepted, const sockaddr_storage& from, std::size_t asked);
  [[nodiscard]] bool make_room(const Peer& wanting, bool within);
  /// With `oldest_out`: closes for `wanting` an eligible connection that waits for its peer, of the
  /// peer that has most connections; of those first the ones that wait for a request, last the
  /// ones whose peer does not read, the oldest of each. Never that of a peer with fewer connections
  /// than `wanting` has. False when there is none.
  template <class Eligible>
  [[nodiscard]] bool shed(const Peer& wanting, Eligible eligible);
  void schedule_tick();
  void tick();
  void begin_waits();

  boost::asio::io_context context_;
  Descriptor acceptor_;
  Timer timer_;
  std::shared_ptr<Inbox> inbox_;
  std::vector<std::shared_ptr<Connection>> connections_;
  Loop* next_ = nullptr;
  std::size_t others_ = 0;
  std::size_t lasting_ = 0;     ///< of these connections, as of the last tick
  bool ticking_ = false;        ///< the timer is armed
  bool awaiting_ = false;       ///< a wait for connections is armed
  bool accept_paused_ = false;  ///< no file descriptor was left; the next tick tries again
  bool drained_ = false;        ///< who comes now is late
};

}  // namespace caisson::http

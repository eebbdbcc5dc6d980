#include "runtime/http/loop.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <new>
#include <thread>
#include <tuple>
#include <utility>

#include <arpa/inet.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/http/connection.h"

namespace caisson::http {
namespace {

constexpr auto tick_interval = std::chrono::milliseconds(100);
constexpr auto pause_without_memory = std::chrono::milliseconds(1);
constexpr auto lasting_from = std::chrono::minutes(1);
constexpr int most_accepts = 64;  // at once, before the other connections have their turn

std::string address_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_UNIX) return "unix";
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* const bytes =
      address.ss_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr)
          : static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  if (inet_ntop(address.ss_family, bytes, text.data(), text.size()) == nullptr) return {};
  const std::string peer = text.data();
  return peer.starts_with("::ffff:") && peer.find('.') != std::string::npos ? peer.substr(7) : peer;
}

/// Closes an accepted socket, once, unless somebody else owns it by then.
class Accepted {
 public:
  explicit Accepted(int socket) : socket_(socket) {}
  Accepted(Accepted&& other) noexcept : socket_(other.release()) {}
  Accepted(const Accepted&) = delete;
  Accepted& operator=(const Accepted&) = delete;
  ~Accepted() {
    if (socket_ >= 0) ::close(socket_);
  }
  [[nodiscard]] int get() const { return socket_; }
  int release() { return std::exchange(socket_, -1); }

 private:
  int socket_;
};

/// Counts a connection of a peer, and of all, unless it is not kept.
class Counted {
 public:
  Counted(Shared& shared, Peer& peer)
      : shared_(shared),
        peer_(peer),
        of_peer_(peer.connections.fetch_add(1)),
        of_all_(shared.connections.fetch_add(1)) {}
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { drop(); }
  void keep() { counts_ = false; }
  void drop() {
    if (!std::exchange(counts_, false)) return;
    peer_.connections.fetch_sub(1);
    shared_.connections.fetch_sub(1);
  }
  /// How many there were before it.
  [[nodiscard]] std::size_t of_peer() const { return of_peer_; }
  [[nodiscard]] std::size_t of_all() const { return of_all_; }

 private:
  Shared& shared_;
  Peer& peer_;
  const std::size_t of_peer_;
  const std::size_t of_all_;
  bool counts_ = true;
};

}  // namespace

bool Inbox::push(Delivery delivery) noexcept {
  const std::lock_guard lock(mutex_);
  if (context_ == nullptr) return true;
  try {
    waiting_.push_back(std::move(delivery));
  } catch (const std::bad_alloc&) {
    return false;
  }
  schedule();
  return true;
}

void Inbox::wake(std::shared_ptr<Connection> connection) noexcept {
  const std::lock_guard lock(mutex_);
  if (context_ == nullptr) return;
  try {
    woken_.push_back(std::move(connection));
  } catch (const std::bad_alloc&) {
    return;  // a WebSocket is also asked at every tick
  }
  schedule();
}

void Inbox::schedule() noexcept {
  if (std::exchange(scheduled_, true)) return;
  try {
    boost::asio::post(*context_, [this] { deliver(); });
  } catch (const std::bad_alloc&) {
    scheduled_ = false;  // the next tick catches up
  }
}

void Inbox::catch_up() {
  const bool behind = [this] {
    const std::lock_guard lock(mutex_);
    return !scheduled_ && (!waiting_.empty() || !woken_.empty());
  }();
  if (behind) deliver();
}

void Inbox::deliver() {
  std::vector<Delivery> deliveries;
  std::vector<std::shared_ptr<Connection>> woken;
  {
    const std::lock_guard lock(mutex_);
    deliveries.swap(waiting_);
    woken.swap(woken_);
    scheduled_ = false;
  }
  for (auto& [connection, ticket, response] : deliveries) {
    connection->reply(ticket, std::move(response));
  }
  for (const auto& connection : woken) connection->woken();
}

void Inbox::shut() {
  std::vector<Delivery> dropped;
  std::vector<std::shared_ptr<Connection>> asleep;
  const std::lock_guard lock(mutex_);
  context_ = nullptr;
  dropped.swap(waiting_);
  asleep.swap(woken_);
}

Loop::Loop(Shared& shared_state, int listener)
    : shared(shared_state),
      context_(1),
      acceptor_(context_, listener),
      timer_(context_),
      inbox_(std::make_shared<Inbox>(context_)) {}

Loop::~Loop() { inbox_->shut(); }

void Loop::run() {
  inbox_->set_owner(std::this_thread::get_id());
  const auto work = boost::asio::make_work_guard(context_);
  for (bool running = true; running;) {
    try {
      begin_waits();
      context_.run();
      running = false;
    } catch (const std::bad_alloc&) {
      // Some wait was not begun again for want of memory, which another thread may give back.
      std::this_thread::sleep_for(pause_without_memory);
    }
  }
  while (!connections_.empty()) {
    const auto last = connections_.back();
    last->close();
  }
}

void Loop::drain() {
  boost::asio::post(context_, [this] {
    if (drained_ || !acceptor_.is_open()) return;
    accept_waiting(true);  // a connection in the queue was promised an answer by the kernel
    drained_ = true;
    for (std::size_t i = connections_.size(); i-- > 0;) {
      if (i >= connections_.size()) continue;  // one may have closed others
      const auto connection = connections_[i];
      connection->drain();
    }
    const std::lock_guard lock(shared.mutex);
    --shared.accepting;
    shared.changed.notify_all();
  });
}

void Loop::deafen() {
  boost::asio::post(context_, [this] {
    if (!acceptor_.is_open()) return;
    // Of a socket that another process has, too, the queue is the next one's.
    if (!shared.passed) accept_waiting(true);
    acceptor_.close();
    const std::lock_guard lock(shared.mutex);
    --shared.listening;
    shared.changed.notify_all();
  });
}

void Loop::stop() { context_.stop(); }

/// Begins the waits that are not armed: at the start, and after a lack of memory.
void Loop::begin_waits() {
  if (!accept_paused_) wait_acceptable();
  if (!connections_.empty() || accept_paused_) schedule_tick();
}

void Loop::wait_acceptable() {
  if (awaiting_ || !acceptor_.is_open()) return;
  acceptor_.async_wait(Descriptor::wait_read, [this](const boost::system::error_code& error) {
    awaiting_ = false;
    if (error || !acceptor_.is_open()) return;
    accept_waiting();
    if (!accept_paused_) wait_acceptable();
  });
  awaiting_ = true;
}

void Loop::accept_waiting(bool all) {
  accept_paused_ = false;
  for (int i = 0; i < most_accepts || all; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    const int socket = ::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&address),
                                 &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
      admit_or_close(socket, address, 0);
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR) continue;
    if (errno != EAGAIN) {
      accept_paused_ = true;
      schedule_tick();
    }
    return;
  }
}

void Loop::admit(int accepted, const sockaddr_storage& from, std::size_t asked) {
  Accepted socket(accepted);
  const std::string address = address_of(from);
  const auto peer = shared.peers.find(address, address == "unix" || shared.trusted(address));
  Counted counted(shared, *peer);
  const bool beyond_share = !peer->trusted && counted.of_peer() >= shared.limits.peer_connections();
  const bool beyond_all = counted.of_all() >= shared.limits.connections;
  if ((beyond_share || beyond_all) && !make_room(*peer, beyond_share)) {
    // What is on its way between loops is counted nowhere else: it must stay little.
    if (asked < others_ && !shared.draining && shared.handed_on < most_accepts) {
      counted.drop();
      ++shared.handed_on;
      boost::asio::post(next_->context_,
                        [next = next_, socket = std::move(socket), from, asked]() mutable {
                          --next->shared.handed_on;
                          next->admit_or_close(socket.release(), from, asked + 1);
                        });
      return;
    }
    ++shared.turned_away;
    return Connection::turn_away(*this, socket.get(), address);
  }
  const int on = 1;
  ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  // The kernel keeps no more than this for a peer that does not read, however fast it was before.
  ::setsockopt(accepted, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kernel_unsent, sizeof(kernel_unsent));
  std::shared_ptr<const TlsContext> tls;
  {
    const std::lock_guard lock(shared.mutex);
    tls = shared.tls;
  }
  schedule_tick();
  Descriptor owner(context_, accepted);
  socket.release();
  const auto connection =
      std::make_shared<Connection>(*this, std::move(owner), address, peer, tls.get(), drained_);
  connections_.push_back(connection);
  counted.keep();
  if (!drained_) ++shared.owed;
  ++shared.accepted;
  connection->set_index(connections_.size() - 1);
  connection->start();
}

void Loop::admit_or_close(int accepted, const sockaddr_storage& from, std::size_t asked) {
  try {
    admit(accepted, from, asked);
  } catch (const std::exception&) {  // it alone is closed
    ++shared.turned_away;
  }
}

/// Whoever has most pays: a peer that asks once is not driven out by peers that connect all the
/// time, however far away it is and however long it takes.
template <class Eligible>
bool Loop::shed(const Peer& wanting, Eligible eligible) {
  if (!shared.limits.oldest_out) return false;
  struct Rank {
    std::size_t held;  ///< by its peer
    bool idle;
    bool read;
    Clock::time_point born;
    [[nodiscard]] bool before(const Rank& other) const {
      return std::tuple(other.held, other.idle, other.read, born) <
             std::tuple(held, idle, read, other.born);
    }
  };
  std::shared_ptr<Connection> found;
  Rank worst{};
  for (const auto& connection : connections_) {
    const Peer& peer = *connection->counted();
    const std::size_t held = peer.connections;
    if (held < wanting.connections || !connection->awaits_peer() || !eligible(*connection))
      continue;
    const Rank rank{.held = held,
                    .idle = connection->is_idle(),
                    .read = !connection->is_unread(),
                    .born = connection->born()};
    if (found && !rank.before(worst)) continue;
    found = connection;
    worst = rank;
  }
  if (!found) return false;
  found->cut();
  return true;
}

/// Makes room for a new connection of `wanting`, at the cost of the one that has waited longest for
/// a request, and of `wanting` alone when it is `within` its own share that there is none, so that
/// idle peers cannot lock out busy ones. False when every connection of this loop is in the middle
/// of something; another loop is asked then.
bool Loop::make_room(const Peer& wanting, bool within) {
  const auto may = [&](const Connection& connection) {
    return !within || connection.counted().get() == &wanting;
  };
  if (shared.limits.oldest_out) return shed(wanting, may);
  std::shared_ptr<Connection> idlest;
  for (const auto& connection : connections_) {
    if (!connection->is_idle() || !may(*connection)) continue;
    if (!idlest || connection->deadline() < idlest->deadline()) idlest = connection;
  }
  if (!idlest) return false;
  idlest->close();
  return true;
}

bool Loop::shed_unread(const Connection& wanting) {
  return shed(*wanting.counted(), [&](const Connection& connection) {
    return &connection != &wanting && connection.is_unread();
  });
}

void Loop::remove(Connection& connection) {
  const std::chrono::nanoseconds lived = Clock::now() - connection.born();
  shared.lives.observe_ns(lived.count());
  connection.counted()->connections.fetch_sub(1);
  const std::size_t index = connection.index();
  std::swap(connections_[index], connections_.back());
  connections_[index]->set_index(index);
  connections_.pop_back();
  if (!connection.is_late()) --shared.owed;
  --shared.connections;
  if (!shared.draining) return;  // nobody waits for a change
  const std::lock_guard lock(shared.mutex);
  shared.changed.notify_all();
}

void Loop::schedule_tick() {
  if (ticking_) return;
  timer_.expires_after(tick_interval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    ticking_ = false;
    if (!error) tick();
  });
  ticking_ = true;
}

void Loop::tick() {
  const auto now = Clock::now();
  inbox_->catch_up();
  for (std::size_t i = connections_.size(); i-- > 0;) {
    if (i >= connections_.size()) continue;
    const auto connection = connections_[i];
    connection->tick(now);
  }
  const auto lasting = static_cast<std::size_t>(
      std::ranges::count_if(connections_, [&](const std::shared_ptr<Connection>& connection) {
        return now - connection->born() > lasting_from;
      }));
  shared.lasting += lasting - std::exchange(lasting_, lasting);  // modulo 2^64: also downwards
  if (accept_paused_ && acceptor_.is_open()) {
    accept_waiting();
    if (!accept_paused_) wait_acceptable();
  }
  if (!connections_.empty() || accept_paused_) schedule_tick();
}

}  // namespace caisson::http

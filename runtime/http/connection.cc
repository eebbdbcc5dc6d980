#include "runtime/http/connection.h"

#include <algorithm>
#include <cerrno>

#include <sys/socket.h>
#include <unistd.h>

#include "runtime/http/handshake.h"

namespace caisson::http {
namespace {

constexpr std::size_t most_unsent = std::size_t{256} * 1024;  // then no further request is read
constexpr std::size_t most_kept =
    std::size_t{64} * 1024;  // capacity that an idle output buffer keeps
constexpr std::size_t most_discarded =
    std::size_t{1024} * 1024;  // of a peer that was refused and talks on
constexpr int unanswered = 0;  // status of the Response that stands for a dropped reply
constexpr int most_reads = 4;  // before other connections have their turn
constexpr int most_pulls = 4;  // likewise
// A request that was under way when the drain began is still answered.
constexpr auto drain_grace = std::chrono::milliseconds(200);
constexpr auto linger_timeout = std::chrono::milliseconds(2000);

HeadLimits head_limits(const Limits& limits) {
  return {.header = limits.header,
          .target = std::min<std::size_t>(limits.header / 2, 8192),
          .body = limits.body};
}

/// Rings at most once until it is answered, however many changes there are to tell.
class Bell final : public SocketWaker {
 public:
  Bell(std::shared_ptr<Inbox> inbox, std::weak_ptr<Connection> connection)
      : inbox_(std::move(inbox)), connection_(std::move(connection)) {}
  void wake() noexcept override {
    if (auto connection = connection_.lock()) {
      if (connection->ring()) inbox_->wake(std::move(connection));
    }
  }

 private:
  const std::shared_ptr<Inbox> inbox_;
  const std::weak_ptr<Connection> connection_;
};

}  // namespace

Connection::Connection(Loop& loop, int socket, std::string peer, const TlsContext* tls)
    : loop_(loop),
      inbox_(loop.inbox()),
      socket_(std::in_place, loop.context(), socket),
      peer_(std::move(peer)),
      parser_(head_limits(loop.shared.limits)) {
  if (tls != nullptr) tls_.emplace(*tls);
}

void Connection::turn_away(Loop& loop, int socket, std::string_view peer) {
  if (!loop.shared.secure) {
    const Response response = loop.shared.refuse(
        {.status = 503, .code = "overloaded", .detail = "too many connections", .peer = peer});
    std::string bytes;
    append_response(bytes, response, {.close = true, .date = loop.date.now()});
    // The bytes fit the empty send buffer of a new socket; a peer that is gone needs no answer.
    [[maybe_unused]] const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  ::close(socket);
}

void Connection::start() { settle(); }

// ---- input ----

void Connection::wait_readable() {
  if (reading_ || ended_ || paused()) return;
  reading_ = true;
  socket_->async_wait(Descriptor::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        self->reading_ = false;
                        if (!error && self->socket_) self->on_readable();
                      });
}

void Connection::on_readable() {
  busy_ = true;
  for (int i = 0; i < most_reads && socket_ && !ended_ && !paused(); ++i) {
    const auto got =
        ::recv(socket_->native_handle(), loop_.scratch.data(), loop_.scratch.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got < 0) return close();
    if (got == 0) {
      ended_ =
          true;  // what was asked is still answered: the peer may have shut its sending side only
      break;
    }
    take({loop_.scratch.data(), static_cast<std::size_t>(got)});
    if (static_cast<std::size_t>(got) < loop_.scratch.size()) break;
  }
  busy_ = false;
  settle();
}

void Connection::take(std::string_view bytes) {
  if (lingering_ || last_) {
    discarded_ += bytes.size();
    if (discarded_ > most_discarded) close();
    return;
  }
  if (tls_) {
    ended_ = !tls_->receive(bytes, pending_, out_);
    return;  // `settle` parses what is pending
  }
  if (pending_.empty()) {
    process(bytes);
  } else {
    pending_.append(bytes);
  }
}

/// Parses and dispatches requests; what the bounds of the pipeline leave over stays in `pending_`.
void Connection::process(std::string_view input) {
  if (web_socket_) return web_socket_->receive(input, plain_out());
  while (!input.empty() && !paused() && !last_) {
    switch (parser_.feed(input)) {
      case RequestParser::Stage::complete:
        behind_ = input.size();
        dispatch();
        break;
      case RequestParser::Stage::refused:
        refuse(parser_.refused());
        break;
      default:
        break;
    }
  }
  if (!last_) pending_.assign(input);
}

void Connection::dispatch() {
  Request request = parser_.take();
  request.peer = peer_;
  request.tls = tls_.has_value();
  last_ = last_ || !parser_.keep_alive();
  upgrading_ = asks_to_upgrade(request);
  slots_.push_back({.head_only = request.method == "HEAD",
                    .close = !parser_.keep_alive(),
                    .deadline = Loop::Clock::now() + loop_.shared.limits.request_timeout});
  Reply reply(shared_from_this(), next_ticket_++);
  try {
    loop_.shared.handler(std::move(request), std::move(reply));
  } catch (...) {
    reply(Response{.status = unanswered});  // one request's failure is its own
  }
}

void Connection::refuse(const Refused& refused) {
  last_ = true;
  slots_.push_back({.close = true});
  answer(next_ticket_++, loop_.shared.refuse({.status = refused.status,
                                              .code = refused.code,
                                              .detail = refused.detail,
                                              .peer = peer_}));
}

/// Keeps account of what this connection has the server remember.
void Connection::charge(std::size_t bytes) {
  const std::size_t before = std::exchange(charged_, bytes);
  if (before != bytes) loop_.shared.buffered += bytes - before;  // modulo 2^64, also downwards
}

// ---- output ----

void Connection::reply(std::uint64_t ticket, Response response) noexcept {
  if (!inbox_->on_loop_thread()) {
    inbox_->push({shared_from_this(), ticket, std::move(response)});
    return;
  }
  answer(ticket, std::move(response));
  if (!busy_) settle();
}

void Connection::dropped(std::uint64_t ticket) noexcept {
  reply(ticket, Response{.status = unanswered});
}

void Connection::answer(std::uint64_t ticket, Response response) {
  if (!socket_ || ticket < first_ticket_) return;
  const std::size_t position = ticket - first_ticket_;
  if (position >= slots_.size() || slots_[position].ready) return;
  Slot& slot = slots_[position];
  slot.ready = true;
  slot.response = response.status != unanswered
                      ? std::move(response)
                      : loop_.shared.refuse({.status = 500,
                                             .code = "internal",
                                             .detail = "the request could not be answered",
                                             .peer = peer_});
  while (!slots_.empty() && slots_.front().ready) emit_front();
}

void Connection::emit_front() {
  Slot slot = std::move(slots_.front());
  slots_.erase(slots_.begin());
  ++first_ticket_;
  if (slots_.empty()) upgrading_ = false;
  if (slot.response.socket) return open_socket(slot.response);
  const bool drained = loop_.shared.draining && slots_.empty() && pending_.empty() &&
                       parser_.stage() == RequestParser::Stage::idle;
  const bool close = slot.close || slot.response.close || drained;
  append_response(plain_out(), slot.response,
                  {.head_only = slot.head_only, .close = close, .date = loop_.date.now()});
  if (!close) return;
  last_ = true;
  slots_.clear();
  pending_.clear();
  first_ticket_ = next_ticket_;
}

/// From here on the connection is a WebSocket. A client speaks first only after the 101: bytes that
/// are here already were meant for something else (request smuggling).
void Connection::open_socket(const Response& response) {
  if (behind_ > 0) {
    return refuse(malformed("there are bytes behind a request to upgrade"));
  }
  if (loop_.shared.draining) {
    return refuse({.status = 503, .code = "draining", .detail = "the server is shutting down"});
  }
  append_response(plain_out(), response, {.date = loop_.date.now()});
  web_socket_ = std::make_unique<WebSocket>(
      response.socket, std::make_shared<Bell>(inbox_, weak_from_this()), loop_.shared.limits);
}

/// Lets the WebSocket say what the peer has room for.
void Connection::converse() {
  bool more = true;
  for (int pull = 0; pull < most_pulls && more; ++pull) {
    more = web_socket_->pull(plain_out(), unsent());
    flush();
    if (!socket_ || !out_.empty()) return;  // once the peer has taken it, there is another turn
  }
  if (more) wait_writable();
}

void Connection::woken() {
  rung_ = false;
  settle();
}

void Connection::wait_writable() {
  if (std::exchange(writing_, true)) return;
  socket_->async_wait(Descriptor::wait_write,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        self->writing_ = false;
                        if (!error && self->socket_) self->settle();
                      });
}

void Connection::flush() {
  if (tls_ && !plain_out_.empty()) {
    tls_->send(plain_out_, out_);
    plain_out_.clear();
  }
  while (sent_ < out_.size()) {
    const auto got = ::send(socket_->native_handle(), out_.data() + sent_, out_.size() - sent_,
                            MSG_DONTWAIT | MSG_NOSIGNAL);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return wait_writable();
    if (got < 0) return close();
    sent_ += static_cast<std::size_t>(got);
    if (wait_ == Wait::write) wait_ = Wait::nothing;  // progress: its deadline starts again
  }
  out_.clear();
  sent_ = 0;
  if (out_.capacity() > most_kept) out_.shrink_to_fit();
}

/// Everything is said. Closing at once could reset the connection under a response that the peer
/// has not read yet, so our side is shut first and the peer is given a moment to close its own.
void Connection::finish() {
  if (ended_) return close();
  if (tls_ && !lingering_) {
    tls_->close(out_);
    flush();
    if (!socket_ || !out_.empty()) return;
  }
  if (!std::exchange(lingering_, true)) ::shutdown(socket_->native_handle(), SHUT_WR);
}

// ---- state ----

bool Connection::paused() const {
  if (lingering_) return false;
  return upgrading_ || slots_.size() >= loop_.shared.limits.pipeline || unsent() > most_unsent;
}

bool Connection::quiet() const {
  return slots_.empty() && pending_.empty() && out_.empty() && plain_out_.empty();
}

/// Brings the connection to rest after any event: parses what waited, sends what is ready, arms the
/// next wait.
void Connection::settle() {
  if (!socket_) return;
  const auto self = shared_from_this();
  busy_ = true;
  while (!pending_.empty() && !paused() && !last_) {
    process(std::exchange(pending_, {}));
  }
  charge(last_
             ? 0
             : parser_.buffered() + pending_.size() + (web_socket_ ? web_socket_->buffered() : 0));
  const bool overloaded = charged_ > 0 && loop_.shared.buffered > loop_.shared.limits.buffered;
  if (overloaded && web_socket_) {
    web_socket_->close({.code = SocketClose::try_later, .reason = "too many unfinished messages"},
                       plain_out());
  } else if (overloaded) {
    refuse({.status = 503, .code = "overloaded", .detail = "too many unfinished requests"});
  }
  if (parser_.awaits_continue() && slots_.empty()) {
    parser_.continued();
    plain_out().append("HTTP/1.1 100 Continue\r\n\r\n");
  }
  flush();
  if (socket_ && web_socket_) converse();
  busy_ = false;
  if (!socket_) return;
  if (web_socket_ && web_socket_->over()) last_ = true;
  if (quiet() && (last_ || ended_)) finish();
  if (!socket_) return;
  wait_readable();
  watch();
}

Connection::Wait Connection::awaited() const {
  if (lingering_) return Wait::linger;
  // A WebSocket may wait for room before it asks its handler for more.
  if (!out_.empty() || (web_socket_ && writing_)) return Wait::write;
  if (!last_ && parser_.stage() == RequestParser::Stage::head) return Wait::head;
  if (!last_ && parser_.stage() == RequestParser::Stage::body) return Wait::body;
  if (!slots_.empty() || web_socket_) return Wait::nothing;  // they have deadlines of their own
  return next_ticket_ == 0 ? Wait::first : Wait::idle;
}

std::chrono::milliseconds Connection::timeout(Wait wait) const {
  const Limits& limits = loop_.shared.limits;
  switch (wait) {
    case Wait::first:
      return loop_.shared.draining ? drain_grace : limits.header_timeout;
    case Wait::head:
      return limits.header_timeout;
    case Wait::body:
    case Wait::write:
      return limits.body_timeout;
    case Wait::linger:
      return linger_timeout;
    default:
      return loop_.shared.draining ? drain_grace : limits.idle_timeout;
  }
}

/// A deadline holds for one wait of one request and does not move when single bytes trickle in.
void Connection::watch() {
  const Wait wait = awaited();
  if (wait == wait_ && wait_ticket_ == next_ticket_) return;
  // The first byte does not start the clock again: it runs from the moment of connecting.
  const bool goes_on = wait_ == Wait::first && wait == Wait::head;
  wait_ = wait;
  wait_ticket_ = next_ticket_;
  if (!goes_on && wait != Wait::nothing) deadline_ = Loop::Clock::now() + timeout(wait);
}

void Connection::tick(Loop::Clock::time_point now) {
  bool late = false;
  for (std::uint64_t ticket = first_ticket_; ticket != next_ticket_; ++ticket) {
    if (ticket < first_ticket_) continue;
    const Slot& slot = slots_[ticket - first_ticket_];
    if (slot.ready || slot.deadline > now) continue;
    late = true;
    answer(ticket, loop_.shared.refuse({.status = 504,
                                        .code = "deadline-exceeded",
                                        .detail = "the request took too long",
                                        .peer = peer_}));
  }
  if (late) return settle();
  if (web_socket_ && !last_) {
    const std::size_t before = plain_out().size();
    if (!web_socket_->tick(now, plain_out())) return close();
    if (plain_out().size() != before) settle();
    if (!socket_) return;
  }
  if (wait_ == Wait::nothing || deadline_ > now) return;
  if (wait_ == Wait::head || wait_ == Wait::body) {
    refuse(
        {.status = 408, .code = "request-timeout", .detail = "the request did not arrive in time"});
    return settle();
  }
  close();
}

void Connection::drain() {
  if (web_socket_) {
    web_socket_->close({.code = SocketClose::going_away, .reason = "the server is shutting down"},
                       plain_out());
  }
  if (wait_ == Wait::first || wait_ == Wait::idle) wait_ = Wait::nothing;  // the grace begins
  settle();
}

void Connection::close() {
  if (!socket_) return;
  const auto self = shared_from_this();
  charge(0);
  socket_.reset();
  web_socket_.reset();
  slots_.clear();
  loop_.remove(*this);
}

}  // namespace caisson::http

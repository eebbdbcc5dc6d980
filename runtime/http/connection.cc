#include "runtime/http/connection.h"

#include <algorithm>
#include <cerrno>
#include <new>

#include <sys/socket.h>

#include "runtime/http/handshake.h"

namespace caisson::http {
namespace {

constexpr std::size_t most_unsent = std::size_t{256} * 1024;  // then no further request is read
constexpr std::size_t most_discarded =
    std::size_t{1024} * 1024;  // of a peer that was refused and talks on
constexpr int most_reads = 4;  // before other connections have their turn
// A request that was under way when the drain began is still answered.
constexpr auto drain_grace = std::chrono::milliseconds(200);
constexpr auto linger_timeout = std::chrono::milliseconds(2000);

/// Said when there is no memory to say more.
constexpr std::string_view exhausted =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
    "Connection: close\r\n\r\n";

constexpr Refused draining{
    .status = 503, .code = "draining", .detail = "the server is shutting down"};
constexpr Refused overloaded{
    .status = 503, .code = "overloaded", .detail = "too many bytes wait to be answered or sent"};

HeadLimits head_limits(const Limits& limits) {
  return {.header = limits.header,
          .target = std::min<std::size_t>(limits.header / 2, 8192),
          .body = limits.body};
}

}  // namespace

Connection::Connection(Loop& loop, Descriptor socket, std::string address,
                       std::shared_ptr<Peer> peer, const TlsContext* tls, bool late)
    : loop_(loop),
      inbox_(loop.inbox()),
      socket_(std::move(socket)),
      peer_(std::move(address)),
      counted_(std::move(peer)),
      late_(late),
      parser_(head_limits(loop.shared.limits)),
      own_(counted_->share) {
  if (tls != nullptr) tls_.emplace(*tls);
}

/// Nobody knows what the peer is about to ask, and the answer to HEAD has no body: so this has
/// none.
void Connection::turn_away(Loop& loop, int socket, std::string_view peer) {
  if (!loop.shared.secure) {
    Response response = loop.shared.refuse(
        {.status = 503, .code = "overloaded", .detail = "too many connections", .peer = peer});
    response.body.clear();
    std::erase_if(response.fields, [](const auto& field) { return field.first == "Content-Type"; });
    std::string bytes;
    static_cast<void>(append_head(bytes, response, {.close = true, .date = loop.date.now()}));
    // The bytes fit the empty send buffer of a new socket; a peer that is gone needs no answer.
    [[maybe_unused]] const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
}

/// Without memory nothing is put together any more. A peer whose requests all have their answers is
/// told so; a request without one may have been done, 503 would be wrong, and the connection ends.
void Connection::give_up() noexcept {
  if (!socket_) return;
  if (!tls_ && !web_socket_ && !last_ && out_.empty() && answered_ == next_ticket_) {
    [[maybe_unused]] const auto sent = ::send(socket_->native_handle(), exhausted.data(),
                                              exhausted.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  close();
}

/// The peer does not read, and whoever pays for its bytes may keep no more: there is nobody to
/// tell.
void Connection::cut() {
  ++loop_.shared.cut;
  close();
}

void Connection::start() {
  // Not on the listening socket: its size would be the most that a window can ever be.
  receive_into(receive_buffer);
  guard([this] { settle(); });
}

// ---- input ----

void Connection::wait_readable() {
  if (reading_ || ended_ || paused()) return;
  socket_->async_wait(Descriptor::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        self->reading_ = false;
                        if (error || !self->socket_) return;
                        self->guard([&] { self->on_readable(); });
                      });
  reading_ = true;
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
    ended_ = !tls_->receive(bytes, pending_, out_.tail());
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
  if (web_socket_) return web_socket_->receive(input, plain_out().tail());
  while (!input.empty() && !paused() && !last_) {
    switch (parser_.feed(input)) {
      case RequestParser::Stage::headed:
        behind_ = input.size();
        admit();
        break;
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

/// Asks the application about a head. Of whom it refuses no byte of the body is kept.
void Connection::admit() {
  if (late_) return refuse(draining);
  Request& head = parser_.head();
  head.peer = peer_;
  head.tls = tls_.has_value();
  Admission admission;
  try {
    admission = loop_.shared.admit(head);
  } catch (const std::bad_alloc&) {
    return refuse(overloaded);
  } catch (...) {
    admission.answer.status = unanswered;  // one request's failure is its own
  }
  if (!admission.visit) {
    const bool head_only = parser_.head_only();
    const bool goes_on = parser_.keep_alive() && parser_.skip_body();
    return turn_down(std::move(admission.answer), head_only, goes_on);
  }
  visit_ = std::move(admission.visit);
  body_ = observe::Charge(admission.share ? admission.share : counted_->share);
  expected_next_ = admission.expected;
  if (parser_.announced() > admission.most_body) return refuse(too_large);
  if (parser_.read_body(admission.most_body) == RequestParser::Stage::complete) return dispatch();
  const bool chunked = parser_.announced() == 0;
  if (chunked || parser_.announced() > receive_buffer) receive_into(receive_buffer_of_body);
}

void Connection::dispatch() {
  Request request = parser_.take();
  const bool head_only = parser_.head_only();
  const std::shared_ptr<observe::Share> share = body_.share();
  if (!request.body.empty()) {
    if (!body_.resize(request.head.size() + request.body.capacity())) return refuse(overloaded);
    request.charge = std::move(body_);
  }
  body_ = {};
  receive_into(receive_buffer);
  last_ = last_ || !parser_.keep_alive();
  upgrading_ = asks_to_upgrade(request);
  slots_.push_back({.head_only = head_only,
                    .close = !parser_.keep_alive(),
                    .deadline = Loop::Clock::now() + loop_.shared.limits.request_timeout,
                    .share = share,
                    .expected = expected_next_});
  expected_ += expected_next_;
  Reply reply(shared_from_this(), next_ticket_++);
  const auto visit = std::exchange(visit_, nullptr);
  try {
    visit->run(std::move(request), std::move(reply));
  } catch (const std::bad_alloc&) {
    reply(loop_.shared.refuse({.status = overloaded.status,
                               .code = overloaded.code,
                               .detail = overloaded.detail,
                               .peer = peer_}));
  } catch (...) {
    reply(Response{.status = unanswered});  // one request's failure is its own
  }
}

/// Answers what is not a whole request, and closes behind it.
void Connection::refuse(const Refused& refused) {
  const Refusal refusal{
      .status = refused.status, .code = refused.code, .detail = refused.detail, .peer = peer_};
  std::optional<Response> response;
  if (const auto visit = std::exchange(visit_, nullptr)) response = visit->refuse(refusal);
  using Stage = RequestParser::Stage;
  const bool head_only =
      parser_.stage() == Stage::idle ? pending_.starts_with("HEAD ") : parser_.head_only();
  const bool goes_on =
      parser_.stage() == Stage::headed && parser_.keep_alive() && parser_.skip_body();
  turn_down(response ? std::move(*response) : loop_.shared.refuse(refusal), head_only, goes_on);
}

/// The answer to a request that is not dispatched; unless the connection goes on, nothing further
/// is read.
void Connection::turn_down(Response response, bool head_only, bool goes_on) {
  slots_.push_back({.head_only = head_only, .close = !goes_on, .share = counted_->share});
  body_ = {};
  if (!goes_on) {
    last_ = true;
    parser_.stop();
    pending_ = {};
  }
  answer(next_ticket_++, std::move(response));
}

/// Charges for what the connection keeps of requests. Whoever cannot pay for more is refused.
void Connection::account() {
  if (web_socket_) {
    own_.set(0);
    const std::size_t kept = pending_.size() + web_socket_->buffered() + unsent();
    if (conversation_.resize(kept)) return;
    conversation_.set(kept);
    web_socket_->close({.code = SocketClose::try_later, .reason = "too many bytes are unsent"},
                       plain_out().tail());
    return;
  }
  const bool in_head = parser_.stage() == RequestParser::Stage::head;
  const std::size_t waiting = pending_.empty() ? 0 : pending_.capacity();
  if (!own_.resize(waiting + (in_head ? parser_.buffered() : 0))) {
    own_.set(0);
    refuse(overloaded);
  } else if (visit_ && !body_.resize(parser_.buffered())) {
    refuse(overloaded);
  }
}

/// Charges for answers that their peers have not taken, if need be at the cost of others.
bool Connection::pay() {
  while (!out_.charge() || !plain_.charge()) {
    if (!loop_.shed_unread(*this)) return false;
  }
  return true;
}

/// Sets the size of the kernel's buffer.
void Connection::receive_into(int bytes) {
  if (std::exchange(receive_buffer_, bytes) == bytes || !socket_) return;
  ::setsockopt(socket_->native_handle(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

// ---- state ----

bool Connection::paused() const {
  if (lingering_) return false;
  return upgrading_ || slots_.size() >= loop_.shared.limits.pipeline ||
         unsent() + ready_ + expected_ > most_unsent;
}

bool Connection::quiet() const {
  return slots_.empty() && pending_.empty() && out_.empty() && plain_.empty();
}

/// Brings the connection to rest after any event: parses what waited, sends what is ready, arms the
/// next wait.
void Connection::settle() {
  if (!socket_) return;
  const auto self = shared_from_this();
  busy_ = true;
  do {
    while (!pending_.empty() && !paused() && !last_) process(std::exchange(pending_, {}));
    if (!socket_) break;
    account();
    if (parser_.awaits_continue() && slots_.empty()) {
      parser_.continued();
      plain_out().append("HTTP/1.1 100 Continue\r\n\r\n");
    }
    flush();
    if (socket_ && web_socket_) converse();
  } while (socket_ && !pending_.empty() && !paused() && !last_);
  busy_ = false;
  if (!socket_) return;
  if (web_socket_ && web_socket_->over()) last_ = true;
  if (quiet() && (last_ || ended_)) finish();
  if (!socket_) return;
  if (!pay()) return cut();
  wait_readable();
  watch();
}

Connection::Wait Connection::awaited() const {
  if (lingering_) return Wait::linger;
  // A WebSocket may wait for room before it asks its handler for more.
  if (!out_.empty() || (web_socket_ && writing_)) return Wait::write;
  if (!last_ && parser_.stage() == RequestParser::Stage::head) return Wait::head;
  if (!last_ && (parser_.stage() == RequestParser::Stage::body ||
                 parser_.stage() == RequestParser::Stage::skipping)) {
    return Wait::body;
  }
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
  progress_ = 0;
  wait_ = wait;
  wait_ticket_ = next_ticket_;
  if (!goes_on && wait != Wait::nothing) deadline_ = Loop::Clock::now() + timeout(wait);
}

void Connection::tick(Loop::Clock::time_point now) {
  guard([&] { on_tick(now); });
}

void Connection::on_tick(Loop::Clock::time_point now) {
  if (lost_) return give_up();
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
    const std::size_t before = unsent();
    if (!web_socket_->tick(now, plain_out().tail())) return close();
    if (unsent() != before) settle();
    if (!socket_) return;
  }
  if (wait_ == Wait::nothing || deadline_ > now) return;
  const bool answered = parser_.stage() == RequestParser::Stage::skipping;
  if (!answered && (wait_ == Wait::head || wait_ == Wait::body)) {
    refuse(
        {.status = 408, .code = "request-timeout", .detail = "the request did not arrive in time"});
    return settle();
  }
  close();
}

void Connection::drain() {
  guard([this] {
    if (web_socket_) {
      web_socket_->close({.code = SocketClose::going_away, .reason = "the server is shutting down"},
                         plain_out().tail());
    }
    if (wait_ == Wait::first || wait_ == Wait::idle) wait_ = Wait::nothing;  // the grace begins
    settle();
  });
}

void Connection::close() {
  if (!socket_) return;
  const auto self = shared_from_this();
  socket_.reset();
  web_socket_.reset();
  visit_.reset();
  slots_.clear();
  // Whoever still has a reply to give keeps this alive, and nothing else of it.
  parser_.stop();
  pending_ = {};
  plain_ = {};
  out_ = {};
  own_ = {};
  body_ = {};
  conversation_ = {};
  wire_ = {};
  last_ = true;
  loop_.remove(*this);
}

}  // namespace caisson::http

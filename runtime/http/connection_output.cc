// The way back: answers in the order of their requests, and their bytes to the kernel.

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

#include "runtime/http/connection.h"

namespace caisson::http {
namespace {

constexpr int most_pulls = 4;           // before other connections have their turn
constexpr std::size_t most_parts = 16;  // of one write
/// Given to the kernel at once. When an answer ends in there, its lease is let go before: the peer
/// may ask again, on any connection, before this thread runs on.
constexpr std::size_t most_at_once = std::size_t{128} * 1024;
constexpr std::size_t most_encrypted = std::size_t{128} * 1024;  // waiting for the kernel
constexpr std::size_t least_progress = std::size_t{64} * 1024;   // a deadline of a write

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

void Connection::reply(std::uint64_t ticket, Response response) noexcept {
  if (!inbox_->on_loop_thread()) {
    if (!inbox_->push({shared_from_this(), ticket, std::move(response)})) lost_ = true;
    return;
  }
  guard([&] {
    answer(ticket, std::move(response));
    if (!busy_) settle();
  });
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
  expected_ -= std::exchange(slot.expected, 0);
  slot.response = response.status != unanswered
                      ? std::move(response)
                      : loop_.shared.refuse({.status = 500,
                                             .code = "internal",
                                             .detail = "the request could not be answered",
                                             .peer = peer_});
  ready_ += slot.response.body.size();
  observe::Charge& charge = slot.response.charge;
  if (!charge.share()) {
    charge = observe::Charge(std::move(slot.share), observe::Use::answer);
    if (position > 0) charge.set(slot.response.body.size());
  }
  while (!slots_.empty() && slots_.front().ready) emit_front();
}

void Connection::emit_front() {
  Slot slot = std::move(slots_.front());
  slots_.erase(slots_.begin());
  ++first_ticket_;
  ready_ -= slot.response.body.size();
  if (slots_.empty()) upgrading_ = false;
  if (slot.response.socket) {
    open_socket(slot);
    ++answered_;
    return;
  }
  // Whoever has asked for more is answered first.
  const bool done = slots_.empty() && pending_.empty() &&
                    (parser_.stage() == RequestParser::Stage::idle || late_);
  const bool drained = done && (loop_.shared.draining || loop_.shared.leaving);
  const bool close = slot.close || slot.response.close || drained;
  SendQueue& out = plain_out();
  const bool with_body =
      append_head(out.tail(), slot.response,
                  {.head_only = slot.head_only, .close = close, .date = loop_.date.now()});
  if (with_body) {
    out.append(std::move(slot.response.body));
  } else {
    slot.response.charge.set(0);
  }
  out.end_answer(
      {.lease = std::move(slot.response.lease), .charge = std::move(slot.response.charge)});
  ++answered_;
  if (!close) return;
  last_ = true;
  slots_.clear();
  expected_ = ready_ = 0;
  pending_ = {};
  first_ticket_ = next_ticket_;
}

/// From here on the connection is a WebSocket. A client speaks first only after the 101: bytes that
/// are here already were meant for something else (request smuggling).
void Connection::open_socket(const Slot& slot) {
  const auto turn_down_with = [&](const Refused& why) {
    turn_down(loop_.shared.refuse(
                  {.status = why.status, .code = why.code, .detail = why.detail, .peer = peer_}),
              slot.head_only, false);
  };
  if (behind_ > 0) return turn_down_with(malformed("there are bytes behind a request to upgrade"));
  if (loop_.shared.draining) {
    return turn_down_with(
        {.status = 503, .code = "draining", .detail = "the server is shutting down"});
  }
  static_cast<void>(append_head(plain_out().tail(), slot.response, {.date = loop_.date.now()}));
  conversation_ = observe::Charge(slot.response.charge.share(), observe::Use::answer);
  web_socket_ = std::make_unique<WebSocket>(
      slot.response.socket, std::make_shared<Bell>(inbox_, weak_from_this()), loop_.shared.limits);
}

/// Lets the WebSocket say what the peer has room for.
void Connection::converse() {
  bool more = true;
  for (int pull = 0; pull < most_pulls && more; ++pull) {
    const std::size_t waiting = unsent();
    more = web_socket_->pull(plain_out().tail(), waiting);
    flush();
    if (!socket_) return;
    if (unsent() > 0) return account();  // once the peer has taken it, there is another turn
  }
  if (more) wait_writable();
}

void Connection::woken() {
  rung_ = false;
  guard([this] { settle(); });
}

void Connection::wait_writable() {
  if (writing_) return;
  socket_->async_wait(Descriptor::wait_write,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        self->writing_ = false;
                        self->blocked_ = false;
                        if (error || !self->socket_) return;
                        self->guard([&] { self->settle(); });
                      });
  writing_ = true;
}

/// No more at once than the kernel is likely to take, so that a large answer is not kept twice.
void Connection::encrypt() {
  while (!plain_.empty() && out_.size() < most_encrypted) {
    const std::string_view piece = plain_.front().substr(0, most_encrypted / 2);
    tls_->send(piece, out_.tail());
    plain_.consume(piece.size(), &out_);
  }
}

void Connection::flush() {
  while (true) {
    if (tls_) encrypt();
    if (out_.empty()) {
      wire_.set(0);
      return;
    }
    std::array<iovec, most_parts> parts;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = out_.gather(parts, most_at_once);
    std::size_t offered = 0;
    for (std::size_t i = 0; i < message.msg_iovlen; ++i) offered += parts[i].iov_len;
    if (!blocked_) out_.let_go(offered);
    const auto got = ::sendmsg(socket_->native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != EAGAIN) return close();
    const auto sent = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    out_.consume(sent);
    progress_ += sent;
    if (wait_ == Wait::write && progress_ >= least_progress) {
      wait_ = Wait::nothing;  // its deadline starts again
    }
    if (sent == offered) continue;
    blocked_ = true;
    // Beside a large answer, which has been paid for, the kernel's part is little.
    constexpr std::size_t in_kernel = kernel_unsent + kernel_unread;
    if (wire_.bytes() == 0 && out_.paid() < 4 * in_kernel) {
      wire_ =
          observe::Charge(web_socket_ ? conversation_.share() : out_.payer(), observe::Use::answer);
      while (!wire_.resize(in_kernel)) {
        if (!loop_.shed_unread(*this)) return cut();
      }
    }
    return wait_writable();
  }
}

/// Everything is said. Closing at once could reset the connection under a response that the peer
/// has not read yet, so our side is shut first and the peer is given a moment to close its own.
void Connection::finish() {
  if (ended_) return close();
  if (tls_ && !lingering_) {
    tls_->close(out_.tail());
    flush();
    if (!socket_ || !out_.empty()) return;
  }
  if (!std::exchange(lingering_, true)) ::shutdown(socket_->native_handle(), SHUT_WR);
}

}  // namespace caisson::http

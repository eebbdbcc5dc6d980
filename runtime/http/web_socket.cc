#include "runtime/http/web_socket.h"

#include <utility>

namespace caisson::http {

WebSocket::WebSocket(std::shared_ptr<SocketHandler> handler, std::shared_ptr<SocketWaker> waker,
                     const Limits& limits)
    : handler_(std::move(handler)), limits_(limits), parser_(limits.socket_message) {
  handler_->opened(std::move(waker));
}

WebSocket::~WebSocket() { end(SocketClose::abnormal); }

void WebSocket::end(std::uint16_t code) {
  if (!std::exchange(told_, true)) handler_->closed(code);
}

void WebSocket::receive(std::string_view bytes, std::string& out) {
  if (!bytes.empty()) {
    heard_ = Clock::now();
    pinged_ = false;
  }
  while (!bytes.empty() && state_ != State::over) take(parser_.feed(bytes), out);
}

void WebSocket::take(FrameParser::Event event, std::string& out) {
  using Event = FrameParser::Event;
  switch (event) {
    case Event::text:
    case Event::binary:
      // After our close frame nothing is heard but the peer's.
      if (state_ != State::open) return;
      if (const auto why = handler_->message(parser_.payload(), event == Event::text)) {
        close(*why, out);
      }
      return;
    case Event::ping:
      if (state_ == State::open) append_frame(out, Opcode::pong, parser_.payload());
      return;
    case Event::close:
      return answer_close(out);
    case Event::failed:
      close(parser_.failure(), out);
      state_ = State::over;  // what else comes cannot be told apart
      return;
    case Event::pong:  // any byte of the peer shows that it lives
    case Event::none:
      return;
  }
}

void WebSocket::answer_close(std::string& out) {
  const auto theirs = read_close(parser_.payload());
  if (state_ == State::open) {
    // RFC 6455, section 5.5.1: the code is echoed.
    SocketClose ours = theirs ? SocketClose{.code = theirs->code} : theirs.error();
    append_close(out, ours);
    end(ours.code);
  }
  state_ = State::over;
}

void WebSocket::close(const SocketClose& why, std::string& out) {
  if (state_ != State::open) return;
  state_ = State::closing;
  close_by_ = Clock::now() + limits_.socket_close_timeout;
  append_close(out, why);
  end(why.code);
}

bool WebSocket::pull(std::string& out, std::size_t unsent) {
  const std::size_t before = out.size();
  while (state_ == State::open && unsent + (out.size() - before) < limits_.socket_unsent) {
    if (const auto why = handler_->ending()) {
      close(*why, out);
      return false;
    }
    const auto text = handler_->next();
    if (!text) {
      if (const auto why = handler_->ending()) close(*why, out);
      return false;
    }
    append_frame(out, Opcode::text, *text);
  }
  return state_ == State::open;
}

bool WebSocket::tick(Clock::time_point now, std::string& out) {
  if (state_ == State::closing) return now < close_by_;
  if (state_ == State::over) return true;
  if (const auto why = handler_->ending()) {
    close(*why, out);
    return true;
  }
  if (pinged_) return now < heard_ + limits_.socket_pong_timeout;
  if (now < heard_ + limits_.socket_ping_interval) return true;
  append_frame(out, Opcode::ping, {});
  pinged_ = true;
  heard_ = now;
  return true;
}

}  // namespace caisson::http

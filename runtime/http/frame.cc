#include "runtime/http/frame.h"

#include <algorithm>
#include <utility>

namespace caisson::http {
namespace {

constexpr std::uint8_t final_bit = 0x80;
constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::size_t longest_control = 125;
constexpr std::size_t mask_size = 4;
constexpr std::size_t most_kept = std::size_t{4} * 1024;  // capacity that an idle socket keeps

/// Codes that may stand in a close frame: RFC 6455, section 7.4, and the IANA registry.
bool may_be_sent(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

}  // namespace

FrameParser::Event FrameParser::fail(std::uint16_t code, std::string_view reason) {
  failure_ = {.code = code, .reason = std::string(reason)};
  failed_ = true;
  message_ = {};
  control_ = {};
  return Event::failed;
}

std::size_t FrameParser::header_size() const {
  if (header_have_ < 2) return 2;
  const auto length = header_[1] & 0x7fU;
  return 2 + (length == 126 ? 2U : length == 127 ? 8U : 0U) + mask_size;
}

FrameParser::Event FrameParser::feed(std::string_view& input) {
  if (failed_) return Event::failed;
  if (std::exchange(whole_, false)) forget();
  while (true) {
    while (!in_payload_ && header_have_ < header_size()) {
      if (input.empty()) return Event::none;
      header_[header_have_++] = static_cast<std::uint8_t>(input.front());
      input.remove_prefix(1);
      if (header_have_ == 2 && !check_opening()) return Event::failed;
    }
    if (!in_payload_ && !begin_payload()) return Event::failed;
    const Event event = take_payload(input);
    if (event != Event::none || in_payload_) return event;
  }
}

/// What the first two bytes of a frame can tell.
bool FrameParser::check_opening() {
  opcode_ = header_[0] & 0x0fU;
  const bool final = (header_[0] & final_bit) != 0;
  const auto refuse = [this](std::string_view reason) {
    fail(SocketClose::protocol_error, reason);
    return false;
  };
  if ((header_[0] & reserved_bits) != 0) return refuse("a reserved bit is set");
  if ((opcode_ & 7U) > 2) return refuse("the opcode is reserved");
  if ((header_[1] & mask_bit) == 0) return refuse("a client's frame is not masked");
  if (control()) {
    if (!final) return refuse("a control frame is fragmented");
    if ((header_[1] & 0x7fU) > longest_control) return refuse("a control frame is too long");
  } else if (opcode_ == 0 && fragment_ == 0) {
    return refuse("a continuation continues nothing");
  } else if (opcode_ != 0 && fragment_ != 0) {
    return refuse("a message begins inside another");
  }
  return true;
}

bool FrameParser::begin_payload() {
  const auto form = header_[1] & 0x7fU;
  missing_ = form;
  if (form >= 126) {
    missing_ = 0;
    const std::size_t end = header_size() - mask_size;
    for (std::size_t i = 2; i < end; ++i) missing_ = missing_ << 8U | header_[i];
    if (missing_ < (form == 126 ? 126U : 65536U) || missing_ >> 63U != 0) {
      fail(SocketClose::protocol_error, "a length is not in its shortest form");
      return false;
    }
  }
  if (!control()) {
    if (missing_ > limit_ - std::min(limit_, message_.size())) {
      fail(SocketClose::too_big,
           "messages are limited to " + std::to_string(limit_) + " bytes here");
      return false;
    }
    if (fragment_ == 0) fragment_ = opcode_;
  }
  in_payload_ = true;
  mask_at_ = header_size() - mask_size;
  return true;
}

FrameParser::Event FrameParser::take_payload(std::string_view& input) {
  const std::size_t size = std::min<std::size_t>(missing_, input.size());
  std::string& into = control() ? control_ : message_;
  const std::size_t start = into.size();
  into.append(input.substr(0, size));
  input.remove_prefix(size);
  const std::size_t mask = header_size() - mask_size;
  for (std::size_t i = start; i < into.size(); ++i) {
    into[i] = static_cast<char>(static_cast<std::uint8_t>(into[i]) ^ header_[mask_at_]);
    mask_at_ = mask + (mask_at_ - mask + 1) % mask_size;
  }
  missing_ -= size;
  if (!control() && fragment_ == static_cast<std::uint8_t>(Opcode::text) &&
      !utf8_.feed(std::string_view(into).substr(start))) {
    return fail(SocketClose::invalid_text, "a text is not UTF-8");
  }
  return missing_ > 0 ? Event::none : finish_frame();
}

FrameParser::Event FrameParser::finish_frame() {
  in_payload_ = false;
  header_have_ = 0;
  if (control()) {
    whole_ = true;
    switch (static_cast<Opcode>(opcode_)) {
      case Opcode::ping:
        return Event::ping;
      case Opcode::pong:
        return Event::pong;
      default:
        return Event::close;
    }
  }
  if ((header_[0] & final_bit) == 0) return Event::none;
  const bool text = std::exchange(fragment_, 0) == static_cast<std::uint8_t>(Opcode::text);
  if (text && !utf8_.complete()) return fail(SocketClose::invalid_text, "a text is not UTF-8");
  whole_ = true;
  return text ? Event::text : Event::binary;
}

/// Drops what was given out. A control frame may stand inside a message, which stays.
void FrameParser::forget() {
  std::string& given = control() ? control_ : message_;
  given.clear();
  if (given.capacity() > most_kept) given.shrink_to_fit();
  if (!control()) utf8_ = {};
}

tl::expected<SocketClose, SocketClose> read_close(std::string_view payload) {
  if (payload.empty()) return SocketClose{.code = SocketClose::no_code};
  if (payload.size() == 1) {
    return tl::unexpected(
        SocketClose{.code = SocketClose::protocol_error, .reason = "half a close code"});
  }
  const auto code = static_cast<std::uint16_t>(static_cast<std::uint8_t>(payload[0]) << 8U |
                                               static_cast<std::uint8_t>(payload[1]));
  if (!may_be_sent(code)) {
    return tl::unexpected(SocketClose{.code = SocketClose::protocol_error,
                                      .reason = "a close code that must not be sent"});
  }
  Utf8Validator utf8;
  if (!utf8.feed(payload.substr(2)) || !utf8.complete()) {
    return tl::unexpected(
        SocketClose{.code = SocketClose::invalid_text, .reason = "a reason is not UTF-8"});
  }
  return SocketClose{.code = code, .reason = std::string(payload.substr(2))};
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload,
                  std::optional<std::array<std::uint8_t, 4>> mask) {
  out.push_back(static_cast<char>(final_bit | static_cast<std::uint8_t>(opcode)));
  const std::uint8_t masked = mask ? mask_bit : 0;
  const auto append_length = [&](std::uint8_t form, unsigned bytes) {
    out.push_back(static_cast<char>(masked | form));
    while (bytes-- > 0) out.push_back(static_cast<char>(payload.size() >> (8U * bytes) & 0xffU));
  };
  if (payload.size() < 126) {
    append_length(static_cast<std::uint8_t>(payload.size()), 0);
  } else if (payload.size() < 65536) {
    append_length(126, 2);
  } else {
    append_length(127, 8);
  }
  if (!mask) {
    out.append(payload);
    return;
  }
  out.append(reinterpret_cast<const char*>(mask->data()), mask->size());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out.push_back(
        static_cast<char>(static_cast<std::uint8_t>(payload[i]) ^ (*mask)[i % mask_size]));
  }
}

void append_close(std::string& out, const SocketClose& close) {
  std::string payload;
  if (close.code != SocketClose::no_code) {
    payload.push_back(static_cast<char>(close.code >> 8U));
    payload.push_back(static_cast<char>(close.code & 0xffU));
    payload.append(close.reason, 0, longest_control - 2);
  }
  append_frame(out, Opcode::close, payload);
}

}  // namespace caisson::http

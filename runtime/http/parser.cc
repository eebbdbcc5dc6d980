#include "runtime/http/parser.h"

#include <algorithm>
#include <utility>

#include "runtime/http/text.h"

namespace caisson::http {
namespace {

/// A body is not given its announced memory before its bytes arrive.
constexpr std::size_t most_reserved = 65536;
/// A refused request's body is read past up to here, for the sake of the next request.
constexpr std::uint64_t most_skipped = 65536;
constexpr std::string_view head_method = "HEAD ";

}  // namespace

RequestParser::Stage RequestParser::refuse(const Refused& refused) {
  refused_ = refused;
  request_ = {};
  return stage_ = Stage::refused;
}

RequestParser::Stage RequestParser::feed(std::string_view& input) {
  if (stage_ == Stage::idle && !input.empty()) {
    head_only_ = false;
    if (!is(input.front(), text::token)) return refuse(malformed("the method is not a token"));
    stage_ = Stage::head;
    line_ = 0;
    request_line_seen_ = false;
  }
  if (stage_ == Stage::head) return feed_head(input);
  if (stage_ == Stage::body) return feed_body(input);
  if (stage_ == Stage::skipping) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, input.size()));
    input.remove_prefix(size);
    skip_ -= size;
    if (skip_ == 0) stage_ = Stage::idle;
  }
  return stage_;
}

RequestParser::Stage RequestParser::feed_head(std::string_view& input) {
  const std::size_t room = limits_.header - request_.head.size();
  const std::string_view window = input.substr(0, room);
  if (request_.head.size() < head_method.size()) {
    const std::string begin = request_.head + std::string(window.substr(0, head_method.size()));
    head_only_ = begin.starts_with(head_method);
  }
  std::size_t line_start = 0;
  bool ended = false;
  while (!ended) {
    const std::size_t newline = window.find('\n', line_start);
    if (newline == std::string_view::npos) break;
    const char before = newline > 0             ? window[newline - 1]
                        : request_.head.empty() ? '\0'
                                                : request_.head.back();
    if (before != '\r') return refuse(malformed("a line does not end with CRLF"));
    ended = line_ + (newline + 1 - line_start) == 2;
    line_ = 0;
    line_start = newline + 1;
    request_line_seen_ = true;
  }
  const std::size_t taken = ended ? line_start : window.size();
  request_.head.append(window.substr(0, taken));
  input.remove_prefix(taken);
  if (!ended) {
    line_ += window.size() - line_start;
    if (request_.head.size() < limits_.header) return stage_;
    return refuse(request_line_seen_
                      ? Refused{431, "header-too-large", "the head is larger than the limit"}
                      : Refused{414, "target-too-long", "the request line is too long"});
  }
  const auto framing = parse_head(request_, limits_);
  if (!framing) return refuse(framing.error());
  framing_ = *framing;
  return stage_ = Stage::headed;
}

RequestParser::Stage RequestParser::read_body(std::size_t most) {
  if (!framing_.chunked && framing_.length == 0) return stage_ = Stage::complete;
  most = std::min(most, limits_.body);
  if (framing_.length > most) return refuse(too_large);
  if (framing_.chunked) chunked_ = ChunkedDecoder(most);
  request_.body.reserve(std::min<std::size_t>(framing_.length, most_reserved));
  return stage_ = Stage::body;
}

bool RequestParser::skip_body() {
  // Whoever waits for `100 (Continue)` may leave the body out once it is refused.
  if (framing_.chunked || framing_.length > most_skipped || framing_.expects_continue) return false;
  request_ = {};
  skip_ = framing_.length;
  stage_ = skip_ > 0 ? Stage::skipping : Stage::idle;
  return true;
}

RequestParser::Stage RequestParser::feed_body(std::string_view& input) {
  if (!input.empty()) framing_.expects_continue = false;
  if (framing_.chunked) {
    if (const auto refused = chunked_.feed(input, request_.body)) return refuse(*refused);
    if (chunked_.done()) stage_ = Stage::complete;
    return stage_;
  }
  const std::size_t size = std::min(framing_.length - request_.body.size(), input.size());
  request_.body.append(input.substr(0, size));
  input.remove_prefix(size);
  if (request_.body.size() == framing_.length) stage_ = Stage::complete;
  return stage_;
}

Request RequestParser::take() {
  stage_ = Stage::idle;
  return std::exchange(request_, Request{});
}

}  // namespace caisson::http

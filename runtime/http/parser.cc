#include "runtime/http/parser.h"

#include <algorithm>
#include <utility>

#include "runtime/http/text.h"

namespace caisson::http {
namespace {

/// A body is not given its announced memory before its bytes arrive.
constexpr std::size_t most_reserved = 65536;

}  // namespace

RequestParser::Stage RequestParser::refuse(const Refused& refused) {
  refused_ = refused;
  request_ = {};
  return stage_ = Stage::refused;
}

RequestParser::Stage RequestParser::feed(std::string_view& input) {
  if (stage_ == Stage::idle && !input.empty()) {
    if (!is(input.front(), text::token)) return refuse(malformed("the method is not a token"));
    stage_ = Stage::head;
    line_ = 0;
    request_line_seen_ = false;
  }
  if (stage_ == Stage::head) feed_head(input);
  if (stage_ == Stage::body) feed_body(input);
  return stage_;
}

RequestParser::Stage RequestParser::feed_head(std::string_view& input) {
  const std::size_t room = limits_.header - request_.head.size();
  const std::string_view window = input.substr(0, room);
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
  if (!framing_.chunked && framing_.length == 0) return stage_ = Stage::complete;
  if (framing_.chunked) chunked_ = ChunkedDecoder(limits_.body);
  request_.body.reserve(std::min<std::size_t>(framing_.length, most_reserved));
  return stage_ = Stage::body;
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

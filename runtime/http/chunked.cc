#include "runtime/http/chunked.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "runtime/http/text.h"

namespace caisson::http {
namespace {

constexpr std::size_t longest_line = 1024;
constexpr std::size_t most_size_digits = 8;
constexpr std::size_t most_overhead = 8192;

std::size_t span(std::string_view s, unsigned char character_class) {
  std::size_t length = 0;
  while (length < s.size() && is(s[length], character_class)) ++length;
  return length;
}

/// Length of the quoted-string at the front of `s`; 0 when there is none.
std::size_t quoted_span(std::string_view s) {
  bool escaped = false;
  for (std::size_t i = 1; i < s.size() && is(s[i], text::field_value); ++i) {
    if (s[i] == '"' && !escaped) return i + 1;
    escaped = s[i] == '\\' && !escaped;
  }
  return 0;
}

/// `*( ";" token [ "=" ( token / quoted-string ) ] )`, without the blanks that RFC 9112 calls bad.
bool is_extension(std::string_view s) {
  while (!s.empty()) {
    if (s.front() != ';') return false;
    s.remove_prefix(1);
    const std::size_t name = span(s, text::token);
    if (name == 0) return false;
    s.remove_prefix(name);
    if (!s.starts_with('=')) continue;
    s.remove_prefix(1);
    const std::size_t value = s.starts_with('"') ? quoted_span(s) : span(s, text::token);
    if (value == 0) return false;
    s.remove_prefix(value);
  }
  return true;
}

/// Fields that say how a message is framed, routed or authorised mean nothing good after the body.
bool is_forbidden_trailer(std::string_view name) {
  constexpr std::array<std::string_view, 11> forbidden{
      "proxy-connection",  "upgrade",      "expect",     "content-length",
      "transfer-encoding", "host",         "connection", "authorization",
      "caisson-tenant",    "content-type", "trailer"};
  return std::any_of(forbidden.begin(), forbidden.end(),
                     [name](std::string_view other) { return same_name(name, other); });
}

}  // namespace

std::optional<Refused> ChunkedDecoder::take_size(std::string_view line, std::size_t body_size) {
  const std::string_view digits = line.substr(0, span(line, text::hex));
  if (digits.empty() || digits.size() > most_size_digits) {
    return malformed("a chunk has no valid size");
  }
  std::uint64_t size = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
  const std::string_view extension = line.substr(digits.size());
  overhead_ += extension.size();
  if (overhead_ > most_overhead || !is_extension(extension)) {
    return malformed("a chunk extension is malformed or too large");
  }
  if (size > body_limit_ - std::min(body_size, body_limit_)) {
    return Refused{413, "body-too-large", "the body is larger than the limit"};
  }
  chunk_left_ = size;
  state_ = size == 0 ? State::trailer : State::data;
  return {};
}

std::optional<Refused> ChunkedDecoder::take_trailer(std::string_view line) {
  if (line.empty()) {
    state_ = State::done;
    return {};
  }
  overhead_ += line.size();
  if (overhead_ > most_overhead) {
    return Refused{431, "header-too-large", "the trailer fields are too large"};
  }
  Field field;
  if (!parse_field(line, field) || is_forbidden_trailer(field.name)) {
    return malformed("a trailer field is malformed or not allowed");
  }
  return {};
}

std::optional<Refused> ChunkedDecoder::take_line(std::string_view line, const std::string& body) {
  switch (state_) {
    case State::size:
      return take_size(line, body.size());
    case State::trailer:
      return take_trailer(line);
    default:
      if (!line.empty()) return malformed("a chunk is longer than its size");
      state_ = State::size;
      return {};
  }
}

std::optional<Refused> ChunkedDecoder::feed(std::string_view& input, std::string& body) {
  while (!input.empty() && state_ != State::done) {
    if (state_ == State::data) {
      const std::size_t size = std::min(chunk_left_, input.size());
      body.append(input.substr(0, size));
      input.remove_prefix(size);
      chunk_left_ -= size;
      if (chunk_left_ == 0) state_ = State::data_end;
      continue;
    }
    const std::size_t end = input.find('\n');
    const std::size_t size = std::min(end, input.size() - 1) + 1;
    line_.append(input.substr(0, std::min(size, longest_line + 1)));
    if (line_.size() > longest_line) return malformed("a line of the chunked body is too long");
    input.remove_prefix(size);
    if (end == std::string_view::npos) return {};
    if (!line_.ends_with("\r\n"))
      return malformed("a line of the chunked body does not end with CRLF");
    if (auto refused = take_line(std::string_view(line_).substr(0, line_.size() - 2), body)) {
      return refused;
    }
    line_.clear();
  }
  return {};
}

}  // namespace caisson::http

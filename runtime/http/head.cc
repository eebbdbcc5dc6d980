#include "runtime/http/head.h"

#include <array>
#include <charconv>
#include <optional>

#include "runtime/http/text.h"

namespace caisson::http {
namespace {

using MaybeRefused = std::optional<Refused>;

constexpr Refused header_too_large{431, "header-too-large",
                                   "the head has too many or too large fields"};

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

bool is_known_method(std::string_view method) {
  constexpr std::array<std::string_view, 9> known{"GET",   "HEAD",    "POST",  "PUT",  "DELETE",
                                                  "PATCH", "OPTIONS", "QUERY", "TRACE"};
  return std::find(known.begin(), known.end(), method) != known.end();
}

/// Every '%' must start two hex digits; every other byte must be of the class (RFC 3986).
bool is_encoded(std::string_view s, unsigned char character_class) {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '%') {
      if (!is(s[i], character_class)) return false;
    } else {
      if (s.size() - i < 3 || !is(s[i + 1], text::hex) || !is(s[i + 2], text::hex)) return false;
      i += 2;
    }
  }
  return true;
}

/// Decimal digits without sign, blanks or needless zeros.
bool parse_number(std::string_view s, std::uint64_t& number) {
  if (s.empty() || !all(s, text::digit) || (s.size() > 1 && s.front() == '0')) return false;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), number);
  return error == std::errc{} && end == s.data() + s.size();
}

/// `uri-host [ ":" port ]`; leaves the host alone in `host`.
bool parse_authority(std::string_view authority, std::string_view& host) {
  std::size_t end = 0;
  if (authority.starts_with('[')) {
    end = authority.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    for (const char c : authority.substr(1, end - 1)) {
      if (!is(c, text::hex) && c != ':' && c != '.') return false;
    }
    ++end;
  } else {
    end = std::min(authority.find(':'), authority.size());
    if (end == 0 || !all(authority.substr(0, end), text::host)) return false;
  }
  host = authority.substr(0, end);
  const std::string_view rest = authority.substr(end);
  if (rest.empty()) return host.size() <= 255;
  std::uint64_t port = 0;
  return host.size() <= 255 && rest.front() == ':' && parse_number(rest.substr(1), port) &&
         port <= 65535;
}

/// The head under construction: what the fields said and the request line did not decide.
struct Draft {
  Request& request;
  const HeadLimits& limits;
  Framing framing{};
  bool version_1_0 = false;
  std::string_view target_authority{};  ///< of an absolute-form target
  std::string_view host_value{};
  bool has_length = false;
  bool has_coding = false;
};

MaybeRefused parse_target(Draft& draft, std::string_view target) {
  if (target.size() > draft.limits.target) {
    return Refused{414, "target-too-long", "the request target is too long"};
  }
  const std::size_t scheme = same_name(target.substr(0, 7), "http://")    ? 7
                             : same_name(target.substr(0, 8), "https://") ? 8
                                                                          : 0;
  if (scheme != 0) {
    const std::size_t end = std::min(target.find_first_of("/?", scheme), target.size());
    draft.target_authority = target.substr(scheme, end - scheme);
    if (draft.target_authority.empty()) return malformed("the request target has no authority");
    target.remove_prefix(end);
  }
  const std::size_t mark = std::min(target.find('?'), target.size());
  draft.request.path = target.substr(0, mark);
  if (mark < target.size()) draft.request.query = target.substr(mark + 1);
  if (scheme != 0 && draft.request.path.empty()) draft.request.path = "/";
  if (!draft.request.path.starts_with('/') || !is_encoded(draft.request.path, text::path) ||
      !is_encoded(draft.request.query, text::query)) {
    return malformed("the request target is not a valid path and query");
  }
  return {};
}

MaybeRefused parse_request_line(Draft& draft, std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos) {
    return malformed("the request line is not `method target version`");
  }
  draft.request.method = line.substr(0, first);
  const std::string_view version = line.substr(second + 1);
  if (draft.request.method.empty() || !all(draft.request.method, text::token)) {
    return malformed("the method is not a token");
  }
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is(version[5], text::digit) ||
      version[6] != '.' || !is(version[7], text::digit)) {
    return malformed("the request line does not end with an HTTP version");
  }
  draft.version_1_0 = version == "HTTP/1.0";
  if (!draft.version_1_0 && version != "HTTP/1.1") {
    return Refused{505, "http-version", "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  }
  if (!is_known_method(draft.request.method)) {
    return Refused{501, "not-implemented", "the method is not implemented"};
  }
  return parse_target(draft, line.substr(first + 1, second - first - 1));
}

MaybeRefused take_host(Draft& draft, std::string_view value) {
  if (draft.host_value.data() != nullptr) return malformed("the Host field is repeated");
  draft.host_value = value;
  if (!parse_authority(value, draft.request.host)) return malformed("the Host field is not a host");
  return {};
}

MaybeRefused take_content_length(Draft& draft, std::string_view value) {
  if (draft.has_length) return malformed("the Content-Length field is repeated");
  draft.has_length = true;
  if (!parse_number(value, draft.framing.length)) {
    return malformed("the Content-Length field is not a number");
  }
  return {};
}

MaybeRefused take_transfer_encoding(Draft& draft, std::string_view value) {
  if (draft.has_coding) return malformed("the Transfer-Encoding field is repeated");
  draft.has_coding = true;
  draft.framing.chunked = same_name(value, "chunked");
  if (!draft.framing.chunked) {
    return Refused{501, "not-implemented", "the only transfer coding implemented is chunked"};
  }
  return {};
}

MaybeRefused take_connection(Draft& draft, std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = trim(value.substr(0, comma));
    if (!all(option, text::token)) return malformed("the Connection field is not a list of tokens");
    if (same_name(option, "close")) draft.framing.keep_alive = false;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return {};
}

MaybeRefused take_expect(Draft& draft, std::string_view value) {
  if (!same_name(value, "100-continue")) {
    return Refused{417, "expectation-failed", "the only expectation known is 100-continue"};
  }
  draft.framing.expects_continue = true;
  return {};
}

MaybeRefused take_field(Draft& draft, const Field& field) {
  switch (field.name.size()) {
    case 4:
      if (same_name(field.name, "host")) return take_host(draft, field.value);
      break;
    case 6:
      if (same_name(field.name, "expect")) return take_expect(draft, field.value);
      break;
    case 10:
      if (same_name(field.name, "connection")) return take_connection(draft, field.value);
      break;
    case 14:
      if (same_name(field.name, "content-length")) return take_content_length(draft, field.value);
      break;
    case 16:
      if (same_name(field.name, "proxy-connection")) return take_connection(draft, field.value);
      break;
    case 17:
      if (same_name(field.name, "transfer-encoding")) {
        return take_transfer_encoding(draft, field.value);
      }
      break;
    default:
      break;
  }
  return {};
}

/// What only the whole head can tell.
MaybeRefused conclude(Draft& draft) {
  Framing& framing = draft.framing;
  if (draft.host_value.data() == nullptr) return malformed("the Host field is missing");
  if (draft.target_authority.data() != nullptr &&
      !same_name(draft.target_authority, draft.host_value)) {
    return malformed("the request target and the Host field name different hosts");
  }
  if (draft.has_coding && draft.has_length) {
    return malformed("the message has both Content-Length and Transfer-Encoding");
  }
  if (draft.version_1_0) {
    if (draft.has_coding) return malformed("HTTP/1.0 has no Transfer-Encoding");
    const auto method = draft.request.method;
    if (!draft.has_length && (method == "POST" || method == "PUT" || method == "PATCH")) {
      return Refused{411, "length-required",
                     "an HTTP/1.0 request with a body needs a Content-Length"};
    }
    framing.keep_alive = false;
    framing.expects_continue = false;
  }
  if (framing.length > draft.limits.body) {
    return too_large;
  }
  return {};
}

}  // namespace

bool parse_field(std::string_view line, Field& field) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  field.name = line.substr(0, colon);
  field.value = trim(line.substr(colon + 1));
  return all(field.name, text::token) && all(field.value, text::field_value);
}

tl::expected<Framing, Refused> parse_head(Request& request, const HeadLimits& limits) {
  Draft draft{.request = request, .limits = limits};
  std::string_view rest = request.head;
  const auto next_line = [&rest] {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    return line;
  };
  if (const auto refused = parse_request_line(draft, next_line())) return tl::unexpected(*refused);
  request.fields.reserve(16);
  while (true) {
    const std::string_view line = next_line();
    if (line.empty()) break;
    if (request.fields.size() == limits.fields) return tl::unexpected(header_too_large);
    Field& field = request.fields.emplace_back();
    if (!parse_field(line, field)) return tl::unexpected(malformed("a field line is malformed"));
    if (const auto refused = take_field(draft, field)) return tl::unexpected(*refused);
  }
  if (const auto refused = conclude(draft)) return tl::unexpected(*refused);
  // The host is compared and looked up without case; its bytes are ours to change.
  char* const host = request.head.data() + (request.host.data() - request.head.data());
  std::transform(host, host + request.host.size(), host, lower);
  return draft.framing;
}

}  // namespace caisson::http

#include "conformance/wire/http.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <boost/json.hpp>

namespace caisson::conformance {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

bool has(const Headers& headers, std::string_view name) {
  return std::ranges::any_of(headers,
                             [&](const auto& field) { return same_name(field.first, name); });
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Status line and fields; false when the text is no HTTP/1 response head.
bool parse_head(std::string_view head, HttpResponse& response) {
  const auto line_end = head.find("\r\n");
  const std::string_view status_line = head.substr(0, line_end);
  if (!status_line.starts_with("HTTP/1.") || status_line.size() < 12) return false;
  const char* const code = status_line.data() + 9;
  if (std::from_chars(code, code + 3, response.status).ptr != code + 3) return false;
  auto rest = line_end == std::string_view::npos ? std::string_view{} : head.substr(line_end + 2);
  while (!rest.empty()) {
    const auto end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return false;
    response.headers.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 2);
  }
  return true;
}

std::optional<std::size_t> parse_size(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

}  // namespace

std::string HttpRequest::bytes() const {
  std::string out = method + " " + target + " HTTP/1.1\r\n";
  if (!bare && !has(headers, "host")) out += "Host: " + host + "\r\n";
  for (const auto& [name, value] : headers) out += name + ": " + value + "\r\n";
  const bool framed = has(headers, "content-length") || has(headers, "transfer-encoding");
  const bool expects = !body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
  if (!bare && !framed && expects) out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return out + "\r\n" + body;
}

std::string_view HttpResponse::field(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return value;
  }
  return {};
}

std::string HttpResponse::problem() const {
  static constexpr std::string_view prefix = "urn:caisson:problem:";
  const std::string type = json_string(body, "type");
  return type.starts_with(prefix) ? type.substr(prefix.size()) : std::string();
}

std::string HttpResponse::summary() const {
  const std::string code = problem();
  return std::to_string(status) + (code.empty() ? "" : " " + code);
}

std::string json_string(std::string_view json, std::string_view member) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse({json.data(), json.size()}, error);
  if (error || !value.is_object()) return {};
  const boost::json::value* found = value.get_object().if_contains({member.data(), member.size()});
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

Result<HttpConnection> HttpConnection::open(const Endpoint& endpoint, Deadline deadline) {
  auto connection = Connection::open(endpoint, deadline);
  if (!connection) return tl::unexpected(connection.error());
  return HttpConnection(std::move(*connection));
}

Result<void> HttpConnection::send(std::string_view bytes, Deadline deadline) {
  sent_ = std::chrono::steady_clock::now();
  return connection_.send(bytes, deadline);
}

Result<bool> HttpConnection::more(Deadline deadline) {
  std::array<char, 16384>
      block;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by receive
  const auto got = connection_.receive(block.data(), block.size(), deadline);
  if (!got) return tl::unexpected(got.error());
  buffer_.append(block.data(), *got);
  return *got > 0;
}

Result<std::size_t> HttpConnection::head(HttpResponse& response, std::size_t limit,
                                         Deadline deadline) {
  std::size_t end = std::string::npos;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (buffer_.size() > limit) return fail("response head is larger than the harness reads");
    const auto open = more(deadline);
    if (!open) return tl::unexpected(open.error());
    if (!*open)
      return fail(buffer_.empty() ? "connection closed without a response"
                                  : "connection closed inside a response head");
  }
  if (!parse_head(std::string_view(buffer_).substr(0, end), response))
    return fail("the answer is not HTTP/1");
  return end + 4;
}

Result<int> HttpConnection::next_status(Deadline deadline) {
  HttpResponse response;
  const auto size = head(response, ResponseLimits{}.head, deadline);
  if (!size) return tl::unexpected(size.error());
  return response.status;
}

Result<HttpResponse> HttpConnection::read(Deadline deadline, bool head_only,
                                          ResponseLimits limits) {
  HttpResponse response;
  const auto need = [&](std::size_t size) -> Result<void> {
    while (buffer_.size() < size) {
      if (size > limits.head + limits.body)
        return fail("response is larger than the harness reads");
      const auto open = more(deadline);
      if (!open) return tl::unexpected(open.error());
      if (!*open) return fail("connection closed inside a response");
    }
    return {};
  };

  const auto head_size = head(response, limits.head, deadline);
  if (!head_size) return tl::unexpected(head_size.error());
  std::size_t position = *head_size;
  if (response.status < 200 && response.status != 101) {
    buffer_.erase(0, position);
    return read(deadline, head_only, limits);
  }

  const bool empty =
      head_only || response.status == 101 || response.status == 204 || response.status == 304;
  const std::string_view coding = response.field("transfer-encoding");
  const auto length = parse_size(response.field("content-length"), 10);
  response.closes = same_name(response.field("connection"), "close");
  if (empty) {
    // no body follows
  } else if (same_name(coding, "chunked")) {
    for (;;) {
      std::size_t line_end = std::string::npos;
      while ((line_end = buffer_.find("\r\n", position)) == std::string::npos) {
        if (auto fed = need(buffer_.size() + 1); !fed) return tl::unexpected(fed.error());
      }
      const auto size =
          parse_size(std::string_view(buffer_).substr(position, line_end - position), 16);
      if (!size || *size > limits.body) return fail("malformed chunk in a response");
      position = line_end + 2;
      if (auto fed = need(position + *size + 2); !fed) return tl::unexpected(fed.error());
      response.body.append(buffer_, position, *size);
      position += *size + 2;
      if (*size == 0) break;
    }
  } else if (length) {
    if (*length > limits.body) return fail("response is larger than the harness reads");
    if (auto fed = need(position + *length); !fed) return tl::unexpected(fed.error());
    response.body = buffer_.substr(position, *length);
    position += *length;
  } else {
    response.closes = true;
    for (;;) {
      const auto open = more(deadline);
      if (!open) return tl::unexpected(open.error());
      if (!*open) break;
      if (buffer_.size() > limits.head + limits.body)
        return fail("response is larger than the harness reads");
    }
    response.body = buffer_.substr(position);
    position = buffer_.size();
  }
  response.raw = buffer_.substr(0, position);
  buffer_.erase(0, position);
  response.micros = std::chrono::duration_cast<std::chrono::microseconds>(
                        std::chrono::steady_clock::now() - sent_)
                        .count();
  return response;
}

Result<HttpResponse> HttpConnection::exchange(const HttpRequest& request, Deadline deadline) {
  if (auto sent = send(request.bytes(), deadline); !sent) return tl::unexpected(sent.error());
  return read(deadline, request.method == "HEAD");
}

std::string HttpConnection::drain(Deadline deadline, std::size_t limit) {
  while (buffer_.size() < limit) {
    const auto open = more(deadline);
    if (!open || !*open) break;
  }
  return std::exchange(buffer_, {});
}

Result<std::string> HttpConnection::read_some(Deadline deadline) {
  if (buffer_.empty()) {
    if (const auto open = more(deadline); !open) return tl::unexpected(open.error());
  }
  return std::exchange(buffer_, {});
}

bool HttpConnection::closed(Deadline deadline) {
  if (!buffer_.empty()) return false;
  const auto open = more(deadline);
  // A reset is a close, too; only silence until the deadline is not.
  return open ? !*open : std::chrono::steady_clock::now() < deadline;
}

Result<HttpResponse> exchange(const Endpoint& endpoint, const HttpRequest& request,
                              Deadline deadline) {
  auto connection = HttpConnection::open(endpoint, deadline);
  if (!connection) return tl::unexpected(connection.error());
  return connection->exchange(request, deadline);
}

}  // namespace caisson::conformance

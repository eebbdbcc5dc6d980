#include "runtime/http/handshake.h"

#include <algorithm>
#include <array>
#include <utility>

#include <openssl/evp.h>

#include "runtime/http/text.h"

namespace caisson::http {
namespace {

constexpr std::string_view version = "13";
constexpr std::size_t most_protocols = 16;

Refused upgrade_required(std::string_view detail) {
  return {.status = 426, .code = "upgrade-required", .detail = detail};
}

/// The tokens of a list; nothing when an element is no token.
std::optional<std::vector<std::string_view>> tokens_of(std::string_view list) {
  std::vector<std::string_view> tokens;
  while (true) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view token = list.substr(0, comma);
    while (token.starts_with(' ') || token.starts_with('\t')) token.remove_prefix(1);
    while (token.ends_with(' ') || token.ends_with('\t')) token.remove_suffix(1);
    if (token.empty() || !all(token, text::token)) return {};
    tokens.push_back(token);
    if (comma == list.size()) return tokens;
    list.remove_prefix(comma + 1);
  }
}

/// Sixteen bytes in base64, as an encoder writes them (RFC 4648, section 4).
bool is_key(std::string_view key) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (key.size() != 24 || !key.ends_with("==")) return false;
  const std::string_view value = key.substr(0, 22);
  return value.find_first_not_of(digits) == std::string_view::npos &&
         std::string_view("AQgw").find(value.back()) != std::string_view::npos;
}

std::string accept_value(std::string_view key) {
  std::string text(key);
  text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, section 1.3
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::array<unsigned char, 32> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(length)};
}

bool has_body(const Request& request) {
  const std::string_view length = request.field("Content-Length");
  return !request.body.empty() || request.count("Transfer-Encoding") > 0 ||
         request.count("Expect") > 0 || (length.data() != nullptr && length != "0");
}

bool is_http_1_1(const Request& request) {
  const std::string_view head = request.head;
  return head.substr(0, head.find("\r\n")).ends_with(" HTTP/1.1");
}

}  // namespace

bool asks_to_upgrade(const Request& request) { return request.count("Upgrade") > 0; }

tl::expected<SocketHandshake, Refused> read_handshake(const Request& request) {
  const auto refuse = [](const Refused& refused) { return tl::unexpected(refused); };
  if (!asks_to_upgrade(request)) return refuse(upgrade_required("this is a WebSocket (RFC 6455)"));
  if (!is_http_1_1(request)) return refuse(malformed("a WebSocket begins with HTTP/1.1"));
  if (request.method != "GET") return refuse(malformed("a WebSocket begins with GET"));
  if (has_body(request)) return refuse(malformed("a WebSocket's request has no body"));
  if (!same_name(request.field("Upgrade"), "websocket")) {
    return refuse(upgrade_required("the only protocol to upgrade to is websocket"));
  }
  const auto options = tokens_of(request.field("Connection"));
  if (!options || std::ranges::none_of(*options, [](std::string_view option) {
        return same_name(option, "upgrade");
      })) {
    return refuse(malformed("the Connection field does not say upgrade"));
  }
  if (std::ranges::any_of(*options,
                          [](std::string_view option) { return same_name(option, "close"); })) {
    return refuse(malformed("the Connection field says both upgrade and close"));
  }
  if (request.count("Sec-WebSocket-Version") != 1) {
    return refuse(malformed("one Sec-WebSocket-Version is required"));
  }
  if (request.field("Sec-WebSocket-Version") != version) {
    return refuse(upgrade_required("the only version of WebSocket spoken here is 13"));
  }
  SocketHandshake handshake{.key = request.field("Sec-WebSocket-Key"), .protocols = {}};
  if (!is_key(handshake.key)) {
    return refuse(malformed("one Sec-WebSocket-Key of 16 bytes in base64 is required"));
  }
  if (request.count("Sec-WebSocket-Protocol") > 0) {
    auto protocols = tokens_of(request.field("Sec-WebSocket-Protocol"));
    if (!protocols || protocols->size() > most_protocols) {
      return refuse(malformed("the Sec-WebSocket-Protocol field is not one list of tokens"));
    }
    handshake.protocols = std::move(*protocols);
  }
  return handshake;
}

Response accept_socket(const SocketHandshake& handshake, std::shared_ptr<SocketHandler> handler,
                       std::string_view protocol) {
  Response response{.status = 101,
                    .fields = {{"Upgrade", "websocket"},
                               {"Connection", "Upgrade"},
                               {"Sec-WebSocket-Accept", accept_value(handshake.key)}}};
  if (!protocol.empty()) response.fields.emplace_back("Sec-WebSocket-Protocol", protocol);
  response.socket = std::move(handler);
  return response;
}

}  // namespace caisson::http

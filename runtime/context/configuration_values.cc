#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>

#include "base/label.h"
#include "runtime/context/configuration.h"

namespace caisson::context {
namespace {

constexpr std::array<std::string_view, 4> algorithm_names{"EdDSA", "ES256", "RS256", "HS256"};

/// What the server calls a peer that came over a Unix socket.
constexpr std::string_view unix_peer = "unix";

/// The address in 16 bytes, IPv4 mapped; nothing when it is neither.
std::optional<std::array<unsigned char, 16>> parse_address(std::string_view text, bool& v4) {
  std::array<unsigned char, 16> bytes{};
  const std::string terminated(text);
  v4 = inet_pton(AF_INET, terminated.c_str(), &bytes[12]) == 1;
  if (v4) {
    bytes[10] = bytes[11] = 0xFF;
    return bytes;
  }
  bytes = {};
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return bytes;
  return std::nullopt;
}

}  // namespace

std::string_view name(Algorithm algorithm) noexcept {
  return algorithm_names[static_cast<std::size_t>(algorithm)];
}

std::optional<Algorithm> algorithm_named(std::string_view name) noexcept {
  const auto found = std::ranges::find(algorithm_names, name);
  if (found == algorithm_names.end()) return std::nullopt;
  return static_cast<Algorithm>(found - algorithm_names.begin());
}

bool is_slug(std::string_view text) noexcept { return text.size() <= 40 && is_label(text); }

bool looks_like_id(std::string_view text) noexcept {
  constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::ranges::equal(text, form, [](char c, char x) {
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    return x == '-' ? c == '-' : digit;
  });
}

std::string_view slug_defect(std::string_view text) noexcept {
  if (!is_slug(text))
    return "must be 1 to 40 lower-case letters, digits and '-', with '-' only inside";
  if (looks_like_id(text)) return "has the form of a tenant's id; choose another name";
  return {};
}

bool is_domain(std::string_view text) noexcept {
  if (text.size() > 253) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_address(std::string_view host) noexcept {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  bool v4 = false;
  return parse_address(host, v4).has_value();
}

std::optional<Network> parse_network(std::string_view cidr) {
  if (cidr == unix_peer) return Network{.local = true};
  const std::size_t slash = cidr.find('/');
  bool v4 = false;
  const auto address = parse_address(cidr.substr(0, slash), v4);
  if (!address) return std::nullopt;
  const int most = v4 ? 32 : 128;
  int bits = most;
  if (slash != std::string_view::npos) {
    const std::string_view digits = cidr.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc{} || end != digits.data() + digits.size() || bits < 0 || bits > most) {
      return std::nullopt;
    }
  }
  return Network{.address = *address, .bits = bits + 128 - most};
}

bool Network::contains(std::string_view text) const {
  if (local || text == unix_peer) return local && text == unix_peer;
  bool v4 = false;
  const auto other = parse_address(text, v4);
  if (!other) return false;
  for (int bit = 0; bit < bits; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if (((address[byte] ^ (*other)[byte]) & mask) != 0) return false;
  }
  return true;
}

}  // namespace caisson::context

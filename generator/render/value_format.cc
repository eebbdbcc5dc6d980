#include "generator/render/value_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <regex>
#include <string>

#include <arpa/inet.h>

namespace caisson::render {
namespace {

constexpr std::size_t longest_matched = 1024;

/// What Compose fills in when it reads the file is whatever the host says.
bool is_filled_in(std::string_view text) { return text.find('$') != std::string_view::npos; }

template <const std::string_view& form>
bool in_compose(std::string_view text) {
  return is_filled_in(text) || matches_all(text, form);
}

// As compose-go reads them, each what `docker compose config` or the engine refuses otherwise.
constexpr std::string_view duration_form =
    "\\+?(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|\u00b5s|ms|s|m|h))+|0";
constexpr std::string_view byte_size_form =
    "\\+?([0-9]+\\.?[0-9]*|\\.[0-9]+) ?([kKmMgGtTpP]([iI]?[bB])?|[bB])?";
constexpr std::string_view restart_form = "no|always|unless-stopped|on-failure(:[0-9]{1,9})?|";
constexpr std::string_view truth_form =
    "1|0|t|f|T|F|true|false|TRUE|FALSE|True|False|yes|no|y|n|on|off|Yes|No|YES|NO|Y|N|On|Off|ON|"
    "OFF";
constexpr std::string_view number_form = "-?[0-9]+(\\.[0-9]+)?";
constexpr std::string_view whole_form = "-?[0-9]+";
constexpr std::string_view natural_form = "[0-9]+";
constexpr std::string_view signal_form = "(SIG)?[A-Z]+[0-9]?([+-][0-9]+)?|[0-9]{1,2}";
constexpr std::string_view mode_form = "none|host|bridge|(service|container):.+|[a-zA-Z0-9._-]+";
constexpr std::string_view protocol_form = "[tT][cC][pP]|[uU][dD][pP]|[sS][cC][tT][pP]";
constexpr std::string_view volume_form = "bind|volume|tmpfs|cluster|npipe|image";
constexpr std::string_view exactly_once_form = "replicated|global|replicated-job|global-job";
constexpr std::string_view condition_form = "none|on-failure|any";

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// How many ports "80" or "8000-8010" has; 0 when it is none.
int count_ports(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = read_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : read_port(text.substr(dash + 1));
  return first && last && *first <= *last ? *last - *first + 1 : 0;
}

bool is_port_range(std::string_view text) { return count_ports(text) > 0; }

bool is_published(std::string_view text) {
  return text.empty() || is_filled_in(text) || is_port_range(text);
}

bool is_ip(std::string_view text, int& most_bits) {
  const std::string terminated(text);
  std::array<unsigned char, 16> bytes{};
  most_bits = 32;
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return true;
  most_bits = 128;
  return inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1;
}

bool is_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  int bits = 0;
  return is_ip(text, bits);
}

bool is_optional_address(std::string_view text) {
  return text.empty() || is_filled_in(text) || is_address(text);
}

/// Compose's short form: [[address:]published:]container[/protocol].
bool is_port_mapping(std::string_view text) {
  if (is_filled_in(text)) return true;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos && !matches_all(text.substr(slash + 1), protocol_form))
    return false;
  text = text.substr(0, slash);
  const auto last = text.rfind(':');
  const auto container = text.substr(last == std::string_view::npos ? 0 : last + 1);
  if (!is_port_range(container) || container == "0") return false;
  if (last == std::string_view::npos) return true;
  text = text.substr(0, last);
  const auto before = text.ends_with(']') ? std::string_view::npos : text.rfind(':');
  if (before == std::string_view::npos && is_address(text)) return true;
  const auto published = before == std::string_view::npos ? text : text.substr(before + 1);
  // Of several ports each is published at one; a single one at any of several.
  const int ports = count_ports(container);
  const int outside = count_ports(published);
  if (!published.empty() && (outside == 0 || (ports > 1 && outside != ports))) return false;
  return before == std::string_view::npos || is_address(text.substr(0, before));
}

// As `caisson-runtime` reads them (docs/runtime.md).

bool is_peer(std::string_view text) { return text == "unix" || is_network(text); }

bool is_listen_address(std::string_view text) {
  constexpr std::string_view local = "unix:/";
  constexpr std::size_t longest_path = 107;  // unix(7)
  if (text.starts_with(local)) return text.size() - local.size() < longest_path;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !read_port(text.substr(colon + 1))) return false;
  const auto host = text.substr(0, colon);
  if (host.starts_with('[') == (host.find(':') == std::string_view::npos)) return false;
  const bool named = is_domain_name(host) &&
                     std::ranges::any_of(host, [](char c) { return c >= 'a' && c <= 'z'; });
  return named || is_address(host);
}

bool is_own_domain(std::string_view text) {
  return is_domain_name(text) && text.find('.') != std::string_view::npos;
}

constexpr std::size_t longest_slug = 40;

bool is_tenant(std::string_view text) {
  constexpr std::string_view id = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
  return text.size() <= longest_slug && text.find('.') == std::string_view::npos &&
         is_domain_name(text) && !matches_all(text, id);
}

bool is_not_empty(std::string_view text) { return !text.empty(); }

bool is_key_file(std::string_view text) { return text.find("://") == std::string_view::npos; }

constexpr std::array<ValueFormat, 23> formats{{
    {"address", "is no IP address", "write 127.0.0.1 or ::1", is_optional_address},
    {"byte-size", "is no size", "write a number with a unit, as 512m or 2g",
     in_compose<byte_size_form>},
    {"domain", "is no domain", "write it in lower case, as acme.example.com", is_domain_name},
    {"duration", "is no time", "write a number with a unit, as 30s, 500ms or 1m30s",
     in_compose<duration_form>},
    {"key-file", "is a URL", "name a file: keys are not fetched", is_key_file},
    {"listen-address", "is no address to listen at",
     "write address:port, as 127.0.0.1:8080, or unix:/path", is_listen_address},
    {"mount", "is no kind of volume",
     "write 'bind', 'volume', 'tmpfs', 'cluster', 'npipe' or 'image'", in_compose<volume_form>},
    {"natural", "is no whole number from 0 on", "write 0 or more", in_compose<natural_form>},
    {"network-mode", "is no network mode",
     "write 'none', 'host', 'bridge', 'service:NAME' or a network", in_compose<mode_form>},
    {"not-empty", "is empty", "write something", is_not_empty},
    {"number", "is no number", "write a number", in_compose<number_form>},
    {"own-domain", "is no domain of a tenant", "write it in lower case, as shop.example.com",
     is_own_domain},
    {"peer", "is no network", "write a network, as 10.0.0.0/8, or 'unix'", is_peer},
    {"port", "is no port", "write a port from 0 to 65535, or a range of them, as 8000-8010",
     is_published},
    {"port-mapping", "is no port",
     "write ports from 0 to 65535, as '8080:80' or '127.0.0.1:8080:80/tcp'", is_port_mapping},
    {"protocol", "is no protocol", "write 'tcp', 'udp' or 'sctp'", in_compose<protocol_form>},
    {"replication", "is no mode", "write 'replicated', 'global', 'replicated-job' or 'global-job'",
     in_compose<exactly_once_form>},
    {"restart", "is no restart policy",
     "write 'no', 'always', 'unless-stopped', 'on-failure' or 'on-failure:3'",
     in_compose<restart_form>},
    {"restart-condition", "is no condition", "write 'none', 'on-failure' or 'any'",
     in_compose<condition_form>},
    {"signal", "is no signal", "write its name, as SIGTERM", in_compose<signal_form>},
    {"tenant", "is no slug of a tenant",
     "write lower-case letters, digits and '-' inside, 40 at most", is_tenant},
    {"truth", "is neither true nor false", "write true or false", in_compose<truth_form>},
    {"whole", "is no whole number", "write a whole number", in_compose<whole_form>},
}};

}  // namespace

bool is_network(std::string_view text) {
  const auto slash = text.find('/');
  int most = 0;
  if (!is_ip(text.substr(0, slash), most)) return false;
  if (slash == std::string_view::npos) return true;
  const auto digits = text.substr(slash + 1);
  int bits = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  return error == std::errc{} && end == digits.data() + digits.size() && bits >= 0 && bits <= most;
}

const ValueFormat* value_format(std::string_view name) {
  const auto* const found = std::ranges::find(formats, name, &ValueFormat::name);
  return found == formats.end() ? nullptr : found;
}

bool matches_all(std::string_view text, std::string_view form, bool ignore_case) {
  if (text.size() > longest_matched) return false;
  static std::map<std::pair<std::string, bool>, std::regex> known;
  const std::pair key(std::string(form), ignore_case);
  auto found = known.find(key);
  if (found == known.end()) {
    const auto flags =
        std::regex::ECMAScript | (ignore_case ? std::regex::icase : std::regex::flag_type{});
    found = known.emplace(key, std::regex(key.first, flags)).first;
  }
  return std::regex_match(text.begin(), text.end(), found->second);
}

bool is_domain_name(std::string_view text) {
  constexpr std::size_t longest = 253;
  constexpr std::size_t longest_label = 63;
  if (text.size() > longest) return false;
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  while (true) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    if (label.empty() || label.size() > longest_label || !plain(label.front()) ||
        !plain(label.back()) ||
        !std::ranges::all_of(label, [&](char c) { return plain(c) || c == '-'; }))
      return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace caisson::render

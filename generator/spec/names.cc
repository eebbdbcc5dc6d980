// Names: slugs, versions, hosts, addresses, images and references to secrets.

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <arpa/inet.h>

#include "base/hex.h"
#include "base/label.h"
#include "base/suggestion.h"
#include "generator/spec/scalars.h"

namespace caisson::spec {
namespace {

constexpr std::size_t longest_slug = 40;
constexpr std::size_t longest_domain = 253;
constexpr std::size_t longest_version = 128;
constexpr std::size_t longest_tag = 128;
constexpr std::size_t longest_repository = 255;
constexpr std::size_t longest_variable = 255;

constexpr bool lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool alphanumeric(char c) { return lower(c) || upper(c) || digit(c); }

// The nearest slug to what was written, or empty when nothing of it is left.
std::string as_slug(std::string_view text) {
  std::string slug;
  for (const char c : text) {
    if (upper(c))
      slug += static_cast<char>(c - 'A' + 'a');
    else if (lower(c) || digit(c))
      slug += c;
    else if (!slug.empty() && slug.back() != '-')
      slug += '-';
  }
  slug.resize(std::min(slug.size(), longest_slug));
  while (slug.ends_with('-')) slug.pop_back();
  return slug;
}

Parsed<std::string> parse_slug(std::string_view text) {
  if (is_label(text, longest_slug)) return std::string(text);
  if (text.size() > longest_slug) return tl::unexpected<std::string>("at most 40 characters");
  const std::string slug = as_slug(text);
  const bool name = !slug.empty() && !says_all(slug) && !says_nothing(slug);
  return tl::unexpected("use lower-case letters, digits and '-' inside" +
                        (name ? "; did you mean '" + slug + "'?" : ""));
}

Parsed<SecretRef> parse_secret_ref(std::string_view text) {
  auto slug = parse_slug(text);
  if (slug) return SecretRef{*std::move(slug)};
  if (text.starts_with("${secret:") && text.ends_with('}')) {
    return tl::unexpected("write the name alone: " + std::string(text.substr(9, text.size() - 10)));
  }
  return tl::unexpected<std::string>("write the name of a secret that 'secrets' declares");
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, digit) && (text == "0" || text.front() != '0');
}

// Dot-separated identifiers of a pre-release or of build metadata (semver.org, 9 and 10).
bool are_identifiers(std::string_view text, bool numbers_without_zeros) {
  for (;;) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    const bool number = std::ranges::all_of(part, digit);
    if (part.empty() ||
        !std::ranges::all_of(part, [](char c) { return alphanumeric(c) || c == '-'; }) ||
        (number && numbers_without_zeros && !is_number(part))) {
      return false;
    }
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

Parsed<std::string> parse_semver(std::string_view text) {
  if (text.size() > longest_version) return tl::unexpected<std::string>("at most 128 characters");
  const std::size_t plus = text.find('+');
  const std::string_view release = text.substr(0, plus);
  const std::size_t dash = release.find('-');
  const std::string_view core = release.substr(0, dash);
  const bool three = std::ranges::count(core, '.') == 2;
  bool good = three;
  for (std::size_t begin = 0; good && begin <= core.size();) {
    const std::size_t end = std::min(core.find('.', begin), core.size());
    good = is_number(core.substr(begin, end - begin));
    begin = end + 1;
  }
  good = good &&
         (dash == std::string_view::npos || are_identifiers(release.substr(dash + 1), true)) &&
         (plus == std::string_view::npos || are_identifiers(text.substr(plus + 1), false));
  if (good) return std::string(text);
  if (text.starts_with('v')) return tl::unexpected<std::string>("write it without the 'v'");
  if (!three && std::ranges::all_of(core, [](char c) { return digit(c) || c == '.'; }) &&
      !core.empty() && core.size() < 16 && core.front() != '.' && core.back() != '.') {
    const auto dots = std::ranges::count(core, '.');
    if (dots < 2)
      return tl::unexpected("three numbers: did you mean " + std::string(core) +
                            (dots == 0 ? ".0.0?" : ".0?"));
  }
  return tl::unexpected<std::string>("write three numbers as 1.4.0");
}

bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > longest_domain) return false;
  for (;;) {
    const std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot), longest_label)) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_too_long(std::string_view domain) {
  std::size_t label = 0;
  const bool long_label = std::ranges::any_of(
      domain, [&label](char c) { return (label = c == '.' ? 0 : label + 1) > longest_label; });
  return long_label || domain.size() > longest_domain;
}

bool is_address(int family, std::string_view text) {
  std::array<unsigned char, 16> address{};
  return text.size() < 64 && inet_pton(family, std::string(text).c_str(), address.data()) == 1;
}

/// The IPv4 address that an IPv6 one stands for (RFC 4291, 2.5.5.2): what goes there leaves as
/// IPv4, and no rule for the other form meets it.
std::optional<std::string> mapped(std::string_view text) {
  std::array<unsigned char, 16> bytes{};
  if (text.size() >= 64 || inet_pton(AF_INET6, std::string(text).c_str(), bytes.data()) != 1)
    return std::nullopt;
  constexpr std::array<unsigned char, 12> prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (!std::equal(prefix.begin(), prefix.end(), bytes.begin())) return std::nullopt;
  std::array<char, INET_ADDRSTRLEN> address{};
  inet_ntop(AF_INET, &bytes[prefix.size()], address.data(), address.size());
  return address.data();
}

Parsed<std::string> parse_domain(std::string_view text) {
  if (is_domain(text) && !is_address(AF_INET, text)) return std::string(text);
  if (text.find("://") != std::string_view::npos)
    return tl::unexpected<std::string>("a host name alone, without a scheme");
  if (text.find_first_of("/:") != std::string_view::npos)
    return tl::unexpected<std::string>("a host name alone, without port or path");
  if (text.starts_with("*."))
    return tl::unexpected<std::string>("name each domain; wildcards are not supported");
  if (std::ranges::any_of(text, upper))
    return tl::unexpected<std::string>("write it in lower case");
  if (text.ends_with('.')) return tl::unexpected<std::string>("without the dot at the end");
  if (std::ranges::any_of(text,
                          [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; })) {
    return tl::unexpected<std::string>("write an international name in its xn-- form");
  }
  if (is_too_long(text))
    return tl::unexpected<std::string>("at most 63 characters between two dots, and 253 in all");
  return tl::unexpected<std::string>("write a host name as acme.example.com");
}

Parsed<std::string> parse_email(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-/=?^_`{|}~.";
  const std::size_t at = text.rfind('@');
  const std::string_view local = text.substr(0, at);
  if (at != std::string_view::npos && at > 0 && at <= 64 && text.find('@') == at &&
      std::ranges::all_of(local, [&](char c) {
        return alphanumeric(c) || others.find(c) != std::string_view::npos;
      })) {
    std::string host(text.substr(at + 1));
    std::ranges::transform(host, host.begin(),
                           [](char c) { return upper(c) ? static_cast<char>(c - 'A' + 'a') : c; });
    if (is_domain(host)) return std::string(text);
  }
  return tl::unexpected<std::string>("write an e-mail address as ops@acme.example");
}

std::optional<std::uint16_t> port(std::string_view text) {
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0) return std::nullopt;
  return value;
}

bool is_host(std::string_view text) {
  return is_address(AF_INET, text) || (is_domain(text) && !std::ranges::all_of(text, [](char c) {
                                         return digit(c) || c == '.';
                                       }));
}

/// What people write for every host there is, with or without a port.
bool means_everything(std::string_view text) {
  constexpr std::array<std::string_view, 6> words{"any",        "all",      "*",
                                                  "everything", "internet", "everywhere"};
  return says_all(text) || std::ranges::find(words, text.substr(0, text.rfind(':'))) != words.end();
}

Parsed<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  if (means_everything(text)) {
    return tl::unexpected<std::string>(
        "nothing stands for every host: name each with its port, as api.stripe.com:443");
  }
  if (says_nothing(text))
    return tl::unexpected<std::string>("leave it out: only hosts that are named are reached");
  if (text.find("://") != std::string_view::npos)
    return tl::unexpected<std::string>("host and port alone, without a scheme");
  if (text.find('*') != std::string_view::npos)
    return tl::unexpected<std::string>("name each host; wildcards are not supported");
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    const auto address = text.substr(0, slash);
    if (!is_address(AF_INET, address) && !is_address(AF_INET6, address))
      return tl::unexpected<std::string>("host and port alone, without a path");
    return tl::unexpected<std::string>(
        "name each host with its port, as 10.0.0.5:443; a service "
        "has no address blocks");
  }
  const bool bare = colon == std::string_view::npos && text.find('.') != std::string_view::npos;
  if ((bare && is_host(text)) || (bracketed && text.ends_with(']'))) {
    return tl::unexpected("it needs a port: did you mean " + std::string(text) + ":443?");
  }
  constexpr std::string_view form =
      "write host:port as api.stripe.com:443, an IPv6 address in brackets";
  if (colon == std::string_view::npos) return tl::unexpected<std::string>(std::string(form));
  const std::string_view host = text.substr(0, colon);
  const auto number = port(text.substr(colon + 1));
  if (!number) return tl::unexpected<std::string>("a port is a number from 1 to 65535");
  if (bracketed && host.size() > 2 && host.ends_with(']')) {
    const std::string_view inner = host.substr(1, host.size() - 2);
    if (const auto v4 = mapped(inner)) {
      return tl::unexpected("did you mean " + *v4 + ":" + std::to_string(*number) + "?");
    }
    if (is_address(AF_INET6, inner)) return HostPort{std::string(inner), *number};
  }
  if (is_host(host)) return HostPort{std::string(host), *number};
  return tl::unexpected<std::string>(std::string(form));
}

/// The address without the bits behind the length, which no rule looks at.
std::string first_of_block(std::string_view address, bool v4, int length) {
  constexpr int bits = 8;
  std::array<unsigned char, 16> bytes{};
  inet_pton(v4 ? AF_INET : AF_INET6, std::string(address).c_str(), bytes.data());
  for (int at = 0; at < static_cast<int>(bytes.size()); ++at) {
    const int kept = std::clamp(length - at * bits, 0, bits);
    bytes[static_cast<std::size_t>(at)] &= static_cast<unsigned char>(0xFF00U >> kept);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(v4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return text.data();
}

/// Whether the address is the first of its block, however it is written, and the length as it is.
bool same_block(std::string_view written, std::string_view whole) {
  const auto address = [](std::string_view block) {
    std::array<unsigned char, 16> bytes{};
    const std::string text(block.substr(0, block.find('/')));
    inet_pton(text.find(':') == std::string::npos ? AF_INET : AF_INET6, text.c_str(), bytes.data());
    return bytes;
  };
  return address(written) == address(whole) &&
         written.substr(written.find('/')) == whole.substr(whole.find('/'));
}

Parsed<std::string> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view address = text.substr(0, slash);
  const bool v4 = is_address(AF_INET, address);
  const bool v6 = is_address(AF_INET6, address);
  if (slash == std::string_view::npos) {
    if (v4 || v6)
      return tl::unexpected("did you mean " + std::string(text) + (v4 ? "/32?" : "/128?"));
  } else if (v4 || v6) {
    int length = -1;
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error == std::errc{} && end == digits.data() + digits.size() && length >= 0 &&
        length <= (v4 ? 32 : 128)) {
      constexpr int prefix = 96;
      if (const auto inner = mapped(address); inner && length >= prefix) {
        return tl::unexpected("did you mean " + *inner + "/" + std::to_string(length - prefix) +
                              "?");
      }
      auto whole = first_of_block(address, v4, length) + "/" + std::to_string(length);
      if (!same_block(text, whole)) return tl::unexpected("did you mean " + whole + "?");
      return std::string(text);
    }
    return tl::unexpected<std::string>(v4 ? "the length after '/' is 0 to 32"
                                          : "the length after '/' is 0 to 128");
  }
  return tl::unexpected<std::string>("write an address block as 10.0.0.0/8");
}

Parsed<std::string> parse_egress(std::string_view text) {
  if (text.find('/') != std::string_view::npos && text.find("://") == std::string_view::npos)
    return parse_cidr(text);
  if (means_everything(text)) {
    return tl::unexpected<std::string>(
        "nothing stands for every host: name each with its port, as api.stripe.com:443, or a block "
        "of addresses, as 10.0.0.0/8");
  }
  if (says_nothing(text)) return tl::unexpected<std::string>("write 'deny' instead of the list");
  const auto parsed = parse_host_port(text);
  if (parsed) return std::string(text);
  return tl::unexpected(parsed.error());
}

Parsed<std::string> parse_address(std::string_view text) {
  if (const auto v4 = mapped(text)) return tl::unexpected("did you mean " + *v4 + "?");
  if (is_address(AF_INET, text) || is_address(AF_INET6, text)) return std::string(text);
  return tl::unexpected<std::string>("write an IP address as 10.0.0.53");
}

Parsed<std::string> parse_host(std::string_view text) {
  if (is_host(text) || is_address(AF_INET6, text)) return std::string(text);
  if (text.find(':') != std::string_view::npos)
    return tl::unexpected<std::string>("a host alone; the port has its own key");
  return tl::unexpected<std::string>("write a host name as db.example.com, or an IP address");
}

// [host[:port]/]path[:tag][@digest], the grammar of the distribution project.
Parsed<Image> parse_image(std::string_view text) {
  Image image{.reference = std::string(text)};
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    image.digest = rest.substr(at + 1);
    rest = rest.substr(0, at);
    const std::string_view digest = image.digest;
    if (!digest.starts_with("sha256:") || digest.size() != 7 + 64 || !is_hex(digest.substr(7))) {
      return tl::unexpected<std::string>(
          "a digest is sha256: and 64 hexadecimal digits in lower case");
    }
  }
  const std::size_t slash = rest.rfind('/');
  if (const std::size_t colon = rest.rfind(':');
      colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
    image.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (image.tag.empty() || image.tag.size() > longest_tag ||
        !std::ranges::all_of(image.tag, [](char c) {
          return alphanumeric(c) || c == '_' || c == '.' || c == '-';
        })) {
      return tl::unexpected<std::string>("a tag is at most 128 letters, digits, '_', '.' and '-'");
    }
  }
  image.repository = rest;
  if (rest.find("://") != std::string_view::npos)
    return tl::unexpected<std::string>("write it without a scheme");
  bool first = true;
  if (rest.size() > longest_repository)
    return tl::unexpected<std::string>("a repository is at most 255 characters");
  bool good = !rest.empty();
  while (good) {
    const std::size_t end = rest.find('/');
    const std::string_view part = rest.substr(0, end);
    // Only the registry may have capitals or a port.
    const bool registry = first && end != std::string_view::npos;
    good = !part.empty() &&
           std::ranges::all_of(part,
                               [registry](char c) {
                                 return lower(c) || digit(c) || c == '.' || c == '-' || c == '_' ||
                                        (registry && (upper(c) || c == ':'));
                               }) &&
           alphanumeric(part.front()) && alphanumeric(part.back());
    first = false;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (good) return image;
  if (std::ranges::any_of(image.repository, upper))
    return tl::unexpected<std::string>("a repository is written in lower case");
  return tl::unexpected<std::string>("write an image as registry.example.com/app@sha256:...");
}

Parsed<std::string> parse_env_name(std::string_view text) {
  if (text.size() > longest_variable) return tl::unexpected<std::string>("at most 255 characters");
  if (!text.empty() && !digit(text.front()) &&
      std::ranges::all_of(text, [](char c) { return alphanumeric(c) || c == '_'; })) {
    return std::string(text);
  }
  return tl::unexpected<std::string>("use letters, digits and '_', not a digit first");
}

constexpr std::string_view slug_pattern = "^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$";
constexpr std::string_view domain_pattern =
    R"(^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$)";
constexpr std::string_view host_port_pattern = R"(^(\[[0-9a-fA-F:.]+\]|[a-z0-9.-]+):[0-9]{1,5}$)";

constexpr Syntax<std::string> slug{
    "Slug",    "name",       "a name of 1 to 40 lower-case letters, digits and '-'",
    "E0110",   slug_pattern, true,
    parse_slug};
constexpr Syntax<SecretRef> secret_ref{"SecretRef",
                                       "reference to a secret",
                                       "the name of a secret that `secrets` declares",
                                       "E0110",
                                       slug_pattern,
                                       true,
                                       parse_secret_ref};
constexpr Syntax<std::string> semver{"Semver",
                                     "version",
                                     "a version of three numbers as 1.4.0",
                                     "E0111",
                                     R"(^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$)",
                                     false,
                                     parse_semver};
constexpr Syntax<std::string> domain{"Domain",    "domain",       "a host name as acme.example.com",
                                     "E0112",     domain_pattern, false,
                                     parse_domain};
constexpr Syntax<HostPort> host_port{
    "HostPort", "host and port", "host:port as api.stripe.com:443", "E0113", host_port_pattern,
    false,      parse_host_port};
constexpr Syntax<std::string> host{
    "Host", "host",    "a host name or an IP address", "E0112", R"(^[0-9a-fA-Za-z.:-]+$)",
    false,  parse_host};
constexpr Syntax<std::string> cidr{"Cidr",
                                   "address block",
                                   "an address block as 10.0.0.0/8",
                                   "E0114",
                                   R"(^[0-9a-fA-F:.]+/\d{1,3}$)",
                                   false,
                                   parse_cidr};
constexpr Syntax<std::string> egress{
    "Destination",
    "destination",
    "host:port as api.stripe.com:443, or an address block as 10.0.0.0/8",
    "E0113",
    R"(^((\[[0-9a-fA-F:.]+\]|[a-z0-9.-]+):[0-9]{1,5}|[0-9a-fA-F:.]+/\d{1,3})$)",
    false,
    parse_egress};
constexpr Syntax<std::string> address{
    "Address", "address",    "an IP address as 10.0.0.53", "E0114", R"(^[0-9a-fA-F:.]+$)",
    false,     parse_address};
constexpr Syntax<std::string> email{
    "Email",    "e-mail address",       "an e-mail address as ops@acme.example",
    "E0123",    R"(^[^@\s]+@[^@\s]+$)", false,
    parse_email};
constexpr Syntax<Image> image{"Image",
                              "image",
                              "an image as registry.example.com/app@sha256:...",
                              "E0115",
                              R"(^[A-Za-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64})?$)",
                              false,
                              parse_image};
constexpr Syntax<std::string> env_name{
    "EnvName",     "name of a variable",       "a name of letters, digits and '_'",
    "E0130",       "^[A-Za-z_][A-Za-z0-9_]*$", false,
    parse_env_name};

}  // namespace

constinit const Type<std::string> slug_type = scalar<slug>;
constinit const Type<SecretRef> secret_ref_type = scalar<secret_ref>;
constinit const Type<std::string> semver_type = scalar<semver>;
constinit const Type<std::string> domain_type = scalar<domain>;
constinit const Type<HostPort> host_port_type = scalar<host_port>;
constinit const Type<std::string> host_type = scalar<host>;
constinit const Type<std::string> cidr_type = scalar<cidr>;
constinit const Type<std::string> egress_type = scalar<egress>;
constinit const Type<std::string> address_type = scalar<address>;
constinit const Type<std::string> email_type = scalar<email>;
constinit const Type<Image> image_type = scalar<image>;
constinit const Type<std::string> env_name_type = scalar<env_name>;

}  // namespace caisson::spec

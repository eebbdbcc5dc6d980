#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include <arpa/inet.h>

#include "generator/spec/checker.h"
#include "generator/spec/reader.h"

namespace caisson::spec {
namespace {

/// A block of addresses; IPv4 is kept as ::ffff:a.b.c.d, so that a mapped address is no way around.
struct Block {
  std::array<unsigned char, 16> address{};
  unsigned length = 128;
};

std::optional<Block> parse_block(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  Block block;
  in_addr v4{};
  const bool is_v4 = inet_pton(AF_INET, address.c_str(), &v4) == 1;
  if (is_v4) {
    block.address[10] = block.address[11] = 0xFF;
    std::copy_n(reinterpret_cast<const unsigned char*>(&v4), sizeof v4, block.address.begin() + 12);
  } else if (inet_pton(AF_INET6, address.c_str(), block.address.data()) != 1) {
    return std::nullopt;
  }
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), block.length);
    if (is_v4) block.length += 96;
  }
  return block;
}

bool overlap(const Block& a, const Block& b) {
  const unsigned length = std::min({a.length, b.length, 128U});
  for (unsigned bit = 0; bit < length; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if (((a.address[bit / 8] ^ b.address[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

// Where clouds answer with credentials: RFC 3927 and RFC 4291 link-local, Alibaba, Azure, Oracle;
// over IPv6 AWS, Google, Oracle; and the same through the NAT64 of RFC 6052.
constexpr std::array<std::string_view, 12> metadata_blocks{
    "169.254.0.0/16",         "fe80::/10",
    "100.100.100.200/32",     "168.63.129.16/32",
    "192.0.0.192/32",         "fd00:ec2::254/128",
    "fd20:ce::254/128",       "fd00:c1::a9fe:a9fe/128",
    "64:ff9b::a9fe:0/112",    "64:ff9b::6464:64c8/128",
    "64:ff9b::a83f:8110/128", "64:ff9b::c000:c0/128"};
constexpr std::array<std::string_view, 5> metadata_names{"metadata", "metadata.google.internal",
                                                         "metadata.azure.internal", "instance-data",
                                                         "instance-data.ec2.internal"};

bool reaches_metadata(std::string_view host) {
  if (std::ranges::find(metadata_names, host) != metadata_names.end()) return true;
  const std::optional<Block> block = parse_block(host);
  return block && std::ranges::any_of(metadata_blocks, [&block](std::string_view metadata) {
           return overlap(*block, *parse_block(metadata));
         });
}

void check_destination(const Checker& checker, std::string_view host, std::string_view written,
                       const std::string& pointer) {
  if (!reaches_metadata(host)) return;
  checker.refuse("E0216", checker.value(pointer),
                 quote(written) + " reaches the metadata service of the cloud",
                 "it hands out the machine's credentials; name only the hosts that are needed");
}

// The host of `host:port`, without brackets; a block as it is.
std::string_view host_of(std::string_view destination) {
  if (destination.find('/') != std::string_view::npos) return destination;
  std::string_view host = destination.substr(0, destination.rfind(':'));
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return host;
}

void check_egress(const Checker& checker) {
  const Deployment& deployment = checker.deployment();
  for (std::size_t i = 0; i < deployment.network.egress.size(); ++i) {
    const std::string& destination = deployment.network.egress[i];
    check_destination(checker, host_of(destination), destination,
                      "/network/egress/" + std::to_string(i));
  }
  for (const auto& [name, service] : deployment.services) {
    for (std::size_t i = 0; i < service.egress.size(); ++i) {
      const std::string& host = service.egress[i].host;
      check_destination(checker, host, host, "/services/" + name + "/egress/" + std::to_string(i));
    }
  }
}

void check_tls(const Checker& checker) {
  const Edge::Tls& tls = checker.deployment().edge.tls;
  const std::string& domain = checker.deployment().domain;
  const bool given = checker.written("/edge/tls/mode");
  const source::Span mode = checker.value(given ? "/edge/tls/mode" : "/edge/tls");
  if (tls.mode == Edge::TlsMode::acme) {
    if (tls.email.empty() && !checker.written("/edge/tls/email")) {
      checker.refuse("E0214", mode, "'acme' needs an e-mail address",
                     "add 'email': the authority writes there before a certificate expires");
    }
    if (domain == "localhost" || domain.ends_with(".localhost")) {
      checker.refuse("E0215", mode, "'acme' cannot certify " + quote(domain),
                     "use 'internal', or set 'domain' to a public name");
    }
  }
  if (tls.mode == Edge::TlsMode::files) {
    for (const auto& [value, key] : {std::pair{&tls.cert, "cert"}, std::pair{&tls.key, "key"}}) {
      if (!value->empty() || checker.written(std::string("/edge/tls/") + key)) continue;
      checker.refuse("E0220", mode, std::string("'files' needs '") + key + "'",
                     std::string("add '") + key + "': a file beside the spec");
    }
  }
}

std::string mode_name(Edge::TlsMode mode) {
  switch (mode) {
    case Edge::TlsMode::acme:
      return "acme";
    case Edge::TlsMode::files:
      return "files";
    case Edge::TlsMode::internal:
      return "internal";
    case Edge::TlsMode::off:
      break;
  }
  return "off";
}

/// What is written and has no effect: certificates come from elsewhere, or there is no edge.
void check_unused(const Checker& checker) {
  const Edge& edge = checker.deployment().edge;
  const bool none = edge.proxy == Edge::Proxy::none;
  const auto unused = [&](const std::string& key, const std::string& why, std::string remedy) {
    if (!checker.written("/edge/" + key)) return;
    std::string field = "edge." + key;
    std::ranges::replace(field, '/', '.');
    checker.warn("W0204", checker.value("/edge/" + key), field, why + " does not use " + field,
                 std::move(remedy), true);
  };
  if (none) {
    for (const auto* key : {"http", "https", "limits", "hsts", "trust"})
      unused(key, "'proxy: none'", "remove it: the proxy that you bring has settings of its own");
  }
  const std::string why = none ? "'proxy: none'" : "tls mode " + quote(mode_name(edge.tls.mode));
  // At a site that is asked the mode is still `acme` in the spec.
  if (none || (edge.tls.mode != Edge::TlsMode::acme && edge.tls.asked.empty())) {
    for (const auto* key : {"tls/email", "tls/ca", "tls/ca-root"}) {
      unused(key, why,
             none ? "remove it, or name a proxy"
                  : "remove it, or use 'mode: acme' with an 'email' and a public domain");
    }
  }
  if (none || edge.tls.mode != Edge::TlsMode::files) {
    for (const auto* key : {"tls/cert", "tls/key"}) {
      unused(key, why,
             none ? "remove it, or name a proxy"
                  : "remove it, or use 'mode: files' with 'cert' and 'key'");
    }
  }
}

void check_edge(const Checker& checker) {
  constexpr std::int64_t most_of_nginx = 65'535;
  const Edge& edge = checker.deployment().edge;
  if (edge.proxy != Edge::Proxy::nginx || edge.limits.connections <= most_of_nginx) return;
  checker.refuse("E0308", checker.value("/edge/limits/connections"),
                 "nginx counts at most 65535 connections",
                 "write at most 65535, 0 for no bound, or use 'proxy: caddy'");
}

void check_auth(const Checker& checker) {
  const Auth& auth = checker.deployment().auth;
  if (auth.resolve.empty() && checker.written("/auth/resolve")) {
    checker.refuse("E0224", checker.value("/auth/resolve"), "nothing names the tenant of a request",
                   "keep at least one of subdomain, header or token");
  }
  if (!auth.tokens) return;
  if (auth.tokens->jwks.find("://") != std::string::npos) {
    checker.warn("W0203", checker.value("/auth/tokens/jwks"), "auth.tokens.jwks",
                 "the runtime reads keys from a file, never from a URL",
                 "deliver the issuer's key set as the secret auth-jwks, or name a file");
  }
  const auto& algorithms = auth.tokens->algorithms;
  const auto symmetric = std::ranges::find(algorithms, Tokens::Algorithm::hs256);
  if (symmetric == algorithms.end()) return;
  const std::string pointer =
      "/auth/tokens/algorithms/" + std::to_string(symmetric - algorithms.begin());
  if (!auth.tokens->jwks.empty()) {
    checker.refuse("E0222", checker.value(pointer),
                   "HS256 has one secret key, which a key set would publish",
                   "use 'key', or an algorithm with public keys");
  } else if (algorithms.size() > 1) {
    checker.refuse("E0222", checker.value(pointer),
                   "one key cannot serve HS256 and an algorithm with public keys",
                   "an attacker could sign with the public key; keep one kind");
  }
}

}  // namespace

void check_network(const Checker& checker) {
  check_egress(checker);
  check_tls(checker);
  check_unused(checker);
  check_edge(checker);
  check_auth(checker);
}

}  // namespace caisson::spec

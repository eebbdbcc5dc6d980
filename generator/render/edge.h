#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/site.h"
#include "generator/render/text.h"

namespace caisson::render {

/// What differs between the targets that run the edge.
struct EdgeListen {
  std::uint16_t http = 80;    ///< port that it binds
  std::uint16_t https = 443;  ///< port that it binds; unused without TLS
  plan::Edge::Tls tls = plan::Edge::Tls::internal;
  std::string bind{};              ///< address; empty: every address
  std::uint16_t health = 0;        ///< loopback port that answers 200 to everything; 0: none
  std::uint16_t ask = 0;           ///< loopback port where Caddy asks whose name it is
  std::string metrics{};           ///< Caddy: address:port that offers its metrics; empty: none
  std::string certificate_file{};  ///< TLS mode `files`
  std::string key_file{};
  std::string ca_root_file{};  ///< empty: the system's
  std::string state{};         ///< nginx: where certificates.sh keeps certificates
  std::string scratch{};       ///< nginx: a directory it may write
  std::string resolver{};      ///< nginx: name server that knows the instances; empty: addresses do
  std::string closed_file{};   ///< while it is there, every request is answered 503
  bool has_proxies = true;     ///< whether the proxies of `edge.trust` can be in front of it here
};

/// The Caddyfile of the edge: every route of the plan, in its order, and nothing else. Fails when a
/// value of the spec cannot be written in a Caddyfile.
[[nodiscard]] Result<Text> edge_caddyfile(const plan::Plan& plan, const Index& index,
                                          const Site& site, const EdgeListen& listen);

/// The same as an nginx.conf. Certificates of the modes `acme` and `internal` are read for each
/// handshake from `state`/served/<name>.pem, chain and key in one file: a name that has none is
/// refused, and a new or renewed one counts at once.
[[nodiscard]] Result<Text> edge_nginx_conf(const plan::Plan& plan, const Index& index,
                                           const Site& site, const EdgeListen& listen);

}  // namespace caisson::render

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/site.h"
#include "generator/render/text.h"

namespace caisson::render {

/// One answer of a site: what begins with `path_prefix` goes to `address`.
struct EdgeRoute {
  std::string path_prefix;  ///< "" is every path
  std::string instance;     ///< name of the planned instance
  std::string address;      ///< where the edge reaches it
  std::int64_t body_bytes = 0;
  plan::Origin origin{};
};

/// Hosts that get the same answers; the first route that matches wins.
struct EdgeSite {
  std::vector<std::string> hosts;  ///< names, "*.<domain>", "*"
  std::vector<EdgeRoute> routes;
  std::string remark;  ///< one line for the reader
  plan::Origin origin{};
};

/// The plan's routes as sites, in its order. 10,000 tenants that a wildcard covers cost nothing.
/// Limits are those of the edge, or tighter where what is behind would refuse more anyway.
[[nodiscard]] std::vector<EdgeSite> edge_sites(const plan::Plan& plan, const Index& index,
                                               const Site& site);

/// The site of every host that no other has; null when there is no shared runtime.
[[nodiscard]] const EdgeSite* catch_all(const std::vector<EdgeSite>& sites);

/// Who says whether a certificate may be issued for a host.
struct CertificateName {
  std::string host;   ///< "*": every host that is not listed
  std::string asked;  ///< address of the runtime whose `/ask` knows; empty: nobody is asked
  plan::Origin origin{};
};

/// The deployment's own domain, the tenants' hosts and their own domains, and who knows of others.
[[nodiscard]] std::vector<CertificateName> certificate_names(const plan::Plan& plan,
                                                             const Index& index, const Site& site);

/// The same for certificates.sh, a line a name: the name, and the URL of who is asked or `-`. Fails
/// when a name is not one word.
[[nodiscard]] Result<Text> certificate_names_file(const std::vector<CertificateName>& names);

/// Headers that say who a request is from, or what it asks for, in a way that only somebody inside
/// may. The edge takes them away whoever sent them; X-Forwarded-For, -Proto and -Host, which a
/// trusted proxy may set, it writes anew.
[[nodiscard]] std::vector<std::string_view> stripped_headers(const plan::Plan& plan);

}  // namespace caisson::render

#include "generator/render/edge_sites.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/json_text.h"
#include "generator/render/runtime_config.h"

namespace caisson::render {

namespace {

/// The dashboard is static files: nobody sends it anything.
constexpr std::int64_t dashboard_body_bytes = 65536;

constexpr auto always_stripped = std::to_array<std::string_view>({
    // The path of the request, as proxies before this one would tell it. RFC 7239 says it a second
    // time, and two that disagree are one too many.
    "Forwarded",
    "X-Forwarded",
    "X-Forwarded-By",
    "X-Forwarded-Server",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Path",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Scheme",
    "X-Forwarded-Protocol",
    "X-Forwarded-Ssl",
    "X-Original-Forwarded-For",
    "X-Real-IP",
    "X-Client-IP",
    "Client-IP",
    "X-Cluster-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
    "X-Envoy-External-Address",
    "X-Originating-IP",
    "X-Remote-IP",
    "X-Remote-Addr",
    "Front-End-Https",
    "X-Url-Scheme",
    // Another request than the one that was routed.
    "X-Original-Url",
    "X-Original-Uri",
    "X-Original-Host",
    "X-Original-Method",
    "X-Rewrite-Url",
    "X-Host",
    "X-Http-Method",
    "X-Http-Method-Override",
    "X-Method-Override",
    // httpoxy.org
    "Proxy",
    // Who somebody is, as single sign-on in front would tell it.
    "Remote-User",
    "X-Remote-User",
    "X-Forwarded-User",
    "X-Forwarded-Email",
    "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username",
    "X-Forwarded-Access-Token",
    "X-Forwarded-Client-Cert",
    "X-Forwarded-Tls-Client-Cert",
    "X-Ssl-Client-Cert",
    "X-Client-Cert",
    "X-User",
    "X-User-Id",
    // Whose request it is, as products tell it inside.
    "Caisson-Tenant-Id",
    "Caisson-Subject",
    "Caisson-Scopes",
    "Caisson-Request-Id",
    "Tenant",
    "Tenant-Id",
    "X-Tenant",
    "X-Tenant-Id",
    "X-Tenant-Name",
    "X-Tenant-Slug",
    "X-Scope-OrgID",
    "X-Org",
    "X-Org-Id",
    "X-Organization",
    "X-Organization-Id",
    "X-Account-Id",
    "X-Customer-Id",
    "X-Workspace-Id",
});

std::string address_of(const plan::Instance* instance, std::string_view port_name,
                       const Site& site) {
  const auto* port = instance == nullptr ? nullptr : port_named(*instance, port_name);
  return port == nullptr ? std::string{} : site.reach(*instance, *port);
}

std::int64_t body_limit(const plan::Plan& plan, const Index& index,
                        const plan::Instance& instance) {
  const auto behind = instance.role == plan::Role::runtime ? largest_body(plan, index, instance)
                                                           : dashboard_body_bytes;
  return std::min(plan.edge.body_bytes.value, behind);
}

std::string remark_on(const std::vector<const plan::Route*>& routes, const Index& index) {
  const auto* instance = index.instance(routes.back()->instance);
  if (instance != nullptr && instance->tenant) {
    return "Tenant " + *instance->tenant + ", on a runtime of its own.";
  }
  return routes.back()->port == "data" ? "Every other tenant, on the shared runtime."
                                       : "To " + routes.back()->instance + ".";
}

/// What a wildcard or the catch-all of the same site matches anyway needs no mention.
void drop_covered(std::vector<std::string>& hosts, const std::string& domain) {
  const auto has = [&](const std::string& host) {
    return std::ranges::find(hosts, host) != hosts.end();
  };
  const bool every = has("*");
  const bool below = has("*." + domain);
  std::erase_if(hosts, [&](const std::string& host) {
    if (host == "*") return false;
    if (host.starts_with("*.")) return every;
    const bool direct =
        host.ends_with("." + domain) && host.find('.') == host.size() - domain.size() - 1;
    return (below && direct) || (every && !direct && host != domain);
  });
}

}  // namespace

std::vector<EdgeSite> edge_sites(const plan::Plan& plan, const Index& index, const Site& site) {
  std::vector<EdgeSite> sites;
  std::map<std::string, std::size_t, std::less<>> by_destination;
  const auto& routes = plan.routes;
  for (auto route = routes.begin(); route != routes.end();) {
    // Consecutive routes of one host belong together; hosts whose routes lead to the same places
    // share a site.
    const auto& host = route->host;
    std::vector<const plan::Route*> of_host;
    std::string key;
    for (; route != routes.end() && route->host == host; ++route) {
      of_host.push_back(&*route);
      key += route->path_prefix + '\n' + route->instance + '\n' + route->port + '\n';
    }
    const auto [known, is_new] = by_destination.emplace(key, sites.size());
    if (!is_new) {
      sites[known->second].hosts.push_back(host);
      continue;
    }
    EdgeSite made{.hosts = {host},
                  .routes = {},
                  .remark = remark_on(of_host, index),
                  .origin = of_host.front()->origin};
    for (const auto* from : of_host) {
      const auto* instance = index.instance(from->instance);
      if (instance == nullptr) continue;
      made.routes.push_back({.path_prefix = from->path_prefix,
                             .instance = from->instance,
                             .address = address_of(instance, from->port, site),
                             .body_bytes = body_limit(plan, index, *instance),
                             .origin = from->origin});
    }
    sites.push_back(std::move(made));
  }
  for (auto& made : sites) drop_covered(made.hosts, plan.domain.value);
  return sites;
}

const EdgeSite* catch_all(const std::vector<EdgeSite>& sites) {
  const auto found = std::ranges::find_if(sites, [](const EdgeSite& site) {
    return std::ranges::find(site.hosts, "*") != site.hosts.end();
  });
  return found == sites.end() ? nullptr : &*found;
}

std::vector<CertificateName> certificate_names(const plan::Plan& plan, const Index& index,
                                               const Site& site) {
  std::vector<CertificateName> names;
  for (const auto& route : plan.routes) {
    if (!route.path_prefix.empty() || route.host.starts_with("*.")) continue;
    const bool tenants = route.tenant || route.host == "*";
    names.push_back(
        {.host = route.host,
         .asked = tenants ? address_of(index.instance(route.instance), route.port, site) : "",
         .origin = route.origin});
  }
  return names;
}

Result<Text> certificate_names_file(const std::vector<CertificateName>& names) {
  Text text;
  text.add(
      "# Names that the edge gets certificates for, and who says whether they still are tenants'.\n"
      "# Generated by Caisson; `certificates.sh add NAME` adds others.\n",
      {plan::Origin{plan::Origin::Kind::derived, "/edge/tls"}});
  for (const auto& name : names) {
    const bool one_word = std::ranges::none_of(name.host, [](char c) {
      return static_cast<unsigned char>(c) <= 0x20 || c == '#' || c == 0x7f;
    });
    if (!one_word || name.host.empty()) {
      return fail("no certificate can be for " + json_string(name.host));
    }
    const auto asked = name.asked.empty() ? std::string("-") : "http://" + name.asked + "/ask";
    text.add(name.host + ' ' + asked + '\n', {name.origin});
  }
  return text;
}

std::vector<std::string_view> stripped_headers(const plan::Plan& plan) {
  std::vector<std::string_view> headers(always_stripped.begin(), always_stripped.end());
  // The one header of clients' own: it counts only together with a credential of the same tenant.
  if (!plan.auth.by_header) headers.emplace_back("Caisson-Tenant");
  return headers;
}

}  // namespace caisson::render

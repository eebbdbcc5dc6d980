// What the resolver does when a wall of it is down (observe/walls.h). In the shipped program
// `is_down` is a constant and nothing of this is left.

#include <mutex>
#include <set>

#include "runtime/ingress/resolver.h"
#include "runtime/ingress/signals.h"
#include "runtime/observe/walls.h"

namespace caisson::ingress {
namespace {

using tenancy::TenantPtr;

/// Whether this request's credential has been here before, as a cache would know.
bool seen_before(const http::Request& request) {
  static std::mutex mutex;
  static std::set<std::string, std::less<>> seen;
  const std::lock_guard lock(mutex);
  return !seen.insert(std::string(request.field("authorization"))).second;
}

}  // namespace

TenantPtr Resolver::sabotaged_tenant(const http::Request& request, const Identity& identity) const {
#ifdef CAISSON_SABOTAGE
  const auto header = read_tenant_header(request);
  const HostSignal host = read_host(request.host, configuration_.domain);
  const bool has_header = header && *header;
  const bool has_slug = host.kind == HostSignal::Kind::slug;
  const std::string named(has_header ? **header
                          : has_slug ? host.name
                                     : std::string_view(identity.slug));
  const bool key = identity.caller->credential == context::Credential::api_key;

  if (is_down(Wall::trust_tenant_header) && has_header) return directory_.by_slug(named);
  if (is_down(Wall::last_header_wins) && request.count("caisson-tenant") > 1)
    return directory_.by_slug(named);
  if (is_down(Wall::skip_tenant_claim) && !key) return directory_.by_slug(named);
  if (is_down(Wall::cache_by_raw_key) && key && seen_before(request))
    return directory_.by_slug(named);
  if (is_down(Wall::unknown_is_default) && (has_header || has_slug || !key) &&
      !directory_.by_slug(named)) {
    return directory_.by_slug(configuration_.tenants.empty() ? identity.slug
                                                             : configuration_.tenants[0].slug);
  }
#else
  static_cast<void>(request);
  static_cast<void>(identity);
#endif
  return nullptr;
}

bool Resolver::sabotaged_login(const http::Request& request) {
  return is_down(Wall::suspend_at_login) && seen_before(request);
}

}  // namespace caisson::ingress

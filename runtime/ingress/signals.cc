#include "runtime/ingress/signals.h"

#include <algorithm>

#include "runtime/context/configuration.h"
#include "runtime/observe/walls.h"

namespace caisson::ingress {
namespace {

constexpr std::string_view tenant_field = "caisson-tenant";
constexpr std::string_view credential_field = "authorization";

char folded(char c) {
  if (c == '_') return '-';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// Whether a hop could take `name` for `field`: case and underscores set aside.
bool looks_like(std::string_view name, std::string_view field) {
  return std::ranges::equal(name, field, [](char a, char b) { return folded(a) == b; });
}

/// What there is of one field in a request: how often, and whether any name was spelled with an
/// underscore.
struct Found {
  int count = 0;
  bool underscore = false;
  std::string_view value;  ///< the last one
};

Found find(const http::Request& request, std::string_view field) {
  Found found;
  for (const http::Field& one : request.fields) {
    if (!looks_like(one.name, field)) continue;
    ++found.count;
    found.underscore = found.underscore || one.name.find('_') != std::string_view::npos;
    found.value = one.value;
  }
  return found;
}

}  // namespace

HostSignal read_host(std::string_view host, std::string_view domain) {
  using Kind = HostSignal::Kind;
  if (host == domain || host == "localhost" || context::is_address(host))
    return {.kind = Kind::none, .name = {}};
  const bool inside = host.size() > domain.size() + 1 && host.ends_with(domain) &&
                      host[host.size() - domain.size() - 1] == '.';
  if (inside) {
    const std::string_view label = host.substr(0, host.size() - domain.size() - 1);
    if (context::is_slug(label)) return {.kind = Kind::slug, .name = label};
    return {.kind = Kind::unknown, .name = {}};
  }
  if (context::is_domain(host)) return {.kind = Kind::own_domain, .name = host};
  return {.kind = Kind::unknown, .name = {}};
}

tl::expected<std::optional<std::string_view>, std::string_view> read_tenant_header(
    const http::Request& request) {
  const Found found = find(request, tenant_field);
  if (found.count == 0) return std::nullopt;
  if (found.count > 1 && !is_down(Wall::last_header_wins)) {
    return tl::unexpected(std::string_view("Caisson-Tenant was sent more than once"));
  }
  if (found.underscore)
    return tl::unexpected(std::string_view("Caisson-Tenant is spelled with '-'"));
  if (found.value.find(',') != std::string_view::npos) {
    return tl::unexpected(std::string_view("Caisson-Tenant has several values"));
  }
  if (!context::is_slug(found.value)) {
    return tl::unexpected(std::string_view("the value of Caisson-Tenant is no slug"));
  }
  return found.value;
}

tl::expected<std::optional<std::string_view>, std::string_view> read_bearer(
    const http::Request& request) {
  const Found found = find(request, credential_field);
  if (found.count == 0) return std::nullopt;
  if (found.count > 1)
    return tl::unexpected(std::string_view("Authorization was sent more than once"));
  constexpr std::string_view scheme = "bearer ";
  const std::string_view value = found.value;
  if (value.size() <= scheme.size() || !looks_like(value.substr(0, scheme.size()), scheme)) {
    return tl::unexpected(std::string_view("Authorization is of another scheme than Bearer"));
  }
  return value.substr(scheme.size());
}

}  // namespace caisson::ingress

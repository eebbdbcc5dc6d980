#include "generator/render/document_facts.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace caisson::render {

namespace {

using plan::Role;

Node facts_of(const plan::TenantPlacement& tenant, const FrontDoor& door) {
  Node entry{Node::Map{}, tenant.origin};
  entry.add("slug", tenant.slug);
  entry.add("host", tenant.host);
  entry.add("url", door.url(tenant.host));
  entry.add("tier", tenant.tier);
  entry.add("instance", tenant.instance);
  entry.add("suspended", tenant.suspended);
  return entry;
}

/// A tenant that the spec has not, for the commands that make and remove one; null where no runtime
/// takes tenants that the spec has not.
Node newcomer(const plan::Plan& plan, const FrontDoor& door) {
  const auto shared = std::ranges::find_if(plan.instances, [](const auto& instance) {
    return instance.role == Role::runtime && !instance.tenant;
  });
  const auto tier = std::ranges::find_if(plan.tiers, [](const auto& candidate) {
    return candidate.isolation != plan::Isolation::deployment;
  });
  if (shared == plan.instances.end() || tier == plan.tiers.end()) return {};
  std::string slug = "newcomer";
  while (std::ranges::find(plan.tenants, slug, &plan::TenantPlacement::slug) !=
         plan.tenants.end()) {
    slug += "-x";
  }
  const auto host = slug + "." + plan.domain.value;
  Node entry{Node::Map{}, tier->origin};
  entry.add("slug", slug);
  entry.add("host", host);
  entry.add("url", {door.url(host), plan.domain.origin});
  entry.add("tier", tier->name);
  entry.add("instance", {shared->name, shared->origin});
  return entry;
}

/// Where conformance attaches: the runtime on which tenants can be made, and get a key.
Node attachable(const plan::Plan& plan) {
  const auto shared = std::ranges::find_if(plan.instances, [](const auto& instance) {
    return instance.role == Role::runtime && !instance.tenant;
  });
  Node entry{Node::Map{}, shared->origin};
  entry.add("instance", {shared->name, shared->origin});
  entry.add("token", {shared->operator_token, shared->origin});
  for (const plan::Port& port : shared->ports) {
    entry.add(port.name + "-port", {std::int64_t{port.number.value}, shared->origin});
    if (port.purpose == plan::Port::Purpose::operator_api)
      entry.add("operator-network", {port.network, shared->origin});
  }
  return entry;
}

}  // namespace

std::string FrontDoor::url(std::string_view host) const {
  auto text = std::string(secure ? "https://" : "http://").append(host);
  if (port != (secure ? 443 : 80)) text += ":" + std::to_string(port);
  return text;
}

FrontDoor edge_door(const plan::Plan& plan) {
  const bool secure = plan.edge.tls.value != plan::Edge::Tls::off;
  const auto& port = secure ? plan.edge.https : plan.edge.http;
  return {.secure = secure, .port = port.value, .origin = port.origin};
}

void add_document_facts(Node& data, const plan::Plan& plan, const FrontDoor& door) {
  data.add("name", plan.name);
  data.add("version", plan.version);
  data.add("domain", plan.domain);
  data.add("url", {door.url(plan.domain.value), plan.domain.origin});
  data.add("secure", door.secure);
  data.add("door", {door.port, door.origin});
  data.add("edge", !plan.edge.instance.empty());
  data.add("acme", plan.edge.tls.value == plan::Edge::Tls::acme);
  data.add("internal-ca", plan.edge.tls.value == plan::Edge::Tls::internal);
  data.add("edge-files", plan.edge.tls.value == plan::Edge::Tls::files);
  if (!plan.edge.certificate.empty()) {
    data.add("edge-certificate", {plan.edge.certificate, plan.edge.tls.origin});
    data.add("edge-key", {plan.edge.key, plan.edge.tls.origin});
  }
  if (!plan.environment.empty()) data.add("environment", plan.environment);
  const std::string& to = plan.backup.to.value;
  const bool is_folder = !plan.backup.schedule.value.empty() && to.find("://") == std::string::npos;
  data.add("backup-place", {is_folder ? to : "backup", plan.backup.to.origin});
  if (!plan.backup.schedule.value.empty()) {
    data.add("backup-schedule", plan.backup.schedule);
    data.add("backup-to", plan.backup.to);
    data.add("backup-keep", plan.backup.keep);
  }

  // A page of tenants is for reading; the spec has them all.
  constexpr std::size_t page = 50;
  Node tenants{Node::List{}};
  for (const auto& tenant : plan.tenants) {
    if (tenants.list()->size() == page) break;
    tenants.push(facts_of(tenant, door));
  }
  data.add("tenants", std::move(tenants));
  if (plan.tenants.size() > page) {
    data.add("more-tenants", static_cast<std::int64_t>(plan.tenants.size() - page));
  }
  const auto first = std::ranges::find(plan.tenants, false, &plan::TenantPlacement::suspended);
  if (first != plan.tenants.end()) data.add("first", facts_of(*first, door));
  if (auto stranger = newcomer(plan, door); !stranger.is_null()) {
    data.add("newcomer", std::move(stranger));
    if (plan.auth.api_keys) data.add("attachable", attachable(plan));
  }
}

}  // namespace caisson::render

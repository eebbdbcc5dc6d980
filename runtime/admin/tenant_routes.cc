#include <array>

#include "base/uuid.h"
#include "runtime/admin/call.h"
#include "runtime/admin/settle.h"
#include "runtime/context/tenant_reader.h"

namespace caisson::admin {
namespace {

namespace json = boost::json;
using context::ObjectReader;
using observe::Code;
using observe::Problem;
using tenancy::Outcome;
using tenancy::Status;
using tenancy::Tenant;
using tenancy::TenantPtr;

constexpr std::array<std::string_view, 3> statuses{"active", "suspended", "deleted"};
constexpr std::array<std::string_view, 4> isolations{"row", "schema", "database", "deployment"};

/// Who said what holds: the operator, where it is not what the configuration said last, nor the
/// tier's.
json::object sources_json(const Tenant& tenant, const tenancy::Limits& held) {
  const auto name = [](bool same) { return same ? "configuration" : "operator"; };
  const tenancy::Terms said = tenant.configured.value_or(tenancy::Terms{});
  json::object limits;
  tenancy::each_limit([&](std::string_view key, auto limit) {
    if (held.*limit) limits[key] = name(tenant.own.*limit == said.limits.*limit);
  });
  return {{"status", name(tenant.configured && tenant.status == said.status)},
          {"limits", std::move(limits)}};
}

json::object tenant_json(const Call& call, const Tenant& tenant) {
  const tenancy::Limits held = tenancy::within(tenant.limits, call.services.most);
  json::object metadata;
  for (const auto& [key, value] : tenant.metadata) metadata[key] = value;
  json::array domains;
  for (const std::string& domain : tenant.domains) domains.emplace_back(domain);
  json::object object{{"id", tenant.id},
                      {"slug", tenant.slug},
                      {"name", tenant.name},
                      {"owner", tenant.owner},
                      {"tier", tenant.tier},
                      {"status", statuses[static_cast<std::size_t>(tenant.status)]},
                      {"isolation", isolations[static_cast<std::size_t>(tenant.isolation)]},
                      {"deployment_url", tenant.deployment_url},
                      {"domains", std::move(domains)},
                      {"limits", context::limits_json(held)},
                      {"from", sources_json(tenant, held)},
                      {"metadata", std::move(metadata)},
                      {"created", rfc3339(tenant.created_ms)},
                      {"updated", rfc3339(tenant.updated_ms)}};
  if (tenant.synthetic()) object["synthetic_until"] = rfc3339(tenant.synthetic_until_ms);
  return object;
}

/// Member `synthetic_until`: a time within a day, or absence for a tenant like any other, which is
/// 0.
std::int64_t read_synthetic(ObjectReader& object, std::int64_t now_ms) {
  static constexpr std::int64_t longest_ms = std::int64_t{24} * 60 * 60 * 1000;
  const json::value* value = object.take("synthetic_until");
  if (value == nullptr) return 0;
  const json::string* text = value->if_string();
  const auto time = text == nullptr ? std::nullopt : parse_rfc3339(*text);
  if (time && *time > now_ms && *time <= now_ms + longest_ms) return *time;
  object.fault("synthetic_until", "must be a time within the next 24 hours");
  return 0;
}

/// The tenant after a change, for the answer and the audit log.
Answer answer_with(Call& call, int status, const Outcome<TenantPtr>& outcome) {
  if (!outcome) return refuse(call, outcome.error());
  call.tenant = (*outcome)->slug;
  call.tenant_id = (*outcome)->id;
  return json_answer(status, tenant_json(call, **outcome));
}

/// Member `metadata`: at most 64 texts of at most 1,024 bytes.
std::map<std::string, std::string> read_metadata(ObjectReader& object) {
  std::map<std::string, std::string> metadata;
  const json::value* value = object.take("metadata");
  if (value == nullptr) return metadata;
  if (!value->is_object() || value->get_object().size() > 64) {
    object.fault("metadata", "must be an object of at most 64 texts");
    return metadata;
  }
  for (const auto& member : value->get_object()) {
    const std::string_view key = member.key();
    const json::string* text = member.value().if_string();
    if (text == nullptr || text->size() > 1024 || key.size() > 64) {
      object.note(object.pointer_to("metadata") + context::pointer_step(key),
                  "must be a text of at most 1024 bytes, with a key of at most 64");
    } else {
      metadata.emplace(key, std::string(*text));
    }
  }
  return metadata;
}

/// Notes what the operator says of limits and would not hold: what it is told later has to.
void check_limits(const Call& call, ObjectReader& object, const tenancy::Limits& said) {
  const std::string at = object.pointer_to("limits") + "/";
  const tenancy::Limits& most = call.services.most;
  tenancy::each_limit([&](std::string_view name, auto limit) {
    if (!(said.*limit)) return;
    if (!tenancy::is_enforced(name)) {
      object.note(at + std::string(name), "nothing enforces it; leave it out");
    } else if (most.*limit && *(said.*limit) > *(most.*limit)) {
      std::string detail =
          "must be at most " + std::to_string(static_cast<std::int64_t>(*(most.*limit))) + ", ";
      detail += name == "body" ? "the largest body that this process takes: raise 'body' of a tier "
                                 "in the spec, and start it with what is generated"
                               : "which all tenants of this process share: give it more "
                                 "connections or memory, and start it again";
      object.note(at + std::string(name), detail);
    }
  });
}

/// Notes a tier that is not there, or that the runtime cannot give to a tenant made at run time.
void check_tier(const Call& call, ObjectReader& object, const std::string& tier) {
  const auto tiers = call.services.registry.tiers();
  const auto found = tiers.find(tier);
  if (found == tiers.end()) {
    if (!tier.empty()) object.fault("tier", "unknown tier '" + tier + "'");
  } else if (found->second.isolation == tenancy::Isolation::deployment) {
    object.fault(
        "tier",
        "its tenants have a deployment of their own; add the tenant to the spec and generate");
  }
}

}  // namespace

Answer list_tenants(Call& call) {
  const auto query = read_query(call, {"limit", "cursor", "status", "owner"});
  if (!query) return tl::unexpected(query.error());
  const auto limit = read_limit(*query, 100);
  if (!limit) return tl::unexpected(limit.error());
  tenancy::TenantFilter filter;
  if (const std::string status = query->text("status"); !status.empty()) {
    const auto found = std::ranges::find(statuses, status);
    if (found == statuses.end()) {
      return refuse(Code::invalid_parameter, "'status' must be active, suspended or deleted");
    }
    filter.status = static_cast<Status>(found - statuses.begin());
  }
  if (std::string owner = query->text("owner"); !owner.empty()) filter.owner = std::move(owner);
  const tenancy::TenantPage page =
      call.services.registry.list(filter, *limit, query->text("cursor"));
  json::array tenants;
  for (const TenantPtr& tenant : page.tenants) tenants.emplace_back(tenant_json(call, *tenant));
  json::object body{{"tenants", std::move(tenants)}, {"next", nullptr}};
  if (page.next) body["next"] = *page.next;
  return json_answer(200, body);
}

Answer create_tenant(Call& call) {
  const auto body = read_body(call);
  if (!body) return tl::unexpected(body.error());
  ObjectReader::Faults faults;
  tenancy::TenantSpec spec;
  {
    ObjectReader object(*body, "", faults);
    spec.slug = object.required_text("slug");
    if (const auto defect = context::slug_defect(spec.slug);
        !spec.slug.empty() && !defect.empty()) {
      object.fault("slug", std::string(defect));
    }
    spec.name = object.text("name");
    spec.owner = object.text("owner");
    const auto tiers = call.services.registry.tiers();
    spec.tier = tiers.size() == 1 ? object.text("tier", tiers.begin()->first)
                                  : object.required_text("tier");
    check_tier(call, object, spec.tier);
    spec.domains = context::read_domains(object, call.services.configuration.domain);
    spec.limits = context::read_limits(object);
    check_limits(call, object, spec.limits);
    spec.metadata = read_metadata(object);
    spec.synthetic_until_ms = read_synthetic(object, call.services.clock.unix_ms());
  }
  call.tenant = spec.slug;
  if (!faults.empty()) return refuse_body(std::move(faults));
  spec.id = new_uuid(call.services.clock.unix_ms());
  call.tenant_id = spec.id;
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  Answer answer = answer_with(call, 201, call.services.tenants.create(spec));
  if (answer) answer->fields.emplace_back("Location", "/v1/tenants/" + spec.slug);
  return answer;
}

Answer read_tenant(Call& call) {
  const auto tenant = tenant_of(call);
  if (!tenant) return tl::unexpected(tenant.error());
  return json_answer(200, tenant_json(call, **tenant));
}

Answer update_tenant(Call& call) {
  if (const auto tenant = tenant_of(call); !tenant) return tl::unexpected(tenant.error());
  const auto body = read_body(call);
  if (!body) return tl::unexpected(body.error());
  ObjectReader::Faults faults;
  tenancy::TenantChange change;
  {
    ObjectReader object(*body, "", faults);
    if (object.has("name")) change.name = object.text("name");
    if (object.has("owner")) change.owner = object.text("owner");
    if (object.has("tier")) {
      change.tier = object.required_text("tier");
      check_tier(call, object, *change.tier);
    }
    if (object.has("deployment_url")) change.deployment_url = object.text("deployment_url");
    if (object.has("domains")) {
      change.domains = context::read_domains(object, call.services.configuration.domain);
    }
    if (object.has("limits")) {
      change.limits = context::read_limits_change(object);
      check_limits(call, object, change.limits->set);
    }
    if (object.has("metadata")) change.metadata = read_metadata(object);
  }
  if (!faults.empty()) return refuse_body(std::move(faults));
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  return answer_with(call, 200, call.services.tenants.update(call.slug, change));
}

Answer suspend_tenant(Call& call) {
  if (const auto tenant = tenant_of(call); !tenant) return tl::unexpected(tenant.error());
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  return answer_with(call, 200, call.services.tenants.suspend(call.slug));
}

Answer resume_tenant(Call& call) {
  if (const auto tenant = tenant_of(call); !tenant) return tl::unexpected(tenant.error());
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  return answer_with(call, 200, call.services.tenants.resume(call.slug));
}

Answer delete_tenant(Call& call) {
  const auto tenant = tenant_of(call);
  if (!tenant) return tl::unexpected(tenant.error());
  call.note = domains_given_up(**tenant);
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
  if (const auto removed = call.services.tenants.remove(call.slug); !removed) {
    return refuse(call, removed.error());
  }
  call.services.metrics.forget(call.slug);
  return http::Response{.status = 204};
}

}  // namespace caisson::admin

#include "runtime/admin/call.h"

#include <boost/json/serialize.hpp>

#include "runtime/context/strict_json.h"

namespace caisson::admin {

using observe::Code;
using observe::Problem;

http::Response json_answer(int status, const boost::json::object& body) {
  return {.status = status,
          .fields = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
          .body = boost::json::serialize(body)};
}

tl::unexpected<Problem> refuse(Code code, std::string detail) {
  return tl::unexpected(Problem{.code = code, .detail = std::move(detail)});
}

tl::expected<boost::json::value, Problem> read_body(const Call& call) {
  if (call.request.body.empty()) return boost::json::value(boost::json::object{});
  const std::string_view type = call.request.field("content-type");
  if (!type.empty() && type.substr(0, type.find(';')) != "application/json") {
    return refuse(Code::unsupported_media_type, "the body must be application/json");
  }
  auto value = context::parse_strict(call.request.body);
  if (!value) return refuse(Code::invalid_json, value.error().what);
  return std::move(*value);
}

tl::unexpected<Problem> refuse_body(context::ObjectReader::Faults faults) {
  return tl::unexpected(Problem{
      .code = Code::invalid_record, .detail = "the body has defects", .errors = std::move(faults)});
}

tl::expected<Query, Problem> read_query(const Call& call,
                                        std::initializer_list<std::string_view> known) {
  auto query = Query::parse(call.request.query, known);
  if (!query) return refuse(Code::invalid_parameter, query.error());
  return std::move(*query);
}

tl::expected<std::uint64_t, Problem> read_limit(const Query& query, std::uint64_t fallback) {
  const auto limit = query.number("limit", fallback, 1, 1000);
  if (!limit) return refuse(Code::invalid_parameter, "'limit' must be from 1 to 1000");
  return *limit;
}

observe::AuditEvent event_of(const Call& call) {
  return {.actor = {.kind = observe::Actor::Kind::operator_},
          .action = call.action,
          .tenant = call.tenant.empty() ? call.slug : std::string_view(call.tenant),
          .tenant_id = call.tenant_id,
          .request_id = call.request_id,
          .reason = call.note};
}

tl::expected<void, Problem> begin(Call& call) {
  call.intent = call.services.audit.begin(event_of(call));
  if (call.intent == 0) return tl::unexpected(unrecorded());
  return {};
}

Problem unrecorded() {
  return {.code = Code::overloaded,
          .detail = "the audit log cannot be written, and nothing is changed without it"};
}

tl::unexpected<Problem> refuse(const Call& call, const tenancy::LifecycleError& error) {
  using Kind = tenancy::LifecycleErrorKind;
  switch (error.kind) {
    case Kind::invalid:
      return refuse_body({{.pointer = error.pointer, .detail = error.detail}});
    case Kind::slug_taken:
      return refuse(Code::conflict, "another tenant has this slug");
    case Kind::domain_taken:
      return refuse(Code::conflict, error.detail);
    case Kind::unknown_tenant:
      return refuse(Code::unknown_tenant, "there is no tenant with this slug");
    case Kind::deleted:
      return refuse(Code::unknown_tenant, "the tenant with this slug was deleted");
    case Kind::unknown_key:
      return refuse(Code::not_found, "the tenant has no key with this id");
    case Kind::unknown_snapshot:
      return refuse(Code::not_found, "there is no snapshot with this id");
    case Kind::foreign_snapshot:
      return refuse(Code::foreign_snapshot, error.detail);
    case Kind::suspended_by_configuration:
      return refuse(Code::conflict,
                    "the configuration suspends this tenant; set its 'status' there to resume it");
    case Kind::too_many_snapshots:
      return refuse(Code::conflict, "the tenant has " +
                                        std::to_string(tenancy::Tenants::most_snapshots) +
                                        " snapshots, and keeps no more; delete some");
    case Kind::damaged_snapshot:
      return refuse(Code::conflict, "the snapshot is damaged and was not restored");
    case Kind::storage:
      break;
  }
  call.services.log.error("an operator call failed",
                          {{"tenant", call.slug}, {"failure", error.detail}});
  return refuse(Code::tenant_unavailable, "the tenant's storage failed; the log says why");
}

tl::expected<tenancy::TenantPtr, Problem> tenant_of(Call& call) {
  tenancy::TenantPtr tenant = call.services.registry.by_slug(call.slug);
  if (!tenant || tenant->status == tenancy::Status::deleted) {
    return refuse(Code::unknown_tenant, "there is no tenant with this slug");
  }
  call.tenant = tenant->slug;
  call.tenant_id = tenant->id;
  return tenant;
}

tl::expected<void, observe::Problem> check_suspended(const tenancy::Tenant& tenant) {
  if (tenant.status == tenancy::Status::suspended) return {};
  return tl::unexpected(not_suspended());
}

Problem not_suspended() {
  return {.code = Code::conflict,
          .detail = "what is there may be in use; suspend the tenant to replace all of it"};
}

boost::json::value time_json(std::int64_t unix_ms) {
  if (unix_ms == 0) return nullptr;
  return boost::json::value(rfc3339(unix_ms));
}

}  // namespace caisson::admin

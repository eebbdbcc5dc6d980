#include <limits>

#include <boost/json/serialize.hpp>

#include "runtime/admin/call.h"
#include "runtime/context/tenant_reader.h"

namespace caisson::admin {

namespace json = boost::json;
using observe::Code;

Answer read_usage(Call& call) {
  const auto tenant = tenant_of(call);
  if (!tenant) return tl::unexpected(tenant.error());
  const auto use = call.services.tenants.disk_use(call.slug);
  if (!use) return refuse(call, use.error());
  return json_answer(200, {{"tenant", call.slug},
                           {"store_bytes", use->store_bytes},
                           {"snapshot_bytes", use->snapshot_bytes},
                           {"snapshots", use->snapshots},
                           {"limits", context::limits_json((*tenant)->limits)}});
}

Answer read_migrations(Call& call) {
  return json_answer(200, {{"registry", call.services.registry.schema_version()},
                           {"stores", call.services.tenants.schema_version()}});
}

Answer run_migrations(Call& call) {
  const auto query = read_query(call, {"after", "limit"});
  if (!query) return tl::unexpected(query.error());
  const auto limit = read_limit(*query, 1000);
  if (!limit) return tl::unexpected(limit.error());
  const tenancy::TenantPage page = call.services.registry.list({}, *limit, query->text("after"));
  std::size_t done = 0;
  json::array failed;
  for (const tenancy::TenantPtr& tenant : page.tenants) {
    if (tenant->status == tenancy::Status::deleted) continue;
    const auto migrated = call.services.tenants.migrate(tenant->slug);
    if (migrated) {
      ++done;
    } else if (migrated.error().kind == tenancy::LifecycleErrorKind::storage) {
      failed.emplace_back(tenant->slug);
    }  // else it was deleted meanwhile
  }
  call.note = std::to_string(done) + " stores, " + std::to_string(failed.size()) + " failed";
  json::object body{{"stores", call.services.tenants.schema_version()},
                    {"migrated", done},
                    {"failed", std::move(failed)},
                    {"next", nullptr}};
  if (page.next) body["next"] = *page.next;
  return json_answer(200, body);
}

Answer read_audit(Call& call) {
  const auto query = read_query(call, {"tenant", "after", "limit"});
  if (!query) return tl::unexpected(query.error());
  const auto after = query->number("after", 0, 0, std::numeric_limits<std::uint64_t>::max() - 1);
  const auto limit = query->number("limit", 100, 1, 1000);
  if (!after || !limit) {
    return refuse(Code::invalid_parameter,
                  "'after' must be a whole number and 'limit' from 1 to 1000");
  }
  const std::vector<std::string> records = call.services.audit.query(
      {.tenant = query->text("tenant"), .after = *after, .limit = *limit});
  // Records are JSON as they are; parsing and writing them again could only change them.
  std::string body = R"({"records":[)";
  for (const std::string& record : records) {
    if (&record != records.data()) body += ',';
    body += record;
  }
  body += R"(],"next":)";
  const auto last = records.empty() ? std::nullopt : observe::claimed_seq(records.back());
  body += records.size() == *limit && last ? std::to_string(*last) : "null";
  body += '}';
  http::Response response = json_answer(200, {});
  response.body = std::move(body);
  return response;
}

Answer verify_audit_log(Call& call) {
  const observe::AuditVerification found = call.services.audit.verify();
  json::object body{{"records", found.records}, {"valid", found.valid}, {"broken_at", nullptr}};
  if (!found.valid) {
    body["broken_at"] = found.broken_at;
    body["reason"] = found.reason;
  }
  return json_answer(200, body);
}

Answer read_status(Call& call) {
  const OperatorApi::Services& services = call.services;
  return json_answer(200, {{"version", CAISSON_VERSION},
                           {"deployment", services.configuration.deployment},
                           {"instance", services.configuration.instance},
                           {"uptime_ms", call.uptime_ms},
                           {"tenants", services.registry.count()},
                           {"open_tenants", services.tenants.stats().open},
                           {"connections", services.connections().open},
                           {"audit_healthy", services.audit.healthy()}});
}

}  // namespace caisson::admin

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
  return json_answer(
      200,
      {{"tenant", call.slug},
       {"store_bytes", use->store_bytes},
       {"snapshot_bytes", use->snapshot_bytes},
       {"snapshots", use->snapshots},
       {"limits", context::limits_json(tenancy::within((*tenant)->limits, call.services.most))}});
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
  if (const auto begun = begin(call); !begun) return tl::unexpected(begun.error());
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
  const auto query = read_query(call, {"log", "tenant", "after", "limit", "newest"});
  if (!query) return tl::unexpected(query.error());
  const std::string log = query->text("log");
  if (!log.empty() && log != "operations" && log != "refusals")
    return refuse(Code::invalid_parameter, "'log' must be operations or refusals");
  const auto after = query->number("after", 0, 0, std::numeric_limits<std::uint64_t>::max() - 1);
  const auto limit = query->number("limit", 100, 1, 1000);
  const auto newest = query->number("newest", 0, 1, 1000);
  if (!after || !limit || !newest) {
    return refuse(Code::invalid_parameter,
                  "'after' must be a whole number, 'limit' and 'newest' from 1 to 1000");
  }
  const bool from_the_end = *newest > 0;
  if (from_the_end && (!query->text("after").empty() || !query->text("limit").empty())) {
    return refuse(Code::invalid_parameter, "'newest' goes with neither 'after' nor 'limit'");
  }
  observe::Audit& audit = call.services.audit;
  if (log == "refusals") audit.count_so_far();
  const std::vector<std::string> records =
      (log == "refusals" ? audit.refusals() : audit.operations())
          .query({.tenant = query->text("tenant"),
                  .after = *after,
                  .limit = from_the_end ? *newest : *limit,
                  .newest = from_the_end});
  // Records are JSON as they are; parsing and writing them again could only change them.
  std::string body = R"({"records":[)";
  for (const std::string& record : records) {
    if (&record != records.data()) body += ',';
    body += record;
  }
  body += R"(],"next":)";
  const auto last = records.empty() ? std::nullopt : observe::claimed_seq(records.back());
  body += !from_the_end && records.size() == *limit && last ? std::to_string(*last) : "null";
  body += '}';
  http::Response response = json_answer(200, {});
  response.body = std::move(body);
  return response;
}

namespace {

/// What was found of one log, and what it covers.
json::object verification_json(const observe::AuditVerification& found) {
  json::object body{{"records", found.records}, {"valid", found.valid}, {"broken_at", nullptr},
                    {"first", nullptr},         {"from", nullptr},      {"to", nullptr},
                    {"retired", found.retired}};
  if (!found.valid) {
    body["broken_at"] = found.broken_at;
    body["reason"] = found.reason;
  }
  if (found.records > 0) {
    body["first"] = found.first;
    body["from"] = found.from;
    body["to"] = found.to;
  }
  return body;
}

}  // namespace

Answer verify_audit_log(Call& call) {
  const observe::AuditReport found = call.services.audit.verify();
  return json_answer(200, {{"valid", found.valid()},
                           {"operations", verification_json(found.operations)},
                           {"refusals", verification_json(*found.refusals)}});
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
                           {"audit_healthy", services.audit.healthy()},
                           {"tenants_current", services.tenants_current()}});
}

}  // namespace caisson::admin

#include <limits>

#include <boost/json/serialize.hpp>

#include "runtime/admin/call.h"

namespace caisson::admin {

namespace json = boost::json;
using observe::Code;

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
                           {"connections", services.connections()},
                           {"audit_healthy", services.audit.healthy()}});
}

}  // namespace caisson::admin

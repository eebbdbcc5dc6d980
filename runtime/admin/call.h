#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <tl/expected.hpp>

#include "runtime/admin/operator_api.h"
#include "runtime/admin/query.h"
#include "runtime/context/object_reader.h"
#include "runtime/http/message.h"
#include "runtime/observe/problem.h"

namespace caisson::admin {

/// One authorised call on its way through a route.
struct Call {
  OperatorApi::Services& services;
  const http::Request& request;
  std::string_view action;  ///< that the audit log names it by; empty when it changes nothing
  std::string_view request_id;
  std::string_view slug;  ///< of the path; empty when it has none
  std::string_view id;    ///< second part of the path that varies
  std::int64_t uptime_ms;

  // What the audit log is told besides the outcome.
  std::string tenant;
  std::string tenant_id;
  std::string note;
  std::uint64_t intent = 0;  ///< seq of the record that the call has begun
};

using Answer = tl::expected<http::Response, observe::Problem>;
using Route = Answer (*)(Call& call);

Answer list_tenants(Call& call);
Answer create_tenant(Call& call);
Answer read_tenant(Call& call);
Answer update_tenant(Call& call);
Answer suspend_tenant(Call& call);
Answer resume_tenant(Call& call);
Answer delete_tenant(Call& call);
Answer list_keys(Call& call);
Answer create_key(Call& call);
Answer revoke_key(Call& call);
Answer export_keys(Call& call);
Answer import_keys(Call& call);
Answer list_snapshots(Call& call);
Answer create_snapshot(Call& call);
Answer delete_snapshot(Call& call);
Answer restore_snapshot(Call& call);
Answer export_records(Call& call);
Answer import_records(Call& call);
Answer read_usage(Call& call);
Answer read_migrations(Call& call);
Answer run_migrations(Call& call);
Answer read_audit(Call& call);
Answer verify_audit_log(Call& call);
Answer read_status(Call& call);

/// An `application/json` answer.
[[nodiscard]] http::Response json_answer(int status, const boost::json::object& body);

/// The body as a JSON object, an absent one as an empty object.
[[nodiscard]] tl::expected<boost::json::value, observe::Problem> read_body(const Call& call);

/// The problem of a body with these defects.
[[nodiscard]] tl::unexpected<observe::Problem> refuse_body(context::ObjectReader::Faults faults);

/// The parameters, of which only `known` may be there.
[[nodiscard]] tl::expected<Query, observe::Problem> read_query(
    const Call& call, std::initializer_list<std::string_view> known);

/// The parameter `limit` of a page: from 1 to 1,000, `fallback` without it.
[[nodiscard]] tl::expected<std::uint64_t, observe::Problem> read_limit(const Query& query,
                                                                       std::uint64_t fallback);

/// The call as the audit log tells of it, without an outcome. Refers to `call`.
[[nodiscard]] observe::AuditEvent event_of(const Call& call);

/// Records durably that the call, now found to be in order, begins to change something. When the
/// disk refuses that, nothing must be changed.
[[nodiscard]] tl::expected<void, observe::Problem> begin(Call& call);

/// Nothing is changed without the audit log.
[[nodiscard]] observe::Problem unrecorded();

/// The problem that an error of the registry or of a tenant's life cycle means. Its detail goes to
/// the log when it is not for the caller.
[[nodiscard]] tl::unexpected<observe::Problem> refuse(const Call& call,
                                                      const tenancy::LifecycleError& error);

[[nodiscard]] tl::unexpected<observe::Problem> refuse(observe::Code code, std::string detail);

/// The tenant of the path, for the answer and the audit log; deleted ones are not found.
[[nodiscard]] tl::expected<tenancy::TenantPtr, observe::Problem> tenant_of(Call& call);

/// The refusal of what only a suspended tenant may be done: to have all that it has replaced.
[[nodiscard]] observe::Problem not_suspended();

/// A refusal unless the tenant is suspended: what it has is about to be replaced as a whole.
[[nodiscard]] tl::expected<void, observe::Problem> check_suspended(const tenancy::Tenant& tenant);

/// A time as text, and 0 as null.
[[nodiscard]] boost::json::value time_json(std::int64_t unix_ms);

}  // namespace caisson::admin

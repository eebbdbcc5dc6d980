#include "runtime/ingress/gate.h"

#include <algorithm>
#include <limits>

#include "runtime/ingress/problem_response.h"
#include "runtime/observe/trace_context.h"

namespace caisson::ingress {
namespace {

using observe::Code;
using observe::Problem;

constexpr std::string_view refuse_action = "request.refuse";

std::string_view trace_of(const http::Request& request) {
  const auto trace = observe::read_trace(request.field("traceparent"), {});
  return trace ? trace->trace_id : std::string_view();
}

/// What belongs into the audit log: who was kept from what. A record that is not there is everyday
/// business.
bool is_audited(Code code) {
  const int status = info(code).status;
  return status == 401 || status == 403 || status == 429 || code == Code::ambiguous_tenant ||
         code == Code::unknown_host || code == Code::unknown_tenant;
}

}  // namespace

std::size_t Admitted::most_body() const {
  constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
  const auto& most = context.tenant().limits.body_bytes;
  return most ? static_cast<std::size_t>(*most) : unlimited;
}

tl::expected<Admitted, Turned> Gate::admit(const http::Request& head, std::string request_id) {
  const std::string id = request_id;
  auto context = resolver_.resolve(head, std::move(request_id));
  if (!context) {
    const Unresolved& why = context.error();
    metrics_.refusal(why.problem.code);
    std::string reason(info(why.problem.code).name);
    if (!why.reason.empty()) (reason += ": ") += why.reason;
    audit_.refuse({.actor = why.caller ? context::actor_of(*why.caller) : observe::Actor{},
                   .action = refuse_action,
                   .tenant = why.tenant ? std::string_view(why.tenant->slug) : std::string_view(),
                   .tenant_id = why.tenant ? std::string_view(why.tenant->id) : std::string_view(),
                   .request_id = id,
                   .outcome = "refused",
                   .reason = reason,
                   .trace_id = trace_of(head)});
    // Of a deleted tenant nothing is counted any more.
    const bool lives = why.tenant && why.tenant->status != tenancy::Status::deleted;
    return tl::unexpected(Turned{.response = problem_response(why.problem, id),
                                 .tenant = lives ? why.tenant : nullptr});
  }
  auto permit = limiter_.admit(context->tenant());
  if (!permit) {
    http::Response response = refuse(*context, permit.error().problem);
    std::ranges::move(permit.error().fields, std::back_inserter(response.fields));
    return tl::unexpected(Turned{.response = std::move(response), .tenant = context->tenant_ptr()});
  }
  return Admitted{.context = std::move(*context), .permit = std::move(*permit)};
}

http::Response Gate::refuse(const context::RequestContext& context, const Problem& problem) {
  metrics_.refusal(problem.code);
  if (is_audited(problem.code)) {
    audit_.refuse({.actor = context::actor_of(context.caller()),
                   .action = refuse_action,
                   .tenant = context.tenant().slug,
                   .tenant_id = context.tenant().id,
                   .request_id = context.request_id(),
                   .outcome = "refused",
                   .reason = info(problem.code).name,
                   .trace_id = context.trace_id()});
  }
  return problem_response(problem, context.request_id());
}

}  // namespace caisson::ingress

#include "runtime/ingress/problem_response.h"

#include <string>

namespace caisson::ingress {

http::Response problem_response(const observe::Problem& problem, std::string_view request_id) {
  http::Response response{.status = info(problem.code).status,
                          .fields = {{"Content-Type", std::string(api::problem_media_type)},
                                     {"Cache-Control", "no-store"},
                                     {"Caisson-Request-Id", std::string(request_id)}},
                          .body = problem_body(problem, request_id)};
  if (response.status == 401) response.fields.emplace_back("WWW-Authenticate", "Bearer");
  if (const int seconds = retry_after(problem); seconds > 0) {
    response.fields.emplace_back("Retry-After", std::to_string(seconds));
  }
  return response;
}

observe::Problem refusal_problem(tenancy::Refusal refusal) {
  switch (refusal) {
    case tenancy::Refusal::overloaded:
      return {.code = observe::Code::overloaded,
              .detail = "too many requests of this tenant are waiting"};
    case tenancy::Refusal::unavailable:
      return {.code = observe::Code::tenant_unavailable,
              .detail = "the tenant's data cannot be used now"};
    case tenancy::Refusal::gone:
      return {.code = observe::Code::tenant_deleted, .detail = "the tenant was deleted"};
    case tenancy::Refusal::deadline:
      return {.code = observe::Code::deadline_exceeded, .detail = "the request took too long"};
    case tenancy::Refusal::failed:
      break;
    case tenancy::Refusal::full:
      return {.code = observe::Code::storage_full, .detail = "the tenant's storage is full"};
  }
  return {.code = observe::Code::internal};
}

}  // namespace caisson::ingress

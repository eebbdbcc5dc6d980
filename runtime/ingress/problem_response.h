#pragma once

#include <string_view>

#include "runtime/http/message.h"
#include "runtime/observe/problem.h"
#include "runtime/tenancy/tenants.h"

namespace caisson::ingress {

/// The answer to a request that is refused: the RFC 9457 body, `Cache-Control: no-store`, the
/// request id, and what the code asks for (`WWW-Authenticate`, `Retry-After`).
[[nodiscard]] http::Response problem_response(const observe::Problem& problem,
                                              std::string_view request_id);

/// What a job that has no answer means for its caller.
[[nodiscard]] observe::Problem refusal_problem(tenancy::Refusal refusal);

}  // namespace caisson::ingress

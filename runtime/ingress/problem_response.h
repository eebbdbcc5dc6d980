#pragma once

#include <string_view>

#include "runtime/http/message.h"
#include "runtime/observe/problem.h"

namespace caisson::ingress {

/// The answer to a request that is refused: the RFC 9457 body, `Cache-Control: no-store`, the
/// request id, and what the code asks for (`WWW-Authenticate`, `Retry-After`).
[[nodiscard]] http::Response problem_response(const observe::Problem& problem,
                                              std::string_view request_id);

}  // namespace caisson::ingress

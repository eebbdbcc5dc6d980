#include "runtime/ingress/problem_response.h"

#include <string>

namespace caisson::ingress {

http::Response problem_response(const observe::Problem& problem, std::string_view request_id) {
  http::Response response{.status = info(problem.code).status,
                          .fields = {{"Content-Type", std::string(observe::problem_type)},
                                     {"Cache-Control", "no-store"},
                                     {"Caisson-Request-Id", std::string(request_id)}},
                          .body = problem_body(problem, request_id)};
  if (response.status == 401) response.fields.emplace_back("WWW-Authenticate", "Bearer");
  if (const int seconds = retry_after(problem); seconds > 0) {
    response.fields.emplace_back("Retry-After", std::to_string(seconds));
  }
  return response;
}

}  // namespace caisson::ingress

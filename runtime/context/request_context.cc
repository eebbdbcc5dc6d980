#include "runtime/context/request_context.h"

#include <utility>

namespace caisson::context {

RequestContext::RequestContext(std::string request_id, tenancy::TenantPtr tenant,
                               std::shared_ptr<const Caller> caller,
                               std::chrono::steady_clock::time_point deadline, std::string trace_id,
                               std::uint64_t generation)
    : request_id_(std::move(request_id)),
      trace_id_(std::move(trace_id)),
      tenant_(std::move(tenant)),
      caller_(std::move(caller)),
      deadline_(deadline),
      generation_(generation) {}

std::string_view name(Credential credential) noexcept {
  return credential == Credential::token ? "token" : "api-key";
}

observe::Actor actor_of(const Caller& caller) noexcept {
  const bool token = caller.credential == Credential::token;
  return {.kind = token ? observe::Actor::Kind::token : observe::Actor::Kind::api_key,
          .id = caller.subject};
}

}  // namespace caisson::context

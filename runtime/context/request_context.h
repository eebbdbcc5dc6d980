#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/observe/chain.h"
#include "runtime/tenancy/tenant.h"

namespace caisson::ingress {
class Resolver;
}

namespace caisson::context {

enum class Credential : std::uint8_t { token, api_key };

/// Who calls: a verified credential. Shared, since a token is verified once and used often.
struct Caller {
  Credential credential = Credential::token;
  std::string subject;  ///< the token's `sub`, or the key's id
  std::vector<std::string> scopes;
  std::int64_t expires_ms = 0;  ///< Unix time from which the credential holds no more; 0: never
};

/// What a handler knows of its request. Only the resolver makes one, and only for a verified caller
/// and an active tenant that all signals agree on: without a tenant there is nothing to call a
/// handler with.
class RequestContext {
 public:
  [[nodiscard]] const std::string& request_id() const { return request_id_; }
  /// Of the trace that the request is part of (W3C Trace Context); empty when it is part of none.
  [[nodiscard]] const std::string& trace_id() const { return trace_id_; }
  [[nodiscard]] const tenancy::Tenant& tenant() const { return *tenant_; }
  [[nodiscard]] const tenancy::TenantPtr& tenant_ptr() const { return tenant_; }
  [[nodiscard]] const Caller& caller() const { return *caller_; }
  [[nodiscard]] const std::shared_ptr<const Caller>& caller_ptr() const { return caller_; }
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const { return deadline_; }

  /// Of the keys with which a token was verified (ingress::TokenVerifier), or of older ones.
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  /// By when the answer has to be there; runs from the end of the request's body.
  void set_deadline(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }

 private:
  friend class ingress::Resolver;
  RequestContext(std::string request_id, tenancy::TenantPtr tenant,
                 std::shared_ptr<const Caller> caller,
                 std::chrono::steady_clock::time_point deadline, std::string trace_id,
                 std::uint64_t generation);

  std::string request_id_;
  std::string trace_id_;
  tenancy::TenantPtr tenant_;
  std::shared_ptr<const Caller> caller_;
  std::chrono::steady_clock::time_point deadline_;
  std::uint64_t generation_;
};

[[nodiscard]] std::string_view name(Credential credential) noexcept;  ///< `token`, `api-key`

/// The caller as the audit log names it. Refers to `caller`.
[[nodiscard]] observe::Actor actor_of(const Caller& caller) noexcept;

}  // namespace caisson::context

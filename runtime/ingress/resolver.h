#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "base/time.h"
#include "runtime/context/configuration.h"
#include "runtime/context/request_context.h"
#include "runtime/http/message.h"
#include "runtime/ingress/directory.h"
#include "runtime/ingress/tickets.h"
#include "runtime/ingress/token_verifier.h"
#include "runtime/observe/problem.h"

namespace caisson::ingress {

/// Why a request has no context, for the client, and what is known of it, for the log.
struct Unresolved {
  observe::Problem problem;
  std::string_view reason;  ///< of an invalid credential; the client is not told
  std::shared_ptr<const context::Caller> caller;  ///< of a verified credential; null without one
  tenancy::TenantPtr tenant;  ///< that a verified credential belongs to; may be null
};

/// Finds out who calls and for which tenant.
///
/// The order is fixed: the credential is verified before anything about a tenant is looked up; the
/// tenant is the credential's; every other signal must be allowed by `auth.resolve` and agree with
/// it; then the tenant must be active. Nothing is ever guessed.
class Resolver {
 public:
  /// `tokens` is null when tokens are not configured, `tickets` when none are issued. All outlive
  /// this.
  Resolver(const context::Configuration& configuration, const Directory& directory,
           TokenVerifier* tokens, const Clock& clock, Tickets* tickets = nullptr)
      : configuration_(configuration),
        directory_(directory),
        tokens_(tokens),
        clock_(clock),
        tickets_(tickets) {}

  [[nodiscard]] tl::expected<context::RequestContext, Unresolved> resolve(
      const http::Request& request, std::string request_id) const;

  /// Why a request that was resolved may not go on: its tenant was suspended or deleted since, or
  /// its key revoked. Without the disk, and without a wait.
  [[nodiscard]] std::optional<observe::Problem> withdrawn(
      const context::RequestContext& context) const;
  /// The same of a request that is whole: its token, too, holds by the keys of now.
  [[nodiscard]] std::optional<observe::Problem> withdrawn(const context::RequestContext& context,
                                                          const http::Request& request) const;

 private:
  /// A verified credential and the tenant it names.
  struct Identity {
    std::shared_ptr<const context::Caller> caller;
    std::string slug;                       ///< of the tenant; empty: it is named by its id
    std::string id;                         ///< of the tenant; empty: it is named by its slug
    std::optional<std::int64_t> issued_ms;  ///< of a token
  };

  [[nodiscard]] tl::expected<Identity, Unresolved> authenticate(const http::Request& request) const;
  [[nodiscard]] tl::expected<Identity, std::string_view> authenticate_key(
      std::string_view text) const;
  [[nodiscard]] tl::expected<Identity, std::string_view> authenticate_ticket(
      std::string_view text) const;
  [[nodiscard]] tenancy::TenantPtr tenant_of(const Identity& identity) const;
  [[nodiscard]] std::optional<observe::Problem> disagreement(
      const http::Request& request, std::string_view slug, const tenancy::TenantPtr& tenant) const;
  /// The tenant that a sabotaged runtime serves instead; null while every wall stands.
  [[nodiscard]] tenancy::TenantPtr sabotaged_tenant(const http::Request& request,
                                                    const Identity& identity) const;
  /// Whether a sabotaged runtime looks at the tenant's status only when a credential is new.
  [[nodiscard]] static bool sabotaged_login(const http::Request& request);

  const context::Configuration& configuration_;
  const Directory& directory_;
  TokenVerifier* tokens_;
  const Clock& clock_;
  Tickets* tickets_;
};

}  // namespace caisson::ingress

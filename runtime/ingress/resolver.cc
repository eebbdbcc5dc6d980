#include "runtime/ingress/resolver.h"

#include <algorithm>
#include <chrono>

#include "runtime/ingress/api_key.h"
#include "runtime/ingress/signals.h"
#include "runtime/observe/trace_context.h"
#include "runtime/observe/walls.h"

namespace caisson::ingress {
namespace {

using context::RequestContext;
using observe::Code;
using observe::Problem;
using tenancy::TenantPtr;

Unresolved unresolved(Code code, std::string detail = {}, std::string_view reason = {}) {
  return {.problem = {.code = code, .detail = std::move(detail)},
          .reason = reason,
          .caller = {},
          .tenant = {}};
}

/// One text for every defect of a credential, so that it tells nothing about what was wrong.
Unresolved invalid(std::string_view reason) {
  return unresolved(Code::invalid_credential, "the credential is not accepted", reason);
}

/// Whether a token that names its tenant by slug may have been made for an earlier tenant of that
/// slug.
bool of_a_predecessor(std::string_view slug, const std::optional<std::int64_t>& issued_ms,
                      const tenancy::Tenant& tenant) {
  return tenant.successor && !slug.empty() && issued_ms.value_or(0) < tenant.created_ms;
}

/// The refusal of whoever calls for a tenant that is not active.
std::optional<Problem> inactive(tenancy::Status status) {
  switch (status) {
    case tenancy::Status::active:
      break;
    case tenancy::Status::suspended:
      return Problem{.code = Code::tenant_suspended,
                     .detail = "the operator has suspended the tenant"};
    case tenancy::Status::deleted:
      return Problem{.code = Code::tenant_deleted, .detail = "the tenant was deleted"};
  }
  return {};
}

}  // namespace

tl::expected<Resolver::Identity, std::string_view> Resolver::authenticate_key(
    std::string_view text) const {
  const auto id = api_key_id(text);
  const tenancy::ApiKeyPtr key = id ? directory_.key(*id) : nullptr;
  if (!matches(key, text)) return tl::unexpected(std::string_view("no such key"));
  if (key->revoked) return tl::unexpected(std::string_view("the key was revoked"));
  if (key->expires_ms != 0 && clock_.unix_ms() >= key->expires_ms) {
    return tl::unexpected(std::string_view("the key has expired"));
  }
  return Identity{.caller = std::make_shared<const context::Caller>(
                      context::Caller{.credential = context::Credential::api_key,
                                      .subject = key->id,
                                      .scopes = key->scopes,
                                      .expires_ms = key->expires_ms}),
                  .slug = {},
                  .id = key->tenant_id,
                  .issued_ms = std::nullopt};
}

/// A ticket is as good as the credential it was given for, at this moment.
tl::expected<Resolver::Identity, std::string_view> Resolver::authenticate_ticket(
    std::string_view text) const {
  auto holder = tickets_->redeem(text);
  if (!holder) return tl::unexpected(std::string_view("no such ticket, or used, or too old"));
  const context::Caller& caller = *holder->caller;
  if (caller.credential == context::Credential::api_key) {
    const tenancy::ApiKeyPtr key = directory_.key(caller.subject);
    if (!key || key->revoked) return tl::unexpected(std::string_view("the ticket's key is gone"));
  } else if (tokens_ == nullptr || tokens_->generation() != holder->generation) {
    return tl::unexpected(std::string_view("the keys of tokens have changed since the ticket"));
  }
  if (caller.expires_ms != 0 && clock_.unix_ms() >= caller.expires_ms) {
    return tl::unexpected(std::string_view("the ticket's credential has expired"));
  }
  return Identity{.caller = std::move(holder->caller),
                  .slug = {},
                  .id = std::move(holder->tenant_id),
                  .issued_ms = std::nullopt};
}

tl::expected<Resolver::Identity, Unresolved> Resolver::authenticate(
    const http::Request& request) const {
  const auto bearer = read_bearer(request);
  if (!bearer) return tl::unexpected(invalid(bearer.error()));
  using MaybeTicket = decltype(read_ticket(request));
  const MaybeTicket ticket = tickets_ == nullptr ? MaybeTicket() : read_ticket(request);
  if (!ticket) return tl::unexpected(invalid(ticket.error()));
  if (*ticket) {
    if (*bearer) return tl::unexpected(invalid("a ticket and another credential were sent"));
    auto identity = authenticate_ticket(**ticket);
    if (!identity) return tl::unexpected(invalid(identity.error()));
    return std::move(*identity);
  }
  if (!*bearer) {
    return tl::unexpected(
        unresolved(Code::unauthenticated, "send Authorization: Bearer with a token or an API key"));
  }
  const std::string_view credential = **bearer;
  if (credential.starts_with(api_key_prefix)) {
    if (!configuration_.api_keys) return tl::unexpected(invalid("API keys are not accepted here"));
    auto identity = authenticate_key(credential);
    if (!identity) return tl::unexpected(invalid(identity.error()));
    return std::move(*identity);
  }
  if (tokens_ == nullptr) return tl::unexpected(invalid("tokens are not accepted here"));
  const auto token = tokens_->verify(credential);
  if (!token) return tl::unexpected(invalid(token.error()));
  const bool holds_id = configuration_.tokens->claim_holds == context::TenantClaim::id;
  return Identity{.caller = (*token)->caller,
                  .slug = holds_id ? std::string() : (*token)->tenant,
                  .id = holds_id ? (*token)->tenant : std::string(),
                  .issued_ms = (*token)->issued_ms};
}

TenantPtr Resolver::tenant_of(const Identity& identity) const {
  return identity.id.empty() ? directory_.by_slug(identity.slug) : directory_.by_id(identity.id);
}

std::optional<Problem> Resolver::disagreement(const http::Request& request, std::string_view slug,
                                              const TenantPtr& tenant) const {
  using Kind = HostSignal::Kind;
  const auto ambiguous = [](std::string_view detail) {
    return Problem{.code = Code::ambiguous_tenant, .detail = std::string(detail)};
  };
  const auto mismatch = [] {
    return Problem{.code = Code::tenant_mismatch,
                   .detail = "host, header and credential must name the same tenant"};
  };

  const auto header = read_tenant_header(request);
  if (!header) return ambiguous(header.error());
  const HostSignal host = read_host(request.host, configuration_.domain);
  if (host.kind == Kind::unknown)
    return Problem{.code = Code::unknown_host, .detail = "the host is not served here"};
  const bool host_names = host.kind != Kind::none;
  if (*header && !configuration_.resolve.header)
    return ambiguous("Caisson-Tenant is not accepted here");
  if (host_names && !configuration_.resolve.subdomain)
    return ambiguous("the host must not name a tenant here");
  if (!configuration_.resolve.token && !*header && !host_names) {
    return ambiguous(
        "the credential alone does not name the tenant here; use the tenant's host or header");
  }

  if (*header && **header != slug) return mismatch();
  if (host.kind == Kind::slug && host.name != slug) return mismatch();
  if (host.kind == Kind::own_domain) {
    // Whether another tenant owns it is not asked, so that the answer cannot tell.
    const bool own =
        tenant && std::ranges::find(tenant->domains, host.name) != tenant->domains.end();
    if (!own) return mismatch();
  }
  return std::nullopt;
}

tl::expected<RequestContext, Unresolved> Resolver::resolve(const http::Request& request,
                                                           std::string request_id) const {
  // Before the token is verified: newer keys than these are looked at once more, older ones never.
  const std::uint64_t generation = tokens_ == nullptr ? 0 : tokens_->last_generation();
  auto identity = authenticate(request);
  if (!identity) return tl::unexpected(std::move(identity.error()));

  TenantPtr tenant = tenant_of(*identity);
  const auto refuse = [&](Problem problem, std::string_view reason = {}) {
    return tl::unexpected(Unresolved{.problem = std::move(problem),
                                     .reason = reason,
                                     .caller = identity->caller,
                                     .tenant = tenant});
  };
  if (TenantPtr wrong = sabotaged_tenant(request, *identity)) {
    tenant = std::move(wrong);
  } else {
    const std::string slug = tenant ? tenant->slug : identity->slug;
    if (auto problem = disagreement(request, slug, tenant)) return refuse(std::move(*problem));
    if (!tenant)
      return refuse({.code = Code::unknown_tenant,
                     .detail = "the credential names no tenant of this deployment"});
    if (identity->caller->credential == context::Credential::token &&
        of_a_predecessor(identity->slug, identity->issued_ms, *tenant)) {
      return refuse(invalid({}).problem, "it was issued before this tenant had the slug");
    }
  }
  const bool known_login = sabotaged_login(request);
  if (auto problem = inactive(tenant->status);
      problem && !(known_login && problem->code == Code::tenant_suspended)) {
    return refuse(*std::move(problem));
  }
  const auto deadline = std::chrono::steady_clock::now() +
                        std::chrono::milliseconds(configuration_.limits.request_timeout_ms);
  const auto trace = observe::read_trace(request.field("traceparent"), {});
  return RequestContext(std::move(request_id), std::move(tenant), std::move(identity->caller),
                        deadline, std::string(trace ? trace->trace_id : std::string_view()),
                        generation);
}

std::optional<Problem> Resolver::withdrawn(const RequestContext& context) const {
  const TenantPtr tenant = directory_.by_id(context.tenant().id);
  auto problem = inactive(tenant ? tenant->status : tenancy::Status::deleted);
  if (problem && !(is_down(Wall::suspend_at_login) && problem->code == Code::tenant_suspended))
    return problem;
  if (context.caller().credential != context::Credential::api_key) return {};
  const tenancy::ApiKeyPtr key = directory_.key(context.caller().subject);
  if (!key || key->revoked) return invalid({}).problem;
  return {};
}

std::optional<Problem> Resolver::withdrawn(const RequestContext& context,
                                           const http::Request& request) const {
  if (auto problem = withdrawn(context)) return problem;
  const bool token = context.caller().credential == context::Credential::token;
  if (!token || tokens_ == nullptr || tokens_->generation() == context.generation()) return {};
  const auto bearer = read_bearer(request);
  if (!bearer || !*bearer || !tokens_->verify(**bearer)) return invalid({}).problem;
  return {};
}

}  // namespace caisson::ingress

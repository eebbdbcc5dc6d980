#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "runtime/http/message.h"
#include "runtime/ingress/resolver.h"
#include "runtime/observe/audit.h"
#include "runtime/observe/metrics.h"
#include "runtime/policy/limiter.h"

namespace caisson::ingress {

/// A request that may be handled. The permit is kept until the answer is sent; its rate fields
/// belong into the answer.
struct Admitted {
  context::RequestContext context;
  policy::Permit permit;

  /// Bytes that its body may have, as far as the tenant's limits go.
  [[nodiscard]] std::size_t most_body() const;
};

/// The answer to a request that may not be handled, and whose it was as far as that is known.
struct Turned {
  http::Response response;
  tenancy::TenantPtr tenant;
};

/// The way from the head of a request to its handler: resolution, then the tenant's limits. No byte
/// of a body has to be there. Every refusal is
/// counted and in the audit log before its answer exists. Safe to use from every thread.
class Gate {
 public:
  /// All outlive this.
  Gate(const Resolver& resolver, policy::Limiter& limiter, observe::Audit& audit,
       observe::Metrics& metrics)
      : resolver_(resolver), limiter_(limiter), audit_(audit), metrics_(metrics) {}

  /// Reads the request's head alone. The error has the answer to send.
  [[nodiscard]] tl::expected<Admitted, Turned> admit(const http::Request& head,
                                                     std::string request_id);

  /// The answer to a request that was admitted and is refused after all: for its body, its scopes,
  /// its route, its record.
  [[nodiscard]] http::Response refuse(const context::RequestContext& context,
                                      const observe::Problem& problem);

  /// Why a request that was admitted may not go on; see Resolver.
  [[nodiscard]] std::optional<observe::Problem> withdrawn(
      const context::RequestContext& context) const {
    return resolver_.withdrawn(context);
  }
  [[nodiscard]] std::optional<observe::Problem> withdrawn(const context::RequestContext& context,
                                                          const http::Request& request) const {
    return resolver_.withdrawn(context, request);
  }

 private:
  const Resolver& resolver_;
  policy::Limiter& limiter_;
  observe::Audit& audit_;
  observe::Metrics& metrics_;
};

}  // namespace caisson::ingress

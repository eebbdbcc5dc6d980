#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/context/configuration.h"
#include "runtime/http/message.h"
#include "runtime/ingress/directory.h"
#include "runtime/ingress/gate.h"
#include "runtime/ingress/tickets.h"
#include "runtime/ingress/token_verifier.h"
#include "runtime/policy/limiter.h"
#include "runtime/watch/feeds.h"

namespace caisson::watch {

/// `GET /v1/watch`, a WebSocket that carries the tenant's changes, and `POST /v1/watch/tickets` for
/// browsers. Thread-safe.
class WatchApi {
 public:
  /// All outlive this; `tokens` is null when tokens are not configured.
  struct Services {
    const context::Configuration& configuration;
    const ingress::Directory& directory;
    ingress::Gate& gate;
    policy::Limiter& limiter;
    ingress::Tickets& tickets;
    ingress::TokenVerifier* tokens;
    Feeds& feeds;
  };

  explicit WatchApi(Services services) : services_(services) {}

  /// Answers an admitted request whose credential allows it; with 101 when it opens a watch.
  [[nodiscard]] http::Response open(const http::Request& request,
                                    const context::RequestContext& context) const;
  [[nodiscard]] http::Response issue_ticket(const context::RequestContext& context) const;

  /// A tenant or a key has changed: ends the watches that have lost their ground.
  void changed(const tenancy::Tenant& tenant) const;
  void revoked(const tenancy::ApiKey& key) const;
  /// Ends the watches of tokens whose keys have been replaced, and forgets old feeds; call it every
  /// second or so.
  void sweep();

 private:
  [[nodiscard]] std::optional<observe::Problem> check_origin(const http::Request& request,
                                                             const tenancy::Tenant& tenant) const;
  [[nodiscard]] std::uint64_t generation() const;

  const Services services_;
  std::uint64_t swept_generation_ = 0;
};

}  // namespace caisson::watch

// The spec that `caisson init` writes: small, right, and with the next steps as comments.

#include "generator/spec/spec.h"

namespace caisson::spec {

std::string starter(std::string_view name) {
  std::string out = R"(# A deployment spec: who is served, and how far tenants are kept apart.
# `caisson validate` checks it, `caisson explain FIELD` says what a key means.
caisson: v1
name: )";
  out += name;
  out += R"(
version: 0.1.0
# Tenants answer at <slug>.<domain>; without this at <slug>.)";
  out += name;
  out += R"(.localhost.
# domain: app.example.com

tiers:
  # A tenant of this tier shares the runtime and has a database file of its own.
  free:
    isolation: database
    limits: { requests: 50/s, storage: 100Mi }
  # A tenant of this tier has a runtime, network, volume and secrets of its own.
  enterprise:
    isolation: deployment
    retention: 30d

# The tenants that exist from the start; more can be created while it runs.
tenants:
  - { slug: globex, tier: free }
  - { slug: umbrella, tier: enterprise }

# What the shared runtime may use.
# runtime: { resources: { cpu: 500m..2, memory: 512Mi..1Gi }, storage: 10Gi }

# Your own workloads; no route leads to them from outside yet.
# services:
#   billing:
#     image: registry.example.com/billing@sha256:...
#     port: 8080
#     env: { LOG_LEVEL: info, API_KEY: "${secret:stripe-key}" }
#     egress: ["api.stripe.com:443"]

# Where secrets come from; their values never stand in a generated file.
# secrets:
#   stripe-key: { from: { env: { name: STRIPE_KEY } } }

# Certificates for a public domain.
# edge: { tls: { mode: acme, email: ops@example.com } }

# What differs elsewhere: `caisson generate --env demo`.
# environments:
#   demo: { domain: demo.example.com }
)";
  return out;
}

}  // namespace caisson::spec

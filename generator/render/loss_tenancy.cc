// Whom a deployment serves, and what tenants may use.

#include "generator/render/loss_table.h"

namespace caisson::render {

namespace {

constexpr std::string_view no_queue = "nothing enforces it: the runtime has no queues";
constexpr std::string_view no_connections =
    "nothing enforces it: the runtime opens no connections for tenants";
constexpr std::string_view one_map =
    "as many as fit into a ConfigMap, a mebibyte: `caisson generate` refuses more";

// clang-format off: one field a row reads like the table it is
const Row rows[] = {
    {"caisson", "`caisson`: the language of the spec", itself},
    {"name", "the names of everything that is generated", itself},
    {"version", "the chart, the clients and the files that name it", {none, yes, yes, yes, yes, yes}},
    {"domain", "the hosts of the edge and the runtime", {none, yes, yes, yes, yes, yes}},

    {"tiers.*.isolation", "the plan: a store for each tenant, or a runtime of its own; never weaker than asked", stack},
    {"tiers.*.limits.requests", "the runtime: 429 `rate-limited`", stack},
    {"tiers.*.limits.burst", "the runtime: 429 `rate-limited`", stack},
    {"tiers.*.limits.concurrent", "the runtime: 429 `too-many-concurrent`", stack},
    {"tiers.*.limits.body", "the runtime and the edge: 413 `body-too-large`", {none, yes, yes, yes, yes, yes}},
    {"tiers.*.limits.storage", "the runtime: 507 `storage-full`", stack},
    {"tiers.*.limits.queue", "", on_stack(ignored(no_queue))},
    {"tiers.*.limits.sockets", "the runtime: 429 `too-many-sockets`", stack},
    {"tiers.*.limits.egress-connections", "", on_stack(ignored(no_connections))},
    {"tiers.*.retention", "the runtime", stack},

    {"tenants.slug", "the runtime and the edge", {none, yes, honoured(one_map), yes, yes, none}},
    {"tenants.name", "the operator API", stack},
    {"tenants.tier", "the runtime", stack},
    {"tenants.owner", "the operator API", stack},
    {"tenants.domains", "the runtime and the edge", stack},
    {"tenants.status", "the runtime: 403 `tenant-suspended`", stack},
    {"tenants.limits.requests", "the runtime: 429 `rate-limited`", stack},
    {"tenants.limits.burst", "the runtime: 429 `rate-limited`", stack},
    {"tenants.limits.concurrent", "the runtime: 429 `too-many-concurrent`", stack},
    {"tenants.limits.body", "the runtime and the edge: 413 `body-too-large`", {none, yes, yes, yes, yes, yes}},
    {"tenants.limits.storage", "the runtime: 507 `storage-full`", stack},
    {"tenants.limits.queue", "", on_stack(ignored(no_queue))},
    {"tenants.limits.sockets", "the runtime: 429 `too-many-sockets`", stack},
    {"tenants.limits.egress-connections", "", on_stack(ignored(no_connections))},
    {"tenants.file", "`caisson`: read beside the spec", itself},
};
// clang-format on

}  // namespace

std::span<const Row> tenancy_rows() { return rows; }

}  // namespace caisson::render

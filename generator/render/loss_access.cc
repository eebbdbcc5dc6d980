// Stores, credentials, secrets, the edge and the network.

#include <algorithm>

#include "generator/render/loss_table.h"

namespace caisson::render {

namespace {

using plan::Role;

constexpr std::string_view no_sign_in =
    "nothing signs in with it: the dashboard asks for a token or an API key";
constexpr std::string_view only_postgres =
    "only PostgreSQL uses it, and this version has no PostgreSQL";
constexpr std::string_view only_redis = "only Redis uses it, and this version has no Redis";
constexpr std::string_view compose_file = "compose reads files: put the value at secrets/<name>";
constexpr std::string_view unit_file =
    "install.sh asks for the value as a file, which only root can read";
constexpr std::string_view stand_in = "a stand-in is made";
constexpr std::string_view ports_of_ingress = "the Ingress controller has ports of its own";
constexpr std::string_view local_port = "the edge listens on targets.local.port";
constexpr std::string_view plain = "plain HTTP on the loopback interface";
constexpr std::string_view certified_there =
    "cert-manager or the Ingress controller has the certificates; a wildcard host needs an issuer "
    "with DNS-01";
constexpr std::string_view counts_requests =
    "caddy cannot count connections, only requests: this many are under way at each instance, one "
    "more is answered 503";
constexpr std::string_view slow_reader =
    "caddy bounds a request and the wait for its answer, but not how slowly a client reads it";
constexpr std::string_view ingress_nginx_alone = "only ingress-nginx is told";
constexpr std::string_view no_rotation = "nothing rotates by itself; the runbook says how";

bool is_caddy(const plan::Plan& plan) { return plan.edge.proxy.value == plan::Edge::Proxy::caddy; }

std::vector<Use> remote_keys(const Asked& asked) {
  if (asked.plan.auth.jwks.find("://") == std::string::npos) return {};
  return {{.pointer = "/auth/tokens/jwks"}};
}

/// nginx with certificates that a program beside it gets.
std::vector<Use> certified_nginx(const Asked& asked) {
  const auto& instances = asked.plan.instances;
  if (std::ranges::none_of(instances, [](const plan::Instance& instance) {
        return instance.role == Role::certificates;
      })) {
    return {};
  }
  return {{.pointer = "/edge/proxy"}};
}

std::vector<Use> with_nginx(const Asked& asked) {
  if (asked.plan.edge.proxy.value != plan::Edge::Proxy::nginx) return {};
  return {{.pointer = "/edge/proxy"}};
}

std::vector<Use> caddy_connections(const Asked& asked) {
  return is_caddy(asked.plan) ? written(asked.document, "edge.limits.connections")
                              : std::vector<Use>{};
}

std::vector<Use> caddy_timeout(const Asked& asked) {
  return is_caddy(asked.plan) ? written(asked.document, "edge.limits.timeout") : std::vector<Use>{};
}

std::vector<Use> named_egress(const Asked& asked) {
  const auto& allowed = asked.plan.egress.allowed;
  if (std::ranges::none_of(allowed, [](const auto& to) { return has_name(to.value); })) return {};
  return written(asked.document, "network.egress");
}

std::vector<Use> hsts_on(const Asked& asked) {
  return asked.plan.edge.hsts.value ? written(asked.document, "edge.hsts") : std::vector<Use>{};
}

std::vector<Use> rotated(const Asked& asked) {
  const auto& secrets = asked.plan.secrets;
  if (std::ranges::none_of(secrets, [](const plan::Secret& s) { return s.rotate_ms > 0; }))
    return {};
  return written(asked.document, "secrets.*.rotate");
}

std::vector<Use> sealed(const Asked& asked) {
  std::vector<Use> found;
  for (const auto& secret : asked.plan.secrets) {
    if (secret.source == plan::Secret::Source::sealed && !secret.internal) {
      found.push_back({.pointer = secret.origin.pointer + "/from"});
    }
  }
  return found;
}

constexpr Cells foreign{
    none, approximated(compose_file), yes, approximated(unit_file), approximated(stand_in), none};
constexpr Cells foreign_too{none,
                            approximated(compose_file, told_elsewhere),
                            yes,
                            approximated(unit_file, told_elsewhere),
                            approximated(stand_in, told_elsewhere),
                            none};

// clang-format off: one field a row reads like the table it is
const Row rows[] = {
    {"database", "`caisson`: SQLite, in the runtime", {yes, yes, yes, yes, yes, yes}, told_elsewhere},
    {"database.engine", "`caisson`: SQLite, in the runtime; `postgres` is refused (E0309)", {yes, yes, yes, yes, yes, yes}, told_elsewhere},
    {"database.version", "", refused(only_postgres)},
    {"database.storage", "", refused(only_postgres)},
    {"database.resources.cpu", "", refused(only_postgres)},
    {"database.resources.memory", "", refused(only_postgres)},
    {"database.external.host", "", refused(only_postgres)},
    {"database.external.port", "", refused(only_postgres)},
    {"database.external.name", "", refused(only_postgres)},
    {"database.external.user", "", refused(only_postgres)},
    {"database.external.password", "", refused(only_postgres)},
    {"database.external.tls", "", refused(only_postgres)},
    {"database.pool", "", refused(only_postgres)},
    {"cache", "`caisson`: `none`; `redis` is refused (E0309)", {yes, yes, yes, yes, yes, yes}, told_elsewhere},
    {"cache.engine", "`caisson`: `none`; `redis` is refused (E0309)", {yes, yes, yes, yes, yes, yes}, told_elsewhere},
    {"cache.external.host", "", refused(only_redis)},
    {"cache.external.port", "", refused(only_redis)},
    {"cache.external.name", "", refused(only_redis)},
    {"cache.external.user", "", refused(only_redis)},
    {"cache.external.password", "", refused(only_redis)},
    {"cache.external.tls", "", refused(only_redis)},
    {"cache.persistence", "", refused(only_redis)},

    {"auth.resolve", "the runtime", stack},
    {"auth.tokens.issuer", "the runtime", stack},
    {"auth.tokens.audience", "the runtime", stack},
    {"auth.tokens.jwks", "the runtime",
     {none, approximated("the runtime reads keys from a file: put the issuer's key set at secrets/auth-jwks"),
      approximated("the runtime reads keys from a file: bring the issuer's key set as the secret auth-jwks"),
      approximated("the runtime reads keys from a file: put the issuer's key set at secrets/auth-jwks"),
      approximated("a key pair is made for the stack, which trusts that alone: the issuer's own tokens are refused"), none}, remote_keys},
    {"auth.tokens.key", "the runtime", {none, yes, yes, yes, honoured("a key is made for the stack, which trusts that alone"), none}},
    {"auth.tokens.algorithms", "the runtime", stack},
    {"auth.tokens.tenant-claim", "the runtime", stack},
    {"auth.tokens.leeway", "the runtime", stack},
    {"auth.api-keys", "the runtime", stack},
    {"auth.oidc.issuer", "", on_stack(ignored(no_sign_in)), [](const Asked& asked) { return written_in(asked.document, "auth.oidc", "issuer"); }},
    {"auth.oidc.client-id", "", on_stack(ignored(no_sign_in)), told_elsewhere},
    {"auth.oidc.client-secret", "", on_stack(ignored(no_sign_in)), told_elsewhere},
    {"auth.oidc.tenant-from", "", on_stack(ignored(no_sign_in)), told_elsewhere},

    {"secrets.*.from", "the target", foreign, sealed},
    {"secrets.*.from.generate.bytes", "the target makes the value", stack},
    {"secrets.*.from.file.path", "the target copies the file", {none, yes, honoured("made with kubectl"), yes, yes, none}},
    {"secrets.*.from.env.name", "the target reads the variable", {none, yes, honoured("made with kubectl"), yes, yes, none}},
    {"secrets.*.from.kubernetes.name", "the chart", foreign},
    {"secrets.*.from.kubernetes.key", "the chart", foreign_too},
    {"secrets.*.from.external.store", "an ExternalSecret of the chart", foreign},
    {"secrets.*.from.external.key", "an ExternalSecret of the chart", foreign_too},
    {"secrets.*.from.sealed", "a SealedSecret of the chart", foreign_too},
    {"secrets.*.from.vault.path", "an ExternalSecret of the chart, from the store `vault`", foreign},
    {"secrets.*.from.aws.id", "an ExternalSecret of the chart, from the store `aws`", foreign},
    {"secrets.*.rotate", "",
     {none, approximated(no_rotation), approximated("nothing rotates by itself; an external store is asked again every hour"),
      approximated(no_rotation), approximated("a disposable stack has none"), none}, rotated},

    {"edge.proxy", "the target",
     {yes, approximated("certificates are for the names of the spec: a tenant that the operator adds needs `certificates.sh add`, as the runbook says", certified_nginx),
      honoured("the Ingress controller is the proxy"), approximated("caddy runs here", with_nginx), yes, none}},
    {"edge.http", "the edge", {none, yes, approximated(ports_of_ingress), yes, approximated(local_port), none}},
    {"edge.https", "the edge", {none, yes, approximated(ports_of_ingress), yes, approximated(local_port), none}},
    {"edge.tls.mode", "the edge", {none, yes, approximated(certified_there), yes, approximated(plain), none}},
    {"edge.tls.email", "the edge", {none, yes, approximated(certified_there), yes, approximated(plain), none}, told_elsewhere},
    {"edge.tls.ca", "the edge", {none, yes, approximated(certified_there), yes, approximated(plain), none}, told_elsewhere},
    {"edge.tls.ca-root", "the edge", {none, yes, approximated(certified_there), yes, approximated(plain), none}, told_elsewhere},
    {"edge.tls.cert", "the edge", {none, yes, approximated(certified_there), yes, approximated(plain), none}},
    {"edge.tls.key", "the edge", {none, yes, approximated(certified_there), yes, approximated(plain), none}, told_elsewhere},
    {"edge.limits.connections", "the edge",
     {none, approximated(counts_requests, caddy_connections), approximated("no Ingress counts connections; the runtime's own limit holds"),
      approximated(counts_requests, caddy_connections), approximated(counts_requests, caddy_connections), none}},
    {"edge.limits.body", "the edge", {none, yes, approximated(ingress_nginx_alone), yes, yes, none}},
    {"edge.limits.header", "the edge", {none, yes, approximated("no Ingress controller is told; the runtime's own limit holds"), yes, yes, none}},
    {"edge.limits.timeout", "the edge",
     {none, approximated(slow_reader, caddy_timeout), approximated(ingress_nginx_alone), approximated(slow_reader, caddy_timeout), approximated(slow_reader, caddy_timeout), none}},
    {"edge.hsts", "the edge", {none, yes, approximated("ingress-nginx sends it by itself; another controller has a setting of its own"), yes, approximated(plain), none}, hsts_on},
    {"edge.trust", "the edge", {none, yes, approximated("the Ingress controller has a setting of its own"), yes, approximated("nobody is in front of the edge on the loopback interface"), none}},

    {"network.egress", "the networks",
     {none, approximated("compose cannot tell destinations apart: the runtime reaches everything outside"),
      approximated(no_names, named_egress),
      approximated("nothing leaves: a runtime has no network at all, and this version of it needs none"),
      approximated("processes of one machine share its network"), none},
     [](const Asked& asked) { return asked.plan.egress.allowed.empty() ? std::vector<Use>{} : written(asked.document, "network.egress"); }},
    {"network.dns", "the instances that may reach something outside",
     {none, yes, approximated("these are asked after the cluster's own resolver"), approximated("the host's own resolver is used, by the edge alone"),
      approximated("the machine's own resolver is used"), none}},
};
// clang-format on

}  // namespace

std::span<const Row> access_rows() { return rows; }

}  // namespace caisson::render

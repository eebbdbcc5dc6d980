#include <algorithm>
#include <array>

#include "generator/plan/draft.h"

namespace caisson::plan {

namespace {

template <class To, class From>
To same(From value) {
  return static_cast<To>(value);
}

std::string_view module_name(spec::Module module) {
  constexpr std::array<std::string_view, 5> names{"records", "events", "memory", "queue",
                                                  "pipelines"};
  return names[static_cast<std::size_t>(module)];
}

std::string_view algorithm_name(spec::Tokens::Algorithm algorithm) {
  constexpr std::array<std::string_view, 4> names{"EdDSA", "ES256", "RS256", "HS256"};
  return names[static_cast<std::size_t>(algorithm)];
}

std::string_view level_name(spec::Observability::Logs::Level level) {
  constexpr std::array<std::string_view, 5> names{"trace", "debug", "info", "warn", "error"};
  return names[static_cast<std::size_t>(level)];
}

std::string name_of(const std::optional<spec::SecretRef>& secret) {
  return secret ? secret->name : std::string{};
}

void auth(Draft& draft) {
  const auto& from = draft.spec().auth;
  auto& to = draft.plan.auth;
  to.by_subdomain = to.by_header = to.by_token = false;
  for (const auto signal : from.resolve) {
    to.by_subdomain |= signal == spec::Auth::Signal::subdomain;
    to.by_header |= signal == spec::Auth::Signal::header;
    to.by_token |= signal == spec::Auth::Signal::token;
  }
  to.api_keys = from.api_keys;
  to.tokens = from.tokens.has_value();
  if (from.tokens) {
    to.issuer = from.tokens->issuer;
    to.audience = from.tokens->audience;
    to.jwks = from.tokens->jwks;
    to.key_secret = name_of(from.tokens->key);
    for (const auto algorithm : from.tokens->algorithms) {
      to.algorithms.emplace_back(algorithm_name(algorithm));
    }
    to.tenant_claim = from.tokens->tenant_claim;
    to.leeway_ms = from.tokens->leeway.ms;
  }
  if (from.oidc) {
    draft.plan.oidc = Oidc{.issuer = from.oidc->issuer,
                           .client_id = from.oidc->client_id,
                           .client_secret = name_of(from.oidc->client_secret),
                           .tenant_from = from.oidc->tenant_from};
  }
}

void runtime_and_egress(Draft& draft) {
  const auto& runtime = draft.spec().runtime;
  for (const auto module : runtime.modules) {
    draft.plan.runtime.modules.push_back(
        draft.trace(std::string(module_name(module)), "/runtime/modules"));
  }
  draft.plan.runtime.drain_ms = draft.trace(runtime.drain.ms, "/runtime/drain");
  const auto& network = draft.spec().network;
  for (const auto& destination : network.egress) {
    draft.plan.egress.allowed.push_back(draft.trace(destination, "/network/egress"));
  }
  for (const auto& server : network.dns) {
    draft.plan.egress.dns.push_back(draft.trace(server, "/network/dns"));
  }
}

void edge(Draft& draft) {
  const auto& from = draft.spec().edge;
  auto& to = draft.plan.edge;
  to.proxy = draft.trace(same<Edge::Proxy>(from.proxy), "/edge/proxy");
  to.http = draft.trace(from.http, "/edge/http");
  to.https = draft.trace(from.https, "/edge/https");
  to.tls = draft.trace(same<Edge::Tls>(from.tls.mode), "/edge/tls/mode");
  to.email = draft.trace(from.tls.email, "/edge/tls/email");
  to.ca = draft.trace(from.tls.ca, "/edge/tls/ca");
  to.connections = draft.trace(from.limits.connections, "/edge/limits/connections");
  to.body_bytes = draft.trace(from.limits.body.count, "/edge/limits/body");
  to.header_bytes = draft.trace(from.limits.header.count, "/edge/limits/header");
  to.timeout_ms = draft.trace(from.limits.timeout.ms, "/edge/limits/timeout");
  to.hsts = draft.trace(from.hsts, "/edge/hsts");
  for (const auto& network : from.trust) to.trust.push_back(draft.trace(network, "/edge/trust"));
}

void observability(Draft& draft) {
  const auto& from = draft.spec().observability;
  auto& to = draft.plan.observability;
  const std::string at = "/observability";
  to.metrics = draft.trace(from.metrics, at + "/metrics");
  to.prometheus = draft.trace(from.prometheus.enabled, at + "/prometheus");
  to.prometheus_retention_ms =
      draft.trace(from.prometheus.retention.ms, at + "/prometheus/retention");
  to.prometheus_storage_bytes =
      draft.trace(from.prometheus.storage.count, at + "/prometheus/storage");
  to.grafana = draft.trace(from.grafana, at + "/grafana");
  for (const auto& receiver : from.alerts.to) {
    to.alerts.push_back({.kind = same<AlertReceiver::Kind>(receiver.kind),
                         .target = receiver.secret ? receiver.secret->name : receiver.address});
  }
  to.slo_availability = draft.trace(from.alerts.slo.availability, at + "/alerts/slo/availability");
  to.slo_p95_ms = draft.trace(from.alerts.slo.p95.ms, at + "/alerts/slo/p95");
  if (from.tracing) {
    to.otlp = draft.trace(from.tracing->otlp, at + "/tracing/otlp");
    to.sample = draft.trace(from.tracing->sample, at + "/tracing/sample");
  }
  to.smtp.host.origin = draft.origin(at + "/alerts/smtp/host");
  to.smtp.from = {"caisson@" + draft.spec().domain, derived("/domain")};
  if (const auto& smtp = from.alerts.smtp) {
    to.smtp.host.value = smtp->host.host + ":" + std::to_string(smtp->host.port);
    if (!smtp->from.empty()) to.smtp.from = draft.trace(smtp->from, at + "/alerts/smtp/from");
    to.smtp.user = draft.trace(smtp->user, at + "/alerts/smtp/user");
    to.smtp.password = name_of(smtp->password);
  }
  to.uptime_checks = draft.trace(from.uptime.checks, at + "/uptime/checks");
  to.heartbeat = name_of(from.uptime.heartbeat);
  to.log_level = draft.trace(std::string(level_name(from.logs.level)), at + "/logs/level");
  to.log_bytes = draft.trace(from.logs.rotate.size.count, at + "/logs/rotate/size");
  to.log_keep = draft.trace(from.logs.rotate.keep, at + "/logs/rotate/keep");
}

void operations(Draft& draft) {
  const auto& spec = draft.spec();
  auto& plan = draft.plan;
  if (spec.backup) {
    plan.backup = {.schedule = draft.trace(spec.backup->schedule, "/backup/schedule"),
                   .keep = draft.trace(spec.backup->keep, "/backup/keep"),
                   .to = draft.trace(spec.backup->to, "/backup/to"),
                   .encrypt = name_of(spec.backup->encrypt)};
  }
  const auto numbered = [&](const char* list, std::size_t index) {
    return draft.origin(std::string(list) + "/" + std::to_string(index));
  };
  for (std::size_t i = 0; i < spec.assets.size(); ++i) {
    const auto& asset = spec.assets[i];
    plan.assets.push_back({.path = asset.path,
                           .to = asset.to,
                           .sha256 = asset.sha256,
                           .description = asset.description,
                           .origin = numbered("/assets", i)});
  }
  for (std::size_t i = 0; i < spec.patches.size(); ++i) {
    const auto& patch = spec.patches[i];
    plan.patches.push_back({.file = patch.file,
                            .at = patch.at,
                            .action = same<Patch::Action>(patch.action),
                            .value = patch.value,
                            .expect = patch.expect,
                            .reason = patch.reason,
                            .origin = numbered("/patches", i)});
  }
  for (std::size_t i = 0; i < spec.waivers.size(); ++i) {
    const auto& waiver = spec.waivers[i];
    plan.waivers.push_back({.rule = waiver.rule,
                            .where = waiver.where,
                            .reason = waiver.reason,
                            .until = waiver.until,
                            .origin = numbered("/waivers", i)});
  }
  plan.conformance.level = spec.conformance.level;
  plan.conformance.p95_ms = spec.conformance.p95.ms;
  plan.conformance.quiet_neighbour_ratio = spec.conformance.quiet_neighbour_ratio;
  for (const auto& exclusion : spec.conformance.exclude) {
    plan.conformance.exclude.push_back(
        {.probe = exclusion.probe, .reason = exclusion.reason, .until = exclusion.until});
  }
}

void targets(Draft& draft) {
  const auto& from = draft.spec().targets;
  auto& to = draft.plan.targets;
  to.docker = draft.trace(from.docker.enabled, "/targets/docker");
  to.compose = draft.trace(from.compose.enabled, "/targets/compose");
  to.helm = draft.trace(from.helm.enabled, "/targets/helm");
  to.systemd = draft.trace(from.systemd.enabled, "/targets/systemd");
  to.local = draft.trace(from.local.enabled, "/targets/local");
  to.sdk = draft.trace(from.sdk.enabled, "/targets/sdk");
  to.bundle = draft.trace(from.bundle.enabled, "/targets/bundle");
  to.bundle_compose = from.bundle.enabled &&
                      std::ranges::find(from.bundle.for_, spec::Targets::Bundle::For::compose) !=
                          from.bundle.for_.end();
  to.compose_project =
      draft.trace(from.compose.project.empty() ? draft.spec().name : from.compose.project,
                  "/targets/compose/project", "/name");
  to.systemd_prefix = draft.trace(from.systemd.prefix, "/targets/systemd/prefix");
  to.systemd_data = draft.trace(from.systemd.data, "/targets/systemd/data");
  to.systemd_user = draft.trace(from.systemd.user, "/targets/systemd/user");
  to.local_port = draft.trace(from.local.port, "/targets/local/port");
  const auto& helm = from.helm;
  const auto traced = [&](auto value, const char* key) {
    return draft.trace(std::move(value), std::string("/targets/helm/") + key);
  };
  to.cluster = {
      .namespace_ = draft.trace(helm.namespace_.empty() ? draft.spec().name : helm.namespace_,
                                "/targets/helm/namespace", "/name"),
      .ingress_class = traced(helm.ingress_class, "ingress-class"),
      .storage_class = traced(helm.storage_class, "storage-class"),
      .secrets = traced(same<HelmSettings::Secrets>(helm.secrets), "secrets"),
      .issuer = traced(helm.issuer, "issuer"),
      .kubernetes = traced(helm.kubernetes, "kubernetes")};
}

}  // namespace

void plan_settings(Draft& draft) {
  const auto& spec = draft.spec();
  draft.plan.name = draft.trace(spec.name, "/name");
  draft.plan.version = draft.trace(spec.version, "/version");
  draft.plan.domain = draft.trace(spec.domain, "/domain", "/name");
  draft.plan.environment = spec.environment;
  auth(draft);
  runtime_and_egress(draft);
  edge(draft);
  observability(draft);
  operations(draft);
  targets(draft);
}

}  // namespace caisson::plan

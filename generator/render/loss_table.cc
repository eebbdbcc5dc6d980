#include "generator/render/loss_table.h"

#include <algorithm>

namespace caisson::render {

namespace {

using plan::Instance;
using plan::Origin;
using plan::Plan;
using plan::Role;
using plan::Secret;
using Origins = std::vector<Origin>;

constexpr Cell approximated(std::string_view reason) { return {Support::approximated, reason}; }

/// Origins of what `pick` finds in each instance of a role, each once.
template <class Pick>
Origins in_instances(const Plan& plan, Role role, const Pick& pick) {
  Origins found;
  for (const auto& instance : plan.instances) {
    if (instance.role != role) continue;
    if (const auto* origin = pick(instance); origin != nullptr) {
      if (std::ranges::find(found, *origin) == found.end()) found.push_back(*origin);
    }
    // One runtime instance a tenant says the same as the first.
    if (role == Role::runtime && !found.empty()) break;
  }
  return found;
}

Origins only_if(bool condition, const Origin& origin) {
  return condition ? Origins{origin} : Origins{};
}

/// Asked for in the spec itself, not by a default.
Origins if_written(const Origin& origin) {
  return only_if(origin.kind == Origin::Kind::spec, origin);
}

const Origin* scaled(const Instance& instance) {
  return instance.replicas.value.max > instance.replicas.value.min ? &instance.replicas.origin
                                                                   : nullptr;
}

const Origin* several(const Instance& instance) {
  return instance.replicas.value.max > 1 ? &instance.replicas.origin : nullptr;
}

const Origin* written_memory(const Instance& instance) {
  const auto& origin = instance.resources.memory_limit_bytes.origin;
  return origin.kind == Origin::Kind::spec ? &origin : nullptr;
}

const Origin* secret_variable_origin(const Instance& instance) {
  const auto found = std::ranges::find_if(
      instance.env, [](const plan::EnvVar& variable) { return !variable.secret.empty(); });
  return found == instance.env.end() ? nullptr : &found->value.origin;
}

const Origin* egress_origin(const Instance& instance) {
  return instance.egress.empty() ? nullptr : &instance.egress.front().origin;
}

Origins volumes_of(const Plan& plan, std::string_view field) {
  Origins found;
  for (const auto& volume : plan.volumes) {
    const auto& origin = volume.size_bytes.origin;
    const bool asked =
        origin.kind == Origin::Kind::spec && origin.pointer.find(field) != origin.pointer.npos;
    if (asked && std::ranges::find(found, origin) == found.end()) found.push_back(origin);
  }
  return found;
}

Origins foreign_secrets(const Plan& plan) {
  Origins found;
  for (const auto& secret : plan.secrets) {
    const bool here = secret.source == Secret::Source::generate ||
                      secret.source == Secret::Source::file || secret.source == Secret::Source::env;
    if (!here && !secret.internal) found.push_back(secret.origin);
  }
  return found;
}

Origins rotated_secrets(const Plan& plan) {
  Origins found;
  for (const auto& secret : plan.secrets) {
    if (secret.rotate_ms > 0) found.push_back(secret.origin);
  }
  return found;
}

Origins remote_keys(const Plan& plan) {
  const bool remote = plan.auth.jwks.find("://") != std::string::npos;
  return only_if(remote, {Origin::Kind::spec, "/auth/tokens/jwks"});
}

Origins with_role(const Plan& plan, Role role) {
  return in_instances(plan, role, [](const Instance& instance) { return &instance.origin; });
}

bool is_caddy(const Plan& plan) { return plan.edge.proxy.value == plan::Edge::Proxy::caddy; }

/// Services that need one of another deployment.
Origins apart_needs(const Plan& plan) {
  return in_instances(plan, Role::service, [&](const Instance& instance) -> const Origin* {
    const auto apart = [&](const std::string& need) {
      const auto* other = plan.instance(need);
      return other != nullptr && other->role == Role::service && other->tenant != instance.tenant;
    };
    return std::ranges::any_of(instance.needs, apart) ? &instance.origin : nullptr;
  });
}

Origins mail_without_server(const Plan& plan) {
  const auto& observe = plan.observability;
  const bool mail = std::ranges::any_of(observe.alerts, [](const plan::AlertReceiver& receiver) {
    return receiver.kind == plan::AlertReceiver::Kind::email;
  });
  return only_if(mail && observe.smtp.host.value.empty(), observe.smtp.host.origin);
}

constexpr std::string_view one_of_range = "the lower bound runs; nothing scales by itself";
constexpr std::string_view one_process = "one process runs";
constexpr std::string_view no_size = "a named volume has no size of its own; watch the disk";
constexpr std::string_view no_directory_size = "a directory has no size of its own; watch the disk";
constexpr std::string_view secret_by_file =
    "a secret never enters the environment: NAME_FILE names the file that holds it";
constexpr std::string_view own_monitoring =
    "nothing but the product is installed: `GET /metrics` of the operator socket is for yours";
constexpr std::string_view no_limit = "processes run without limits of their own";
constexpr Cell ingress_ports = approximated("the Ingress controller has ports of its own");
constexpr std::string_view not_started = "configured, but not started; README.md says how";
constexpr std::string_view own_exchanger =
    "without a mail server, mail goes to port 25 of the address's own domain";
constexpr std::string_view disposable = "a disposable stack has none";

// clang-format off: one field a row reads like the table it is
const Row rows[] = {
    {"caisson"}, {"name"}, {"version"}, {"domain"}, {"tiers"},

    {.field = "tenants",
     .helm = approximated("a ConfigMap holds a mebibyte, some 5,000 tenants: leave the others to the operator API"),
     .uses = [](const Plan& plan) { return only_if(plan.tenants.size() > 5000, {Origin::Kind::spec, "/tenants"}); }},

    {.field = "runtime.image",
     .systemd = approximated("the caisson-runtime in targets.systemd.prefix runs, not an image"),
     .local = approximated("the caisson-runtime beside caisson runs, not an image"),
     .uses = [](const Plan& plan) { return in_instances(plan, Role::runtime, [](const Instance& i) { return i.image.value.empty() ? nullptr : &i.image.origin; }); }},
    {.field = "runtime.replicas", .compose = approximated(one_of_range), .systemd = approximated(one_process), .local = approximated(one_process),
     .uses = [](const Plan& plan) { return in_instances(plan, Role::runtime, several); }},
    {.field = "runtime.resources", .local = approximated(no_limit),
     .uses = [](const Plan& plan) { return in_instances(plan, Role::runtime, written_memory); }},
    {.field = "runtime.storage", .compose = approximated(no_size), .systemd = approximated(no_directory_size), .local = approximated(no_size),
     .uses = [](const Plan& plan) { return volumes_of(plan, "/runtime/storage"); }},
    {.field = "runtime.env",
     .compose = approximated("a secret in the environment goes through .env, and `docker inspect` shows it"),
     .helm = approximated("a secret in the environment can be read by whoever may enter the pod"),
     .systemd = approximated(secret_by_file),
     .uses = [](const Plan& plan) { return in_instances(plan, Role::runtime, secret_variable_origin); }},
    {"runtime"},

    {.field = "dashboard.replicas", .compose = approximated(one_of_range), .systemd = approximated(one_process), .local = approximated(one_process),
     .uses = [](const Plan& plan) { return in_instances(plan, Role::dashboard, scaled); }},
    {.field = "dashboard.resources", .local = approximated(no_limit),
     .uses = [](const Plan& plan) { return in_instances(plan, Role::dashboard, written_memory); }},
    {"dashboard"},

    {.field = "services.*.replicas", .compose = approximated(one_of_range), .systemd = approximated(one_process), .local = approximated(one_process),
     .uses = [](const Plan& plan) { return in_instances(plan, Role::service, scaled); }},
    {.field = "services.*.storage", .compose = approximated(no_size), .systemd = approximated(no_directory_size), .local = approximated(no_size),
     .uses = [](const Plan& plan) { return volumes_of(plan, "/storage/size"); }},
    {.field = "services.*.user", .systemd = approximated("every unit has an account of its own"),
     .uses = [](const Plan& plan) { return in_instances(plan, Role::service, [](const Instance& i) { return i.uid == 10001 ? nullptr : &i.origin; }); }},
    {.field = "services.*.needs",
     .systemd = approximated("a tenant's own service does not reach the shared ones: its deployment has a network of its own"),
     .uses = apart_needs},
    {.field = "services.*.env",
     .compose = approximated("a secret in the environment goes through .env, and `docker inspect` shows it"),
     .helm = approximated("a secret in the environment can be read by whoever may enter the pod"),
     .systemd = approximated(secret_by_file),
     .uses = [](const Plan& plan) { return in_instances(plan, Role::service, secret_variable_origin); }},
    {.field = "services.*.egress",
     .compose = approximated("compose cannot tell destinations apart: the service reaches everything outside"),
     .helm = approximated("a NetworkPolicy knows no names: the port is open to every address outside the cluster"),
     .systemd = approximated("nothing leaves: the unit has no network but the one of its own deployment"),
     .local = approximated("processes of one machine share its network"),
     .uses = [](const Plan& plan) { return in_instances(plan, Role::service, egress_origin); }},
    {.field = "services.*.module",
     .compose = approximated("the service runs; this version of the runtime does not call it"),
     .helm = approximated("the service runs; this version of the runtime does not call it"),
     .systemd = approximated("the service runs; this version of the runtime does not call it"),
     .local = approximated("the service runs; this version of the runtime does not call it"),
     .sdk = approximated("the document and the readme name its handlers; this version of the runtime routes nothing to them"),
     .uses = [](const Plan& plan) { return in_instances(plan, Role::service, [](const Instance& i) { return i.module.value.empty() ? nullptr : &i.module.origin; }); }},
    {.field = "services.*.local",
     .systemd = approximated("without a local command there is only an image, which systemd does not run: the service is left out"),
     .local = approximated("the service has no local command and is left out"),
     .uses = [](const Plan& plan) { return in_instances(plan, Role::service, [](const Instance& i) { return i.local_command.empty() ? &i.origin : nullptr; }); }},
    {"services"},

    {.field = "database",
     .compose = approximated("PostgreSQL is started and configured, but this version of the runtime stores in SQLite only and refuses to start with it"),
     .helm = approximated("PostgreSQL is started and configured, but this version of the runtime stores in SQLite only and refuses to start with it"),
     .systemd = approximated("no database server is started, and this version of the runtime refuses to start with one"),
     .local = approximated("no database server is started; an environment with `database: sqlite` runs here"),
     .uses = [](const Plan& plan) { return only_if(plan.database.engine.value == plan::Database::Engine::postgres, plan.database.engine.origin); }},
    {.field = "cache",
     .compose = approximated("Redis is started and configured, but this version of the runtime does not use it and refuses to start with it"),
     .helm = approximated("Redis is started and configured, but this version of the runtime does not use it and refuses to start with it"),
     .systemd = approximated("no cache server is started, and this version of the runtime refuses to start with one"),
     .local = approximated("no cache server is started; an environment with `cache: none` runs here"),
     .uses = [](const Plan& plan) { return only_if(plan.cache.enabled.value, plan.cache.enabled.origin); }},

    {.field = "auth.tokens.jwks",
     .compose = approximated("the runtime reads keys from a file: put the issuer's key set at secrets/auth-jwks"),
     .helm = approximated("the runtime reads keys from a file: bring the issuer's key set as the secret auth-jwks"),
     .systemd = approximated("the runtime reads keys from a file: put the issuer's key set at secrets/auth-jwks"),
     .local = approximated("a key pair is made for the stack, which trusts that alone: the issuer's own tokens are refused"),
     .uses = remote_keys},
    {.field = "auth.oidc",
     .compose = approximated("this version of the dashboard asks for a token or an API key"),
     .helm = approximated("this version of the dashboard asks for a token or an API key"),
     .systemd = approximated("this version of the dashboard asks for a token or an API key"),
     .local = approximated("this version of the dashboard asks for a token or an API key"),
     .uses = [](const Plan& plan) { return only_if(plan.oidc.has_value(), {Origin::Kind::spec, "/auth/oidc"}); }},
    {"auth"},

    {.field = "secrets.*.from",
     .compose = approximated("compose reads files: put the value at secrets/<name>"),
     .systemd = approximated("install.sh asks for the value as a file, which only root can read"),
     .local = approximated("a stand-in is made"),
     .uses = foreign_secrets},
    {.field = "secrets.*.rotate",
     .compose = approximated("nothing rotates by itself; the runbook says how"),
     .helm = approximated("nothing rotates by itself; an external store is asked again every hour"),
     .systemd = approximated("nothing rotates by itself; the runbook says how"),
     .local = approximated(disposable),
     .uses = rotated_secrets},
    {"secrets"},

    {.field = "edge.proxy",
     .compose = approximated("certificates are for the names of the spec: a tenant that the operator adds needs `certificates.sh add`, as the runbook says"),
     .uses = [](const Plan& plan) { return with_role(plan, Role::certificates); }},
    {.field = "edge.tls", .helm = approximated("cert-manager or the Ingress controller has the certificates; a wildcard host needs an issuer with DNS-01"),
     .local = approximated("plain HTTP on the loopback interface"),
     .uses = [](const Plan& plan) { return if_written(plan.edge.tls.origin); }},
    {.field = "edge.http", .helm = ingress_ports,
     .local = approximated("the edge listens on targets.local.port"),
     .uses = [](const Plan& plan) { return if_written(plan.edge.http.origin); }},
    {.field = "edge.https", .helm = ingress_ports,
     .local = approximated("the edge listens on targets.local.port"),
     .uses = [](const Plan& plan) { return if_written(plan.edge.https.origin); }},
    {.field = "edge.hsts", .helm = approximated("ingress-nginx sends it by itself; another controller has a setting of its own"),
     .local = approximated("plain HTTP on the loopback interface"),
     .uses = [](const Plan& plan) { return only_if(plan.edge.hsts.value, plan.edge.hsts.origin); }},
    {.field = "edge.limits.connections",
     .compose = approximated("caddy cannot count connections, only requests: this many are under way at each instance, one more is answered 503"),
     .helm = approximated("no Ingress counts connections; the runtime's own limit holds"),
     .systemd = approximated("caddy cannot count connections, only requests: this many are under way at each instance, one more is answered 503"),
     .local = approximated("caddy cannot count connections, only requests: this many are under way at each instance, one more is answered 503"),
     .uses = [](const Plan& plan) { return is_caddy(plan) ? if_written(plan.edge.connections.origin) : Origins{}; }},
    {.field = "edge.limits.timeout",
     .compose = approximated("caddy bounds a request and the wait for its answer, but not how slowly a client reads it"),
     .systemd = approximated("caddy bounds a request and the wait for its answer, but not how slowly a client reads it"),
     .local = approximated("caddy bounds a request and the wait for its answer, but not how slowly a client reads it"),
     .uses = [](const Plan& plan) { return is_caddy(plan) ? if_written(plan.edge.timeout_ms.origin) : Origins{}; }},
    {.field = "edge.limits", .helm = approximated("only ingress-nginx is told, and of headers not even that"),
     .uses = [](const Plan& plan) { return if_written(plan.edge.body_bytes.origin); }},
    {.field = "edge.trust", .helm = approximated("the Ingress controller has a setting of its own"),
     .local = approximated("nobody is in front of the edge on the loopback interface"),
     .uses = [](const Plan& plan) { return only_if(!plan.edge.trust.empty(), plan.edge.trust.empty() ? Origin{} : plan.edge.trust.front().origin); }},
    {.field = "edge", .systemd = approximated("caddy runs here"),
     .uses = [](const Plan& plan) { return only_if(plan.edge.proxy.value == plan::Edge::Proxy::nginx, plan.edge.proxy.origin); }},

    {.field = "network.egress",
     .compose = approximated("compose cannot tell destinations apart: the runtime reaches everything outside"),
     .helm = approximated("a NetworkPolicy knows no names: the port is open to every address outside the cluster"),
     .systemd = approximated("nothing leaves: a runtime has no network at all, and this version of it needs none"),
     .local = approximated("processes of one machine share its network"),
     .uses = [](const Plan& plan) { return only_if(!plan.egress.allowed.empty(), plan.egress.allowed.empty() ? Origin{} : plan.egress.allowed.front().origin); }},
    {.field = "network.dns", .helm = approximated("these are asked after the cluster's own resolver"),
     .systemd = approximated("the host's own resolver is used, by the edge alone"),
     .local = approximated("the machine's own resolver is used"),
     .uses = [](const Plan& plan) { return only_if(!plan.egress.dns.empty(), plan.egress.dns.empty() ? Origin{} : plan.egress.dns.front().origin); }},
    {"network"},

    {.field = "observability.prometheus", .helm = approximated("the cluster's Prometheus Operator reads the metrics; its retention and storage are its own"),
     .systemd = approximated(own_monitoring), .local = approximated(not_started),
     .uses = [](const Plan& plan) { return with_role(plan, Role::prometheus); }},
    {.field = "observability.grafana", .helm = approximated("the chart brings no dashboards"),
     .systemd = approximated(own_monitoring), .local = approximated(not_started),
     .uses = [](const Plan& plan) { return with_role(plan, Role::grafana); }},
    {.field = "observability.alerts.smtp", .compose = approximated(own_exchanger), .local = approximated(own_exchanger),
     .uses = mail_without_server},
    {.field = "observability.alerts", .helm = approximated("the chart brings the rules; who is told is for the cluster's Alertmanager"),
     .systemd = approximated(own_monitoring), .local = approximated(not_started),
     .uses = [](const Plan& plan) { return only_if(!plan.observability.alerts.empty(), {Origin::Kind::spec, "/observability/alerts"}); }},
    {.field = "observability.tracing",
     .compose = approximated("this version of the runtime sends no traces"),
     .helm = approximated("this version of the runtime sends no traces"),
     .systemd = approximated("this version of the runtime sends no traces"),
     .local = approximated("this version of the runtime sends no traces"),
     .uses = [](const Plan& plan) { return only_if(!plan.observability.otlp.value.empty(), plan.observability.otlp.origin); }},
    {.field = "observability.uptime",
     .helm = approximated("nothing sends the heartbeat"),
     .systemd = approximated("nothing sends the heartbeat"),
     .local = approximated(not_started),
     .uses = [](const Plan& plan) { return only_if(!plan.observability.heartbeat.empty(), {Origin::Kind::spec, "/observability/uptime"}); }},
    {.field = "observability.logs.rotate", .helm = approximated("the kubelet rotates logs"),
     .local = approximated("logs live as long as the stack"),
     .uses = [](const Plan& plan) { return if_written(plan.observability.log_bytes.origin); }},
    {"observability"},

    {.field = "backup.to",
     .systemd = approximated("nothing is sent to an object store: backups are kept below /var/backups on the host"),
     .uses = [](const Plan& plan) { return only_if(plan.backup.to.value.find("://") != std::string::npos, plan.backup.to.origin); }},
    {.field = "backup.encrypt",
     .systemd = approximated("backups are not encrypted, but as private as the data; keep them on an encrypted disk"),
     .uses = [](const Plan& plan) { return only_if(!plan.backup.encrypt.empty(), {Origin::Kind::spec, "/backup/encrypt"}); }},
    {.field = "backup",
     .compose = approximated("compose has no timer; the runbook has the commands for cron"),
     .helm = approximated("the chart has no timer; take snapshots of the volumes"),
     .local = approximated(disposable),
     .uses = [](const Plan& plan) { return only_if(!plan.backup.schedule.value.empty(), plan.backup.schedule.origin); }},
    {.field = "assets",
     .compose = approximated("assets travel in bundles, which this version does not write"),
     .helm = approximated("assets travel in bundles, which this version does not write"),
     .systemd = approximated("assets travel in bundles, which this version does not write"),
     .local = approximated("assets travel in bundles"),
     .uses = [](const Plan& plan) { return only_if(!plan.assets.empty(), {Origin::Kind::spec, "/assets"}); }},
    {"targets"}, {"environments"}, {"patches"}, {"waivers"}, {"conformance"},
};
// clang-format on

}  // namespace

const Cell& Row::cell(Target target) const {
  switch (target) {
    case Target::docker:
      return docker;
    case Target::compose:
      return compose;
    case Target::helm:
      return helm;
    case Target::systemd:
      return systemd;
    case Target::local:
      return local;
    case Target::sdk:
      break;
  }
  return sdk;
}

std::span<const Row> loss_table() { return rows; }

}  // namespace caisson::render

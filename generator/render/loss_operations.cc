// What watches, keeps and checks a deployment, and what is made of it.

#include "generator/render/loss_table.h"

namespace caisson::render {

namespace {

constexpr std::string_view own_monitoring =
    "nothing but the product is installed: `GET /metrics` of the metrics sockets is for yours";
constexpr std::string_view not_started = "configured, but not started; README.md says how";
constexpr std::string_view clusters_prometheus =
    "the cluster's Prometheus Operator reads the metrics; its retention and storage are its own";
constexpr std::string_view clusters_alertmanager =
    "the chart brings the rules; who is told is for the cluster's Alertmanager";
constexpr std::string_view own_exchanger =
    "without a mail server, mail goes to port 25 of the address's own domain";
constexpr std::string_view no_traces = "nothing sends traces";
constexpr std::string_view no_heartbeat = "nothing sends the heartbeat";
constexpr std::string_view no_checks = "nothing asks from outside";
constexpr std::string_view cron_by_hand =
    "compose has no timer; the runbook has the commands for cron. Where caisson-install has "
    "brought "
    "the project, a timer does it";
constexpr std::string_view own_claim =
    "nothing is sent to an object store: backups are in a claim of their own, <runtime>.backup";
constexpr std::string_view disposable = "a disposable stack has none";
constexpr std::string_view by_cron = "the runbook's commands for cron";
constexpr std::string_view project_keeps =
    "nothing is sent to an object store: backups are kept in backup/ of the project";
constexpr std::string_view never_sent =
    "nothing is sent to an object store: backups are kept below /var/backups on the host";
constexpr std::string_view not_encrypted =
    "nothing encrypts backups: they are as private as the directory that they are in";
constexpr std::string_view only_bundle =
    "only a bundle carries it, below assets/ of what it installs: nothing puts it into the data "
    "folder";

/// Mail that no server is named for.
std::vector<Use> mail_without_server(const Asked& asked) {
  if (!written(asked.document, "observability.alerts.smtp").empty()) return {};
  return written(asked.document, "observability.alerts.to.email");
}

std::vector<Use> observer(const Asked& asked, bool on, std::string_view field) {
  return on ? written(asked.document, field) : std::vector<Use>{};
}

std::vector<Use> to_object_store(const Asked& asked) {
  if (asked.plan.backup.to.value.find("://") == std::string::npos) return {};
  return written(asked.document, "backup.to");
}

// clang-format off: one field a row reads like the table it is
const Row rows[] = {
    {"observability.metrics", "the plan: what reads metrics is there or not",
     on_stack(yes)},
    {"observability.prometheus", "the target", {none, yes, approximated(clusters_prometheus), approximated(own_monitoring), approximated(not_started), none},
     [](const Asked& asked) { return observer(asked, asked.plan.observability.prometheus.value, "observability.prometheus"); }},
    {"observability.prometheus.retention", "Prometheus", {none, yes, approximated(clusters_prometheus), approximated(own_monitoring), approximated(not_started), none}, told_elsewhere},
    {"observability.prometheus.storage", "Prometheus", {none, yes, approximated(clusters_prometheus), approximated(own_monitoring), approximated(not_started), none}, told_elsewhere},
    {"observability.grafana", "the target", {none, yes, approximated("the chart brings no dashboards"), approximated(own_monitoring), approximated(not_started), none},
     [](const Asked& asked) { return observer(asked, asked.plan.observability.grafana.value, "observability.grafana"); }},
    {"observability.alerts.to.pagerduty", "Alertmanager", {none, yes, approximated(clusters_alertmanager), approximated(own_monitoring), approximated(not_started), none}},
    {"observability.alerts.to.webhook", "Alertmanager", {none, yes, approximated(clusters_alertmanager), approximated(own_monitoring), approximated(not_started), none}},
    {"observability.alerts.to.email", "Alertmanager", {none, yes, approximated(clusters_alertmanager), approximated(own_monitoring), approximated(not_started), none}},
    {"observability.alerts.slo.availability", "the rules of Prometheus", {none, yes, yes, approximated(own_monitoring), approximated(not_started), none}},
    {"observability.alerts.slo.p95", "the rules of Prometheus", {none, yes, yes, approximated(own_monitoring), approximated(not_started), none}},
    {"observability.alerts.smtp.host", "Alertmanager",
     {none, approximated(own_exchanger, mail_without_server), approximated(clusters_alertmanager), approximated(own_monitoring), approximated(not_started), none}},
    {"observability.alerts.smtp.from", "Alertmanager", {none, yes, approximated(clusters_alertmanager), approximated(own_monitoring), approximated(not_started), none}, told_elsewhere},
    {"observability.alerts.smtp.user", "Alertmanager", {none, yes, approximated(clusters_alertmanager), approximated(own_monitoring), approximated(not_started), none}, told_elsewhere},
    {"observability.alerts.smtp.password", "Alertmanager", {none, yes, approximated(clusters_alertmanager), approximated(own_monitoring), approximated(not_started), none}, told_elsewhere},
    {"observability.tracing.otlp", "", on_stack(ignored(no_traces)), [](const Asked& asked) { return written_in(asked.document, "observability.tracing", "otlp"); }},
    {"observability.tracing.sample", "", on_stack(ignored(no_traces)), told_elsewhere},
    {"observability.uptime.checks", "the blackbox exporter", {none, yes, approximated(no_checks), approximated(no_checks), approximated(not_started), none},
     [](const Asked& asked) { return observer(asked, asked.plan.observability.uptime_checks.value, "observability.uptime.checks"); }},
    {"observability.uptime.heartbeat", "Alertmanager", {none, yes, approximated(no_heartbeat), approximated(no_heartbeat), approximated(not_started), none}},
    {"observability.logs.level", "the runtime", stack},
    {"observability.logs.rotate.size", "the target", {none, yes, approximated("the kubelet rotates logs"), yes, approximated("logs live as long as the stack"), none}},
    {"observability.logs.rotate.keep", "the target", {none, yes, approximated("the kubelet rotates logs"), yes, approximated("logs live as long as the stack"), none}},

    {"backup.schedule", "a timer; alerts watch it", {none, approximated(cron_by_hand), honoured("a CronJob"), yes, approximated(disposable), none}},
    {"backup.keep", "the timer's program", {none, honoured(by_cron), yes, yes, approximated(disposable), none}},
    {"backup.to", "the timer's program", {none, approximated(project_keeps, to_object_store), approximated(own_claim, to_object_store), approximated(never_sent, to_object_store), approximated(disposable), none}},
    {"backup.encrypt", "", on_stack(ignored(not_encrypted))},

    {"answers.*.type", "`caisson-install`, and `caisson --answers`", itself},
    {"answers.*.text", "`caisson-install`", itself},
    {"answers.*.default", "`caisson-install`, and `caisson` without --answers", itself},
    {"answers.*.choices", "`caisson-install`, and `caisson --answers`", itself},

    {"assets.path", "`caisson bundle create`", on_stack(approximated(only_bundle))},
    {"assets.to", "`caisson bundle create`", on_stack(approximated(only_bundle)), told_elsewhere},
    {"assets.sha256", "`caisson bundle create`", itself},
    {"assets.size", "`caisson bundle create`", itself},
    {"assets.description", "the spec: for people", itself},

    {"targets.docker", "`caisson generate`", {yes, none, none, none, none, none}},
    {"targets.compose", "`caisson generate`", {none, yes, none, none, none, none}},
    {"targets.compose.project", "the project", {none, yes, none, none, none, none}},
    {"targets.helm", "`caisson generate`", {none, none, yes, none, none, none}},
    {"targets.helm.namespace", "the chart", {none, none, yes, none, none, none}},
    {"targets.helm.ingress-class", "the chart", {none, none, yes, none, none, none}},
    {"targets.helm.storage-class", "the chart", {none, none, yes, none, none, none}},
    {"targets.helm.secrets", "the chart", {none, none, yes, none, none, none}},
    {"targets.helm.issuer", "the chart", {none, none, yes, none, none, none}},
    {"targets.helm.kubernetes", "the chart", {none, none, yes, none, none, none}},
    {"targets.systemd", "`caisson generate`", {none, none, none, yes, none, none}},
    {"targets.systemd.prefix", "the units", {none, none, none, yes, none, none}},
    {"targets.systemd.data", "the units", {none, none, none, yes, none, none}},
    {"targets.systemd.user", "the units", {none, none, none, yes, none, none}},
    {"targets.bundle", "`caisson bundle create`", itself},
    {"targets.bundle.for", "`caisson bundle create`", itself},
    {"targets.bundle.arch", "`caisson bundle create`", itself},
    {"targets.bundle.level", "`caisson bundle create`", itself},
    {"targets.bundle.part-size", "", on_stack(ignored("nothing splits a bundle by it"))},
    {"targets.local", "`caisson generate`", {none, none, none, none, yes, none}},
    {"targets.local.port", "the edge; the processes have the ports after it", {none, none, none, none, yes, none}},
    {"targets.sdk", "`caisson generate`", {none, none, none, none, none, yes}},

    {"environments", "`caisson --env`", itself},
    {"patches.file", "`caisson generate`", itself},
    {"patches.at", "`caisson generate`", itself},
    {"patches.merge", "`caisson generate`", itself},
    {"patches.set", "`caisson generate`", itself},
    {"patches.remove", "`caisson generate`", itself},
    {"patches.expect", "`caisson generate`", itself},
    {"patches.reason", "`caisson generate`: it says what patches change", itself},
    {"waivers.rule", "`caisson`, and the checkers whose rules it names", itself},
    {"waivers.where", "`caisson`", itself},
    {"waivers.reason", "`caisson generate`: it says what is waived", itself},
    {"waivers.until", "`caisson validate`", itself},
    {"conformance.level", "`caisson conform`", {none, yes, none, none, yes, none}},
    {"conformance.slo.p95", "`caisson conform`: probes NN1, NN2 and NN7", {none, yes, none, none, yes, none}},
    {"conformance.slo.quiet-neighbour-ratio", "`caisson conform`: probe NN1", {none, yes, none, none, yes, none}},
    {"conformance.exclude.probe", "`caisson conform`", {none, yes, none, none, yes, none}},
    {"conformance.exclude.reason", "`caisson conform`: it is in the report", {none, yes, none, none, yes, none}},
    {"conformance.exclude.until", "`caisson validate`", {none, yes, none, none, yes, none}},
};
// clang-format on

}  // namespace

std::span<const Row> operation_rows() { return rows; }

}  // namespace caisson::render

#include "generator/spec/json_value.h"
#include "generator/spec/scalars.h"
#include "generator/spec/tables.h"

namespace caisson::spec {
namespace {

using Prometheus = Observability::Prometheus;
using Slo = Observability::Slo;
using Smtp = Observability::Smtp;
using Alerts = Observability::Alerts;
using Tracing = Observability::Tracing;
using Uptime = Observability::Uptime;
using Rotate = Observability::Rotate;
using Logs = Observability::Logs;

constexpr auto keep_type = integer<std::int64_t, 1, 1'000>;
constexpr auto percent_type = number<0.0, 99.9999>;
constexpr auto share_type = number<0.0, 1.0>;

constexpr Field prometheus_fields[] = {
    field<&Prometheus::retention, duration_type>("retention", literal("15d"),
                                                 "how long metrics are kept"),
    field<&Prometheus::storage, bytes_type>("storage", literal("10Gi"), "volume for them"),
};
constexpr auto prometheus_map_type = object<Prometheus, prometheus_fields>("Prometheus");
constexpr auto prometheus_type = switchable<prometheus_map_type>;

bool given(const Node& map, std::string_view key) {
  const Node* value = map.at(key);
  return value != nullptr && value->kind != Node::Kind::null;
}

constexpr std::string_view channels[] = {"pagerduty", "webhook", "email"};

bool finish_receiver(Reader&, const Node& node, AlertReceiver& receiver) {
  receiver.kind = given(node, "pagerduty") ? AlertReceiver::Kind::pagerduty
                  : given(node, "webhook") ? AlertReceiver::Kind::webhook
                                           : AlertReceiver::Kind::email;
  return true;
}

constexpr Field receiver_fields[] = {
    field<&AlertReceiver::secret, secret_ref_type>("pagerduty", optional,
                                                   "secret with the routing key"),
    field<&AlertReceiver::secret, secret_ref_type>("webhook", optional, "secret with the URL"),
    field<&AlertReceiver::address, email_type>("email", optional, "an address"),
};
constexpr auto receiver_type =
    object<AlertReceiver, receiver_fields, channels, finish_receiver>("AlertReceiver");
constexpr auto receivers_type = list_of<receiver_type>;

constexpr Field slo_fields[] = {
    field<&Slo::availability, percent_type>("availability", literal("0"),
                                            "percent of requests that must succeed; 0: none"),
    field<&Slo::p95, duration_type>("p95", literal("0s"),
                                    "time in which 95 % of requests must be answered; 0s: none"),
};
constexpr auto slo_type = object<Slo, slo_fields>("Slo");

constexpr Field smtp_fields[] = {
    field<&Smtp::host, host_port_type>("host", required, "mail server that takes the alerts"),
    field<&Smtp::from, email_type>("from", optional, "sender; absent: caisson@ the domain"),
    field<&Smtp::user, text_type>("user", optional, "name to sign in with; absent: nobody"),
    field<&Smtp::password, secret_ref_type>("password", optional, "secret with the password"),
};
constexpr auto smtp_type = object<Smtp, smtp_fields>("Smtp");

constexpr Field alert_fields[] = {
    field<&Alerts::to, receivers_type>("to", literal("[]"), "who is told"),
    field<&Alerts::slo, slo_type>("slo", literal("{}"), "objectives that alerts watch"),
    field<&Alerts::smtp, smtp_type>("smtp", optional, "how e-mail leaves"),
};
constexpr auto alerts_type = object<Alerts, alert_fields>("Alerts");

constexpr Field tracing_fields[] = {
    field<&Tracing::otlp, url_type>("otlp", required, "collector, OTLP over HTTP"),
    field<&Tracing::sample, share_type>("sample", literal("1"),
                                        "share of requests that are traced"),
};
constexpr auto tracing_type = object<Tracing, tracing_fields>("Tracing");

constexpr Field uptime_fields[] = {
    field<&Uptime::checks, boolean_type>("checks", literal("true"), "ask every route from outside"),
    field<&Uptime::heartbeat, secret_ref_type>(
        "heartbeat", optional, "secret with a URL that is called while all is well"),
};
constexpr auto uptime_type = object<Uptime, uptime_fields>("Uptime");

constexpr Word<Logs::Level> levels[] = {{"trace", Logs::Level::trace},
                                        {"debug", Logs::Level::debug},
                                        {"info", Logs::Level::info},
                                        {"warn", Logs::Level::warn},
                                        {"error", Logs::Level::error}};
constexpr auto level_type = word<levels>("LogLevel");

constexpr Field rotate_fields[] = {
    field<&Rotate::size, bytes_type>("size", literal("10Mi"),
                                     "size at which a log file is replaced"),
    field<&Rotate::keep, keep_type>("keep", literal("5"), "how many are kept"),
};
constexpr auto rotate_type = object<Rotate, rotate_fields>("Rotate");

constexpr Field log_fields[] = {
    field<&Logs::level, level_type>("level", literal("info"), "the least that is written"),
    field<&Logs::rotate, rotate_type>("rotate", literal("{}"), "when a log file is replaced"),
};
constexpr auto logs_type = object<Logs, log_fields>("Logs");

constexpr Field observability_fields[] = {
    field<&Observability::metrics, boolean_type>("metrics", literal("true"),
                                                 "offer metrics, on a port of their own"),
    field<&Observability::prometheus, prometheus_type>("prometheus", literal("{}"),
                                                       "a Prometheus in the stack"),
    field<&Observability::grafana, boolean_type>("grafana", literal("true"),
                                                 "a Grafana in the stack"),
    field<&Observability::alerts, alerts_type>("alerts", literal("{}"),
                                               "what is watched and who is told"),
    field<&Observability::tracing, tracing_type>("tracing", optional,
                                                 "traces of requests; nothing does it yet"),
    field<&Observability::uptime, uptime_type>("uptime", literal("{}"), "watching from outside"),
    field<&Observability::logs, logs_type>("logs", literal("{}"), "structured logs"),
};

constexpr std::string_view actions[] = {"merge", "set", "remove"};

bool finish_patch(Reader&, const Node& node, Patch& patch) {
  patch.action = given(node, "remove") ? Patch::Action::remove
                 : given(node, "set")  ? Patch::Action::set
                                       : Patch::Action::merge;
  return true;
}

constexpr Type<bool> removal_type{
    .shape = {.kind = Shape::Kind::boolean, .name = "true"},
    .read = [](Reader& reader, const Node& node, bool& value) {
      const std::optional<bool> confirmed = reader.boolean(node, "true");
      if (confirmed == false) {
        return reader.refuse("E0107", node.span, "'remove: false' does nothing" + reader.in_path(),
                             "write true, or leave the patch out");
      }
      value = confirmed.value_or(false);
      return value;
    }};

constexpr auto places_type = integer<std::int64_t, 1, 10'000>;

constexpr Field patch_fields[] = {
    field<&Patch::file, path_type>("file", required, "a generated file, as compose/compose.yaml"),
    field<&Patch::at, pointer_type>("at", required,
                                    "the place in it, a JSON pointer; `*` stands for any key"),
    field<&Patch::value, json_type>("merge", optional,
                                    "what is laid over the place; or `set` or `remove`"),
    field<&Patch::value, json_type>("set", optional, "what takes its place"),
    aside<Patch, removal_type>("remove", optional, "`true` takes the place away"),
    field<&Patch::expect, places_type>("expect", literal("1"), "how many places must match"),
    field<&Patch::reason, text_type>("reason", required, "why, for whoever reads it in a year"),
};
constexpr auto patch_type = object<Patch, patch_fields, actions, finish_patch>("Patch");

constexpr Field waiver_fields[] = {
    field<&Waiver::rule, text_type>("rule", required,
                                    "`loss/FIELD` of docs/support.md, the code of a warning, or a "
                                    "checker's rule"),
    field<&Waiver::where, text_type>("where", optional,
                                     "of a loss the target, of a warning the field, of a checker's "
                                     "rule the file; absent: everywhere"),
    field<&Waiver::reason, text_type>("reason", required, "why, for whoever audits"),
    field<&Waiver::until, date_type>("until", optional,
                                     "last day on which it counts; absent: for ever"),
};
constexpr auto waiver_type = object<Waiver, waiver_fields>("Waiver");

using Exclusion = Conformance::Exclusion;
constexpr Field exclusion_fields[] = {
    field<&Exclusion::probe, text_type>("probe", required, "id of the probe"),
    field<&Exclusion::reason, text_type>("reason", required, "why, for whoever audits"),
    field<&Exclusion::until, date_type>("until", optional,
                                        "last day on which it counts; absent: for ever"),
};
constexpr auto exclusion_type = object<Exclusion, exclusion_fields>("Exclusion");
constexpr auto exclusions_type = list_of<exclusion_type>;

constexpr auto conformance_level_type = integer<std::int64_t, 0, 3>;
constexpr auto ratio_type = number<1.0, 1000.0>;
constexpr Field conformance_slo_fields[] = {
    field<&Conformance::p95, duration_type>(
        "p95", literal("500ms"), "time in which 95 % of a tenant's requests are answered"),
    field<&Conformance::quiet_neighbour_ratio, ratio_type>(
        "quiet-neighbour-ratio", literal("1.5"),
        "how much slower a quiet tenant may get beside a noisy one"),
};
constexpr auto conformance_slo_type = object<Conformance, conformance_slo_fields>("ConformanceSlo");

constexpr Field conformance_fields[] = {
    field<&Conformance::level, conformance_level_type>("level", literal("2"),
                                                       "how hard the stack is attacked"),
    spread<conformance_slo_type>("slo", literal("{}"),
                                 "figures that probes of noisy neighbours hold to"),
    field<&Conformance::exclude, exclusions_type>("exclude", literal("[]"),
                                                  "probes that are left out, with a reason"),
};

bool read_json(Reader& reader, const Node& node, std::string& value) {
  (void)reader;
  value = json_value(node);
  return true;
}

}  // namespace

constinit const Type<std::string> json_type{
    .shape = {.kind = Shape::Kind::any, .name = "any", .note = "any value"}, .read = read_json};
constinit const Type<Observability> observability_type =
    object<Observability, observability_fields>("Observability");
constinit const Type<std::vector<Patch>> patches_type = list_of<patch_type>;
constinit const Type<std::vector<Waiver>> waivers_type = list_of<waiver_type>;
constinit const Type<Conformance> conformance_type =
    object<Conformance, conformance_fields>("Conformance");

}  // namespace caisson::spec

#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "generator/plan/plan.h"
#include "generator/render/blueprints.h"
#include "generator/render/node.h"
#include "generator/render/site.h"

namespace caisson::render {

/// A configuration file of the plan's Prometheus, Alertmanager, blackbox exporter or Grafana.
struct ObserverFile {
  std::string name;  ///< of a plan::ConfigMount: "prometheus.yaml"
  std::string owner;
  Node tree;
};

/// Where the targets put these files, below their own folder.
inline constexpr std::string_view observer_folder = "observability/";

/// Every one of them, in the order of the plan's instances; none when the plan has no Prometheus.
/// The house style in blueprints/observability, with the plan's values over it. Fails when a
/// blueprint is broken.
[[nodiscard]] Result<std::vector<ObserverFile>> observer_files(const plan::Plan& plan,
                                                               const Index& index, const Site& site,
                                                               const Blueprints& blueprints);

/// The bytes of such a file: YAML or JSON, as its name says.
[[nodiscard]] std::string observer_text(const ObserverFile& file);

/// What the program of such an instance is given as arguments; none for Grafana and for everybody
/// else.
[[nodiscard]] Node observer_arguments(const plan::Plan& plan, const plan::Instance& instance,
                                      const Site& site);

[[nodiscard]] bool is_observer(const plan::Instance& instance);

/// What a deployment has, for the key `needs` of the blueprints: `availability` and `latency` (an
/// objective), `backup`, `observers`, `uptime`, `alertmanager`, `heartbeat`, `grafana`, `caddy`,
/// `tls`, `internal-ca`, `long-certificates`.
using Features = std::set<std::string, std::less<>>;
[[nodiscard]] Features features(const plan::Plan& plan);

/// The tree without what `needs` a feature that is not there, and without the key itself.
[[nodiscard]] Node needed(const Node& tree, const Features& features);

/// Whom Prometheus asks for uptime, as groups of targets with their labels; empty when nobody is.
[[nodiscard]] Node uptime_targets(const plan::Plan& plan, const Index& index, const Site& site);

// One file each; observer_files calls them.
[[nodiscard]] Node prometheus_config(const plan::Plan& plan, const Index& index, const Site& site,
                                     Node blueprint);
[[nodiscard]] Node blackbox_config(const plan::Plan& plan, const Site& site, Node blueprint);
[[nodiscard]] Node alert_rules(const plan::Plan& plan, Node blueprint);
[[nodiscard]] Node alertmanager_config(const plan::Plan& plan, const Site& site, Node blueprint,
                                       Node heartbeat);
[[nodiscard]] Node grafana_dashboard(const plan::Plan& plan, std::string_view name,
                                     const Node& blueprint);

/// The rules for a Prometheus that other deployments share, as Kubernetes' operator takes them:
/// every series that they read and every result carries the label `deployment`.
[[nodiscard]] Node cluster_rules(const plan::Plan& plan, const Node& blueprint);
/// PromQL whose every selector asks for series of the deployment alone.
[[nodiscard]] std::string of_deployment(std::string_view expression, std::string_view deployment);

/// The longest time between two runs of a cron schedule, in milliseconds, rounded up to the
/// coarsest field that restricts it: an hour, a day, a week, 31 days or a year.
[[nodiscard]] std::int64_t longest_gap_ms(std::string_view schedule);

}  // namespace caisson::render

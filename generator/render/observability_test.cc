#include "generator/render/observability.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "generator/render/read_tree.h"
#include "generator/render/render_testing.h"

namespace caisson::render {
namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::string_view base =
    "caisson: v1\nname: acme\nversion: 1.0.0\ntiers: { free: { isolation: schema }, own: { "
    "isolation: deployment } }\ntenants: [{ slug: globex, tier: free }, { slug: umbrella, tier: "
    "own "
    "}]\n";

plan::Plan planned(const std::string& more) { return plan::plan_of(std::string(base) + more).plan; }

const Node& tree(const Artifacts& artifacts, const std::string& name) {
  return *artifact(artifacts, "compose/observability/" + name).tree;
}

/// The element of a list of maps whose `key` is `value`; throws when there is none.
const Node& among(const Node& list, std::string_view key, std::string_view value) {
  for (const auto& item : *list.list()) {
    const auto* found = item.find(key);
    if (found != nullptr && found->text() != nullptr && *found->text() == value) return item;
  }
  throw std::runtime_error("nothing with " + std::string(key) + " " + std::string(value));
}

bool has_job(const Node& prometheus, std::string_view name) {
  return std::ranges::any_of(*prometheus.find("scrape_configs")->list(), [&](const Node& job) {
    return *job.find("job_name")->text() == name;
  });
}

TEST(ClusterRules, AskForSeriesOfTheDeploymentAlone) {
  const std::string acme = R"(deployment="acme")";
  for (const auto& [given, expected] : {
           std::pair{R"(up{job="runtime"} == 0)", R"(up{D,job="runtime"} == 0)"},
           std::pair{R"(caisson_store_broken > 0)", R"(caisson_store_broken{D} > 0)"},
           std::pair{R"(sum by (instance) (rate(x_total{reason="a_b"}[5m])) > 0)",
                     R"(sum by (instance) (rate(x_total{D,reason="a_b"}[5m])) > 0)"},
           std::pair{R"(a:b:c / on (instance) group_left () d_e{})",
                     R"(a:b:c{D} / on (instance) group_left () d_e{D})"},
           std::pair{R"(histogram_quantile(0.95, rate(a_bucket[5m])) * vector(1))",
                     R"(histogram_quantile(0.95, rate(a_bucket{D}[5m])) * vector(1))"},
           std::pair{R"({__name__="up"} or "no_series")", R"({D,__name__="up"} or "no_series")"},
       }) {
    auto wanted = std::string(expected);
    for (auto at = wanted.find('D'); at != std::string::npos;
         at = wanted.find('D', at + acme.size())) {
      wanted.replace(at, 1, acme);
    }
    EXPECT_EQ(of_deployment(given, "acme"), wanted);
  }
}

TEST(ClusterRules, LeaveOutWhatTheClusterHasOfItsOwn) {
  const auto plan = planned("observability: { alerts: { slo: { availability: 99.9 } } }\n");
  const auto artifacts = rendered(plan);
  const auto& groups = *artifact(artifacts, "helm/acme/rules.yaml").tree->find("groups");
  const auto& down = *among(groups, "name", "caisson-availability").find("rules");
  EXPECT_EQ(*among(down, "alert", "RuntimeDown").find("labels")->find("deployment")->text(),
            "acme");
  for (const auto* alert : {"EdgeDown", "UptimeCheckFailing", "ObserverDown", "Heartbeat"}) {
    EXPECT_THROW(static_cast<void>(among(down, "alert", alert)), std::runtime_error);
  }
  EXPECT_NO_THROW(static_cast<void>(among(groups, "name", "caisson-slo")));
}

TEST(Observers, AreEveryFileThatTheirInstancesMount) {
  const auto plan = planned(
      "secrets: { hook: { from: { env: { name: HOOK } } } }\n"
      "observability: { alerts: { to: [{ webhook: hook }] } }\n");
  const auto artifacts = rendered(plan);
  std::size_t files = 0;
  for (const auto& instance : plan.instances) {
    if (!is_observer(instance)) continue;
    for (const auto& mount : instance.configs) {
      for (const auto* target : {"compose/", "local/"}) {
        const auto& file =
            artifact(artifacts, target + std::string(observer_folder) + mount.config);
        EXPECT_FALSE(file.bytes.empty());
        EXPECT_NE(file.tree, nullptr);
        ++files;
      }
    }
  }
  EXPECT_EQ(files, 2 * (2 + 1 + 1 + 2 + std::size(plan::dashboards)));
}

TEST(Observers, AreNoneWithoutPrometheus) {
  for (const auto* off : {"prometheus: false", "metrics: false"}) {
    const auto plan = planned("observability: { " + std::string(off) + " }\n");
    EXPECT_TRUE(std::ranges::none_of(plan.instances, is_observer));
    for (const auto& file : rendered(plan)) {
      EXPECT_EQ(file.path.find(observer_folder), std::string::npos) << file.path;
    }
  }
}

TEST(Prometheus, ScrapesEveryRuntimeByItsName) {
  const auto artifacts = rendered(planned(""));
  const auto& job =
      among(*tree(artifacts, "prometheus.yaml").find("scrape_configs"), "job_name", "runtime");
  std::vector<std::string> targets;
  for (const auto& group : *job.find("static_configs")->list()) {
    targets.push_back(*group.at("/targets/0")->text() + " " +
                      *group.at("/labels/instance")->text());
  }
  EXPECT_EQ(targets, (std::vector<std::string>{"runtime-metrics:9091 runtime",
                                               "runtime-umbrella-metrics:9091 runtime-umbrella"}));
}

/// No network that Prometheus is on has an operator API on it, however many runtimes there are.
TEST(Prometheus, SharesNoNetworkWithAnOperatorApi) {
  std::string tenants = "tenants:\n";
  for (int i = 0; i < 300; ++i) {
    tenants += "  - { slug: own-" + std::to_string(i) + ", tier: enterprise }\n";
  }
  const auto plan = plan::plan_of(
                        "caisson: v1\nname: acme\nversion: 1.0.0\ndomain: acme.localhost\n"
                        "tiers: { free: {}, enterprise: { isolation: deployment } }\n" +
                        tenants)
                        .plan;
  const auto prometheus =
      std::ranges::find(plan.instances, plan::Role::prometheus, &plan::Instance::role);
  ASSERT_NE(prometheus, plan.instances.end());
  const std::set<std::string> on(prometheus->networks.begin(), prometheus->networks.end());
  const auto files = rendered(plan);
  std::size_t runtimes = 0;
  for (const auto& instance : plan.instances) {
    if (instance.role != plan::Role::runtime) continue;
    ++runtimes;
    for (const auto& port : instance.ports) {
      EXPECT_FALSE(port.network.empty() && port.name != "data") << port.name;
      EXPECT_EQ(on.contains(port.network), port.purpose == plan::Port::Purpose::metrics)
          << instance.name << " " << port.name;
    }
    // A listener is on the address of its own network alone: no other leads to it.
    const auto& config = *artifact(files, "compose/" + instance.name + ".json").tree;
    EXPECT_EQ(*config.at("/listen/operator")->text(), instance.name + "-operator:9090");
    EXPECT_EQ(*config.at("/listen/metrics")->text(), instance.name + "-metrics:9091");
  }
  EXPECT_EQ(runtimes, 301U);
}

TEST(Prometheus, FindsReplicasByTheirName) {
  const auto artifacts =
      rendered(planned("database: { engine: postgres }\nruntime: { replicas: 2..6 }\n"));
  const auto& job =
      among(*tree(artifacts, "prometheus.yaml").find("scrape_configs"), "job_name", "runtime");
  EXPECT_EQ(*job.at("/dns_sd_configs/0/names/0")->text(), "runtime-metrics");
  EXPECT_EQ(
      *among(*job.find("relabel_configs"), "target_label", "instance").find("replacement")->text(),
      "runtime");
  EXPECT_EQ(job.find("static_configs")->list()->size(), 1U) << "the tenant's own has one replica";
}

TEST(Prometheus, AsksEveryHostThroughTheEdge) {
  const auto artifacts = rendered(planned(""));
  const auto& job =
      among(*tree(artifacts, "prometheus.yaml").find("scrape_configs"), "job_name", "uptime");
  EXPECT_EQ(job.find("static_configs"), nullptr) << "a tenant more would recreate Prometheus";
  EXPECT_EQ(*job.at("/file_sd_configs/0/files/0")->text(), "/etc/prometheus/targets/uptime.json");
  std::vector<std::string> asked;
  for (const auto& group : *tree(artifacts, "targets/uptime.json").list()) {
    for (const auto& host : *group.find("targets")->list()) {
      asked.push_back(*host.text() + " " + *group.at("/labels/__param_target")->text());
    }
  }
  EXPECT_EQ(asked, (std::vector<std::string>{"globex.acme.localhost https://edge:8443/v1/ping",
                                             "umbrella.acme.localhost https://edge:8443/v1/ping",
                                             "globex.acme.localhost https://edge:8443/dashboard/",
                                             "umbrella.acme.localhost https://edge:8443/dashboard/",
                                             "acme.localhost https://edge:8443/"}));
}

TEST(Prometheus, AsksOnlyWhatIsThere) {
  const auto none = rendered(planned("edge: { proxy: none }\n"));
  for (const auto* job : {"edge", "uptime", "blackbox", "alertmanager"}) {
    EXPECT_FALSE(has_job(tree(none, "prometheus.yaml"), job)) << job;
  }
  const auto all =
      rendered(planned("secrets: { pulse: { from: { env: { name: PULSE } } } }\n"
                       "observability: { uptime: { heartbeat: pulse } }\n"));
  for (const auto* job : {"edge", "uptime", "blackbox", "alertmanager"}) {
    EXPECT_TRUE(has_job(tree(all, "prometheus.yaml"), job)) << job;
  }
}

TEST(Rules, CompareWithTheFiguresOfTheSpec) {
  const auto artifacts =
      rendered(planned("observability: { alerts: { slo: { availability: 99.95, p95: 300ms } } }\n"
                       "backup: { schedule: '0 3 * * *', to: /backup }\n"));
  const auto& objectives =
      *among(*tree(artifacts, "rules.yaml").find("groups"), "name", "caisson-objectives")
           .find("rules");
  const auto value = [&](std::string_view series) {
    const auto& rule = among(objectives, "record", series);
    EXPECT_EQ(rule.find("expr")->origin().kind, Origin::Kind::spec);
    return *rule.find("expr")->text();
  };
  EXPECT_EQ(value("caisson:slo_errors:budget"), "vector(0.0005)");
  EXPECT_EQ(value("caisson:slo_latency:seconds"), "vector(0.3)");
  EXPECT_EQ(value("caisson:backup_age:limit_seconds"), "vector(108000.0)");
}

TEST(Rules, AreThoseThatTheDeploymentNeeds) {
  const auto text = artifact(rendered(planned("")), "compose/observability/rules.yaml").bytes;
  for (const auto* alert : {"ErrorBudgetBurning", "LatencyObjectiveMissed", "BackupTooOld",
                            "AlertsNotDelivered", "Heartbeat"}) {
    EXPECT_EQ(text.find(alert), std::string::npos) << alert;
  }
  EXPECT_NE(text.find("RuntimeDown"), std::string::npos);
  EXPECT_EQ(text.find("needs"), std::string::npos);
}

TEST(Rules, KnowTheLongestGapOfASchedule) {
  EXPECT_EQ(longest_gap_ms("* * * * *"), hour_ms);
  EXPECT_EQ(longest_gap_ms("30 * * * *"), hour_ms);
  EXPECT_EQ(longest_gap_ms("0 */6 * * *"), 24 * hour_ms);
  EXPECT_EQ(longest_gap_ms("0  3\t* * *"), 24 * hour_ms);
  EXPECT_EQ(longest_gap_ms("0 3 * * 1-5"), 7 * 24 * hour_ms);
  EXPECT_EQ(longest_gap_ms("0 3 1 * *"), 31 * 24 * hour_ms);
  EXPECT_EQ(longest_gap_ms("0 3 1 1 *"), 366 * 24 * hour_ms);
}

TEST(Alertmanager, TellsEverybodyAndNamesNoSecret) {
  const auto artifacts = rendered(planned(
      "secrets: { page: { from: { env: { name: A } } }, hook: { from: { env: { name: B } } } }\n"
      "observability:\n  alerts:\n    to: [{ pagerduty: page }, { webhook: hook }, { email: "
      "ops@acme.example }]\n"));
  const auto& operators = *tree(artifacts, "alertmanager.yaml").at("/receivers/0");
  EXPECT_EQ(*operators.at("/pagerduty_configs/0/routing_key_file")->text(), "/run/secrets/page");
  EXPECT_EQ(*operators.at("/webhook_configs/0/url_file")->text(), "/run/secrets/hook");
  EXPECT_EQ(*operators.at("/email_configs/0/smarthost")->text(), "acme.example:25");
  EXPECT_EQ(*operators.at("/email_configs/0/from")->text(), "caisson@acme.localhost");
}

TEST(Alertmanager, SendsMailAsTheSpecSays) {
  const auto artifacts = rendered(planned(
      "secrets: { mail: { from: { env: { name: A } } } }\n"
      "observability:\n  alerts:\n    to: [{ email: ops@acme.example }]\n    smtp: { host: "
      "'mail.acme.example:587', from: alerts@acme.example, user: alerts, password: mail }\n"));
  const auto& mail = *tree(artifacts, "alertmanager.yaml").at("/receivers/0/email_configs/0");
  EXPECT_EQ(*mail.find("smarthost")->text(), "mail.acme.example:587");
  EXPECT_EQ(mail.find("smarthost")->origin().at, "/observability/alerts/smtp/host");
  EXPECT_EQ(*mail.find("from")->text(), "alerts@acme.example");
  EXPECT_EQ(*mail.find("auth_username")->text(), "alerts");
  EXPECT_EQ(*mail.find("auth_password_file")->text(), "/run/secrets/mail");
}

TEST(Alertmanager, SendsTheHeartbeatWhereItBelongs) {
  const auto artifacts =
      rendered(planned("secrets: { pulse: { from: { env: { name: PULSE } } } }\n"
                       "observability: { uptime: { heartbeat: pulse } }\n"));
  const auto& config = tree(artifacts, "alertmanager.yaml");
  EXPECT_EQ(*config.at("/route/routes/0/receiver")->text(), "heartbeat");
  EXPECT_EQ(*config.at("/receivers/1/webhook_configs/0/url_file")->text(), "/run/secrets/pulse");
  EXPECT_EQ(config.at("/receivers/0")->map()->size(), 1U) << "nobody else is told";
}

TEST(Observers, ListenOnTheirOwnNetworkAlone) {
  const auto plan = planned(
      "secrets: { hook: { from: { env: { name: HOOK } } } }\n"
      "observability: { alerts: { to: [{ webhook: hook }] } }\n");
  for (const auto& instance : plan.instances) {
    if (!is_observer(instance)) continue;
    EXPECT_EQ(instance.ports.front().network, "observe") << instance.name;
    const bool leaves = std::ranges::any_of(instance.networks, [&](const std::string& name) {
      return !std::ranges::find(plan.networks, name, &plan::Network::name)->internal;
    });
    EXPECT_EQ(leaves, instance.role == plan::Role::alertmanager) << instance.name;
  }
  for (const auto& instance : plan.instances) {
    const bool inside = std::ranges::find(instance.networks, "observe") != instance.networks.end();
    EXPECT_EQ(inside, is_observer(instance)) << instance.name;
  }
}

TEST(Blueprints, NeedWhatTheDeploymentHas) {
  const auto tree = read_tree("t.yaml",
                              "list:\n  - { a: 1, needs: [x] }\n  - { b: 2, needs: [x, y] }\n"
                              "  - { c: 3 }\n",
                              [](std::size_t) { return Origin{}; });
  ASSERT_TRUE(tree);
  const auto kept = needed(*tree, {"x"});
  ASSERT_EQ(kept.find("list")->list()->size(), 2U);
  EXPECT_EQ(kept.at("/list/0")->map()->size(), 1U) << "`needs` itself is gone";
  EXPECT_NE(kept.at("/list/1/c"), nullptr);
}

}  // namespace
}  // namespace caisson::render

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "generator/render/observability.h"
#include "generator/render/scalar_text.h"

namespace caisson::render {

namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t day_ms = hour_ms * 24;

/// A figure of the spec as a series, for rules and dashboards to compare with.
Node constant(std::string_view series, double value, const Origin& origin) {
  Node rule{Node::Map{}, origin};
  rule.add("record", {series, origin});
  rule.add("expr", {"vector(" + decimal(value) + ")", origin});
  return rule;
}

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
}

}  // namespace

std::string of_deployment(std::string_view expression, std::string_view deployment) {
  const auto matcher = "deployment=\"" + std::string(deployment) + "\"";
  std::string out;
  const auto take = [&](std::size_t count) {
    const auto taken = expression.substr(0, count);
    expression.remove_prefix(taken.size());
    out += taken;
    return taken;
  };
  while (!expression.empty()) {
    if (expression.starts_with('[') || expression.starts_with('"')) {
      const auto end = expression.find(expression.starts_with('[') ? ']' : '"', 1);
      take(std::min(end, expression.size() - 1) + 1);
      continue;
    }
    if (!expression.starts_with('{')) {
      const auto name = take(static_cast<std::size_t>(
          std::ranges::find_if_not(expression, is_name) - expression.begin()));
      if (name.empty()) take(1);
      // Of all names, series alone have a '_' or ':' in them and no '(' behind them; and `up`.
      const auto next = expression.find_first_not_of(' ');
      const bool called = next != std::string_view::npos && expression[next] == '(';
      const bool marked = name == "up" || name.find_first_of("_:") != std::string_view::npos;
      if (called || !marked) continue;
    }
    if (!expression.starts_with('{')) {
      out += '{' + matcher + '}';
      continue;
    }
    take(1);
    out += matcher + (expression.starts_with('}') ? "" : ",");
    take(std::min(expression.find('}'), expression.size() - 1) + 1);
  }
  return out;
}

Node cluster_rules(const plan::Plan& plan, const Node& blueprint) {
  auto has = features(plan);
  // The cluster has its own.
  for (const auto* own :
       {"observers", "uptime", "alertmanager", "heartbeat", "grafana", "caddy", "backup"}) {
    has.erase(own);
  }
  auto tree = alert_rules(plan, needed(blueprint, has));
  auto& groups = *tree.find("groups");
  for (const auto& group : groups.keys()) {
    auto& rules = *groups.child(group)->find("rules");
    for (const auto& at : rules.keys()) {
      auto& rule = *rules.child(at);
      auto& expression = *rule.find("expr");
      const auto origin = expression.origin();
      expression = Node{of_deployment(*expression.text(), plan.name.value), origin};
      auto* labels = rule.find("labels");
      if (labels == nullptr) labels = &rule.set("labels", Node{Node::Map{}, rule.origin()});
      labels->set("deployment", plan.name);
    }
  }
  return tree;
}

std::int64_t longest_gap_ms(std::string_view schedule) {
  // Of the fields minute, hour, day of the month, month and day of the week, when restricted.
  constexpr std::array<std::int64_t, 5> gaps{hour_ms, day_ms, day_ms * 31, day_ms * 366,
                                             day_ms * 7};
  std::int64_t longest = hour_ms;
  for (const auto gap : gaps) {
    schedule.remove_prefix(std::min(schedule.find_first_not_of(" \t"), schedule.size()));
    const auto field = schedule.substr(0, schedule.find_first_of(" \t"));
    schedule.remove_prefix(field.size());
    if (field != "*") longest = std::max(longest, gap);
  }
  return longest;
}

Node alert_rules(const plan::Plan& plan, Node tree) {
  const auto& observe = plan.observability;
  Node rules{Node::List{}};
  if (observe.slo_availability.value > 0) {
    // 100 - 99.9 is not 0.1 in binary: the budget has as many places as the objective can.
    const auto budget = std::round((100 - observe.slo_availability.value) * 1e6) / 1e8;
    rules.push(constant("caisson:slo_errors:budget", budget, observe.slo_availability.origin));
  }
  if (observe.slo_p95_ms.value > 0) {
    rules.push(constant("caisson:slo_latency:seconds",
                        static_cast<double>(observe.slo_p95_ms.value) / 1000,
                        observe.slo_p95_ms.origin));
  }
  if (!plan.backup.schedule.value.empty()) {
    // A quarter more than the schedule's longest gap, for a backup takes its time.
    const auto gap = static_cast<double>(longest_gap_ms(plan.backup.schedule.value)) / 1000;
    rules.push(
        constant("caisson:backup_age:limit_seconds", gap * 1.25, plan.backup.schedule.origin));
  }
  if (rules.empty()) return tree;
  Node group{Node::Map{}};
  group.add("name", "caisson-objectives");
  group.add("rules", std::move(rules));
  Node groups{Node::List{}, tree.find("groups")->origin()};
  groups.push(std::move(group));
  for (const auto& other : *tree.find("groups")->list()) groups.push(other);
  tree.set("groups", std::move(groups));
  return tree;
}

}  // namespace caisson::render

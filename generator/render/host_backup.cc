#include "generator/render/host_backup.h"

#include <utility>

#include "generator/render/calendar.h"

namespace caisson::render {

std::string backup_unit(const plan::Plan& plan, const plan::Instance& instance) {
  return plan.name.value + "-" + instance.name + "_backup";
}

Node backup_times(const plan::Plan& plan) {
  const auto& origin = plan.backup.schedule.origin;
  Node events{Node::List{}, origin};
  for (const auto& event : calendar_events(plan.backup.schedule.value)) {
    events.push({event, origin});
  }
  Node times{Node::Map{}, origin};
  times.add("OnCalendar", std::move(events));
  times.add("AccuracySec", {"1s", origin});
  times.add("Persistent", {true, origin});
  return times;
}

Node backup_config(const plan::Plan& plan, BackupWays ways) {
  Node node{Node::Map{}, plan.backup.schedule.origin};
  node.add("operator", std::move(ways.operator_api));
  node.add("token-file", std::move(ways.token_file));
  node.add("data", std::move(ways.data));
  node.add("to", std::move(ways.to));
  node.add("keep", plan.backup.keep);
  return node;
}

}  // namespace caisson::render

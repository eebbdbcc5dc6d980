#include "generator/plan/planner.h"

#include "generator/plan/draft.h"

namespace caisson::plan {

std::string below(std::string pointer, std::string_view segment) {
  pointer += '/';
  for (const char c : segment) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

Isolation provided(Isolation asked, Database::Engine engine) {
  const bool own_file = engine == Database::Engine::sqlite && asked != Isolation::deployment;
  return own_file ? Isolation::database : asked;
}

namespace {

/// A store or service that nothing talks to yet (a stack whose every tier has its own deployments,
/// before its first tenant) still needs a network of its own: without one a target might give it a
/// way out.
void plan_idle(Draft& draft) {
  auto& plan = draft.plan;
  std::string idle;
  for (auto& instance : plan.instances) {
    if (!instance.networks.empty()) continue;
    if (idle.empty()) {
      idle = draft.network_names.take("idle");
      plan.networks.push_back(
          {.name = idle, .purpose = "what no tenant uses yet", .origin = derived("/tenants")});
    }
    instance.networks.push_back(idle);
  }
}

}  // namespace

Plan plan(const spec::Loaded& loaded) {
  Draft draft{.loaded = loaded};
  plan_settings(draft);
  plan_secrets(draft);
  plan_tenants(draft);
  plan_stores(draft);
  plan_runtimes(draft);
  plan_services(draft);
  plan_front(draft);
  plan_observers(draft);
  plan_idle(draft);
  return std::move(draft.plan);
}

}  // namespace caisson::plan

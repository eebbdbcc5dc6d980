#include "conformance/ground.h"

#include <ctime>

#include "base/digest.h"
#include "base/files.h"
#include "base/random.h"
#include "base/time.h"
#include "conformance/journal/journal.h"
#include "conformance/probe/arena.h"
#include "conformance/probe/provision.h"
#include "conformance/probe/runner.h"
#include "conformance/stack/preflight.h"
#include "generator/render/json.h"
#include "generator/render/plan_report.h"
#include "generator/render/render.h"

namespace caisson::conformance {
namespace {

constexpr std::int64_t journal_ttl_seconds = 3600;

/// One sentence for each instance of the plan that a site.json does not lead to, or on which no
/// tenant may be made.
std::vector<std::string> instances_left_out(const plan::Plan& plan, const RunningStack& stack) {
  std::vector<std::string> out;
  if (stack.attached.empty()) return out;
  std::size_t services = 0;
  for (const plan::Instance& planned : plan.instances) {
    if (planned.role == plan::Role::service) ++services;
    if (planned.role != plan::Role::runtime) continue;
    if (planned.tenant) {
      out.push_back(planned.name +
                    " NOT TESTED: its tenant is a customer, and no other can be made");
    } else if (stack.instance(planned.name) == nullptr) {
      out.push_back(planned.name + " NOT TESTED: " + stack.attached + " does not name it");
    }
  }
  if (!plan.edge.instance.empty() && stack.edge() == nullptr)
    out.push_back("the edge NOT TESTED: " + (stack.edge_left_out.empty()
                                                 ? stack.attached + " does not name it"
                                                 : stack.edge_left_out));
  if (services > 0)
    out.push_back(
        std::to_string(services) + (services == 1 ? " service" : " services") +
        " NOT TESTED: of an attached deployment runtimes, edge and dashboard are looked at");
  return out;
}

}  // namespace

std::string new_run_id() { return random_hex(4); }

Result<LocalTree> local_tree(const plan::Plan& plan, const render::Blueprints& blueprints) {
  if (!plan.targets.local.value)
    return fail("the spec has switched target local off", "remove `local: false` below targets");
  const auto artifacts = render::render(plan, blueprints, {render::Target::local});
  if (!artifacts) return tl::unexpected(artifacts.error());
  LocalTree tree;
  static constexpr std::string_view prefix = "local/";
  for (const auto& artifact : *artifacts) {
    // Documents say their commands from where they were generated.
    if (artifact.path.starts_with(prefix) && !artifact.path.ends_with(".md"))
      tree[artifact.path.substr(prefix.size())] = artifact.bytes;
  }
  return tree;
}

Result<std::map<std::string, std::string>> compose_files(const plan::Plan& plan,
                                                         const render::Blueprints& blueprints) {
  if (!plan.targets.compose.value)
    return fail("the spec has switched target compose off",
                "remove `compose: false` below targets");
  const auto artifacts =
      render::render(plan, blueprints, {render::Target::docker, render::Target::compose});
  if (!artifacts) return tl::unexpected(artifacts.error());
  std::map<std::string, std::string> files;
  for (const auto& artifact : *artifacts) files[artifact.path] = artifact.bytes;
  return files;
}

LocalOptions local_options(const plan::Plan& plan, const Subject& subject,
                           const std::filesystem::path& state) {
  return {.state = state,
          .spec_directory = std::filesystem::path(subject.path).parent_path(),
          .token_key = token_key_of(plan),
          .origin = {.target = "local",
                     .name = plan.name.value,
                     .version = plan.version.value,
                     .environment = subject.environment}};
}

std::size_t ports_of(const plan::Plan& plan) {
  std::size_t count = 2;
  for (const auto& instance : plan.instances) count += instance.ports.size();
  return count;
}

Result<std::uint16_t> free_ports(const plan::Plan& plan) {
  const std::size_t needed = ports_of(plan);
  for (int attempt = 0; attempt < 200; ++attempt) {
    const auto random = static_cast<std::uint32_t>(std::stoul(random_hex(3), nullptr, 16));
    // Below the ephemeral ports, so that no outgoing connection takes one of them meanwhile.
    const auto first = static_cast<std::uint16_t>(20'000 + random % 12'000);
    bool all = true;
    for (std::size_t i = 0; all && i < needed; ++i)
      all = can_listen(static_cast<std::uint16_t>(first + i));
    if (all) return first;
  }
  return fail("no " + std::to_string(needed) + " free ports in a row between 20000 and 32000");
}

Result<RunReport> run_on(const plan::Plan& plan, const RunningStack& stack,
                         const RunOptions& options) {
  const auto started = std::chrono::steady_clock::now();
  RunReport report{.run = new_run_id(),
                   .deployment = plan.name.value,
                   .version = plan.version.value,
                   .environment = plan.environment,
                   .target = stack.target,
                   .attached = stack.attached,
                   .tool_version = CAISSON_VERSION,
                   .plan_digest = sha256_hex(render::to_json(render::plan_tree(plan))),
                   .level = options.level,
                   .started = rfc3339_seconds(unix_ms_now() / 1000),
                   .require_all = options.require_all};
  auto journal = Journal::open(options.journal, report.run, journal_ttl_seconds);
  if (!journal) return tl::unexpected(journal.error());
  Arena arena(plan, stack, report.run, options.level, *journal);
  if (auto ready = provision(arena)) {
    run_probes(arena,
               {.level = options.level, .filter = options.filter, .finished = options.finished},
               report);
    for (std::string& tier : tiers_left_out(arena)) report.notes.push_back(std::move(tier));
    for (std::string& left : instances_left_out(plan, stack))
      report.notes.push_back(std::move(left));
  } else if (stack.attached.empty()) {
    static_cast<void>(clean_up(stack, *journal));
    return tl::unexpected(ready.error());
  } else {
    // It is not the harness's to repair: that nothing could be shown is what the run has found.
    report.probes.push_back({.id = "GUARD",
                             .title = "two tenants of the run can be made and served",
                             .resource = Resource::supply,
                             .verdict = Verdict::inconclusive,
                             .reason = arena.redact(ready.error().text())});
    report.notes.emplace_back("no probe ran");
    if (options.finished) options.finished(report.probes.back());
  }
  for (const std::string& left : clean_up(stack, *journal)) {
    report.notes.push_back("not cleaned up: " + left + "; run `caisson sweep`");
  }
  report.elapsed_us = std::chrono::duration_cast<std::chrono::microseconds>(
                          std::chrono::steady_clock::now() - started)
                          .count();
  return report;
}

}  // namespace caisson::conformance

#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "conformance/commands.h"
#include "conformance/stack/local.h"
#include "conformance/stack/running.h"
#include "conformance/verdict/result.h"
#include "generator/plan/plan.h"

namespace caisson::conformance {

/// The files of target `local` by their path below `local/`, but for those that people read.
[[nodiscard]] Result<LocalTree> local_tree(const plan::Plan& plan,
                                           const render::Blueprints& blueprints);

/// The files of targets `compose` and `docker` by their path.
[[nodiscard]] Result<std::map<std::string, std::string>> compose_files(
    const plan::Plan& plan, const render::Blueprints& blueprints);

/// How `up_local` starts a plan.
[[nodiscard]] LocalOptions local_options(const plan::Plan& plan, const Subject& subject,
                                         const std::filesystem::path& state);

/// How many consecutive ports a local stack of this plan may use, one more than it does.
[[nodiscard]] std::size_t ports_of(const plan::Plan& plan);

/// The first of enough consecutive free ports on the loopback interface for the plan's local stack.
[[nodiscard]] Result<std::uint16_t> free_ports(const plan::Plan& plan);

struct RunOptions {
  int level = 2;
  bool require_all = false;
  std::string filter{};
  std::filesystem::path journal{};  ///< directory of the cleanup journal
  std::function<void(const ProbeResult&)> finished{};
};

/// Provisions, runs the probes, cleans up. Fails when no tenant could be made ready; then
/// everything made is removed.
[[nodiscard]] Result<RunReport> run_on(const plan::Plan& plan, const RunningStack& stack,
                                       const RunOptions& options);

/// A short random id for a run: lower-case letters and digits, fit for slugs and collections.
[[nodiscard]] std::string new_run_id();

}  // namespace caisson::conformance

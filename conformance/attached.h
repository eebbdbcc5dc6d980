#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "conformance/stack/running.h"
#include "generator/plan/plan.h"

// Deployments that somebody else started and that are in use.
namespace caisson::conformance {

/// The deployment that a site.json leads to, as the plan knows it. Nothing is asked of it.
[[nodiscard]] Result<RunningStack> attach_site(const plan::Plan& plan,
                                               const std::filesystem::path& site);

/// Asks the edge whether it lets anything in. One that does not, as during an update, is left out
/// of the stack, which then says why: what is behind it can be attacked all the same.
void leave_out_closed_edge(RunningStack& stack);

/// Where the journals of runs against the site are kept: one state directory a site.json.
[[nodiscard]] std::filesystem::path state_of_site(const std::string& deployment,
                                                  const std::filesystem::path& site);

/// Makes that directory and notes in it which site.json it is of, so that whoever finds it can
/// sweep it.
[[nodiscard]] Result<void> keep_site(const std::filesystem::path& state,
                                     const std::filesystem::path& site);

/// Removes the directory when no journal is in it.
void drop_site(const std::filesystem::path& state);

/// The site.json that a state directory is of; empty when it is a stack's.
[[nodiscard]] std::filesystem::path site_in(const std::filesystem::path& state);

}  // namespace caisson::conformance

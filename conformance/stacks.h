#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "conformance/commands.h"
#include "conformance/stack/origin.h"
#include "conformance/stack/running.h"
#include "generator/plan/plan.h"

// The stacks of `up`: where each is, which spec it is of, and how it is started and stopped.
namespace caisson::conformance {

/// Where the files of a spec's stack are. By default no two files, environments or targets share
/// a directory, whatever name they give the deployment.
[[nodiscard]] std::filesystem::path state_of(const plan::Plan& plan, const Subject& subject,
                                             const StackOptions& options);

/// What stops a stack again, with everything that says which one it is.
[[nodiscard]] std::string down_command(const Subject& subject, const StackOptions& options);

/// What stops the stack of a directory, which says of itself where it is from. Without the
/// directory the command of one that was renamed since would lead elsewhere.
[[nodiscard]] std::string down_of(const std::filesystem::path& state, const Origin& origin);

/// Whether there is a stack that somebody may want, running or not: what a run that was killed has
/// left of its own is none.
[[nodiscard]] bool stands(const std::filesystem::path& state);

/// Generates the stack and starts it. Refuses a directory with the stack of another file, running
/// or not. `owned`: it is there for this run alone.
[[nodiscard]] Result<RunningStack> start_stack(const plan::Plan& plan, const Subject& subject,
                                               const StackOptions& options, const Output& output,
                                               bool owned);

/// The stack as it runs. Fails when anything that it was made from is not what this spec generates,
/// or when it does not run as a whole; then says the commands that lead to one that does.
[[nodiscard]] Result<RunningStack> attach_stack(const plan::Plan& plan, const Subject& subject,
                                                const StackOptions& options);

/// Stops the stack and removes its data. Refuses that of another file as long as this is there; of
/// another environment or name it says whose it is.
[[nodiscard]] Result<void> stop_stack(const plan::Plan& plan, const Subject& subject,
                                      const StackOptions& options, const Output& output);

/// The same without a plan: what the file, as `path` names it, started with the environment. Fails
/// when nothing that stands says so of itself, and stops none of several that do; then says the
/// commands that stop what the file has started.
[[nodiscard]] Result<void> stop_unread(const std::string& path, const std::string& environment,
                                       const StackOptions& options, const Output& output);

}  // namespace caisson::conformance

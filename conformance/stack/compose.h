#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "conformance/stack/origin.h"
#include "conformance/stack/running.h"
#include "generator/plan/plan.h"

namespace caisson::conformance {

struct ComposeOptions {
  std::filesystem::path state{};
  std::filesystem::path
      spec_directory{};  ///< builds of services and secrets from files are relative to it
  std::filesystem::path runtime{};  ///< the static caisson-runtime that images are built from
  bool owned = false;               ///< by this program: `caisson sweep` removes it afterwards
  Origin origin{};                  ///< noted with the digest of the files
  std::string stop_with = "caisson down --target compose";  ///< what stops a project that is there
  std::function<void(const std::string&)> progress{};
};

/// Writes the generated project (`files` by their path, below `compose/` and `docker/`) into the
/// state directory, makes its secrets, and runs `docker compose up --build --wait`. When that fails
/// or the user interrupts, everything is taken down again. The project has a name of its own, so
/// that neither another stack nor a deployment of this name is touched. Needs docker with the
/// compose plugin.
[[nodiscard]] Result<RunningStack> up_compose(const plan::Plan& plan,
                                              const std::map<std::string, std::string>& files,
                                              const ComposeOptions& options);

/// The containers of a project that `up_compose` started. They are spoken to at their own
/// addresses, which a Linux host reaches even in internal networks.
[[nodiscard]] Result<RunningStack> attach_compose(const plan::Plan& plan,
                                                  const std::filesystem::path& state);

/// `docker compose down` with its volumes and images of its own, then removes the state directory.
[[nodiscard]] Result<void> down_compose(
    const std::filesystem::path& state,
    const std::function<void(const std::string&)>& progress = {});

}  // namespace caisson::conformance

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conformance/stack/running.h"
#include "generator/plan/plan.h"

namespace caisson::conformance {

/// `site.json` as docs/conformance.md describes it: where a deployment that runs is reached.
struct SiteDescription {
  struct Runtime {
    std::string name{};
    Endpoint data{};
    Endpoint operator_api{};
    std::filesystem::path operator_token_file{};
    std::optional<Endpoint> metrics{};
  };

  std::string deployment{};
  std::string target{};  ///< "local", "compose", "systemd" or "helm"
  std::vector<Runtime> runtimes{};
  std::optional<Endpoint> edge{};
  std::optional<Endpoint> dashboard{};
};

/// Relative paths in it are relative to `directory`. Every defect is told at once, with its JSON
/// pointer and what belongs there. Values are not repeated: one of them may be a token that was put
/// where its file's name belongs.
[[nodiscard]] Result<SiteDescription> parse_site(std::string_view json,
                                                 const std::filesystem::path& directory);

/// Reads a description and the tokens that it names. Nothing is asked of the deployment.
[[nodiscard]] Result<RunningStack> read_site(const std::filesystem::path& file);

/// Tells `stack` what the plan knows of its instances. Fails when the description is of another
/// deployment, when it names a runtime that the plan has not, or when no two tenants can be made
/// there and get a credential.
[[nodiscard]] Result<void> fit_to_plan(RunningStack& stack, const plan::Plan& plan);

}  // namespace caisson::conformance

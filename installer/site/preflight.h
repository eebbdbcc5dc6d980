#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "installer/site/claims.h"
#include "installer/site/store.h"
#include "installer/verify/bundle.h"

namespace caisson::installer {

/// What the generated units need of systemd, as their README.md says.
inline constexpr std::uint64_t kOldestSystemd = 250;

/// One thing that a release needs of this host.
struct Requirement {
  std::string what;   ///< "bytes in /opt/shop"
  std::string needs;  ///< fit for a person
  std::string has;
  bool met = false;
  Code code = Code::host_lacks;  ///< what it is refused with
};

/// What is installed, and its data.
struct Installed {
  const Disk& system;                      ///< the disk of "/"
  const StagedRelease* release = nullptr;  ///< null for none
  const Disk* data = nullptr;
  Standing standing = Standing::fresh;
  Form form = Form::systemd;  ///< in which the release is to run
};

/// What this host has to have before anything of a bundle is written to it. Writes nothing.
[[nodiscard]] Checked<std::vector<Requirement>> preflight(Host& host, const Installed& installed,
                                                          const VerifiedBundle& bundle);

/// The table for a person.
[[nodiscard]] std::string table_of(const std::vector<Requirement>& requirements);

/// The first requirement that is not met, as a refusal.
[[nodiscard]] std::optional<Refusal> fault_of(const std::vector<Requirement>& requirements);

}  // namespace caisson::installer

#pragma once

#include <chrono>
#include <string>

#include "installer/site/store.h"

namespace caisson::installer {

/// Whether every runtime of a release answers as it should, within this time.
[[nodiscard]] Checked<void> check_health(const Premises& premises, const StagedRelease& release,
                                         std::chrono::seconds patience = std::chrono::seconds(60));

/// Brings the data of every runtime to what a release writes (`Code::not_migrated`).
[[nodiscard]] Checked<void> migrate(const Premises& premises, const StagedRelease& release);

/// What is known of the walls between tenants.
struct Isolation {
  bool probed = false;
  std::string remark;  ///< why it was not, or what was found
};

/// Runs `caisson conform`, told all but where its report goes, and once more when it cannot tell;
/// the report is kept below `gate`. It ends as `probe_isolation` does.
[[nodiscard]] Checked<Isolation> run_probes(const Premises& premises, Command command);

/// Runs the isolation probes that a release carries against the deployment as it runs. A leak is
/// `Code::leaking`, a probe that cannot tell, twice, `Code::not_well`.
[[nodiscard]] Checked<Isolation> probe_isolation(const Premises& premises,
                                                 const StagedRelease& release);

}  // namespace caisson::installer

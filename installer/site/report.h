#pragma once

#include "installer/site/probation.h"
#include "installer/site/tree.h"
#include "installer/verify/content.h"

namespace caisson::installer {

/// What was checked of a release before it was committed.
struct Evidence {
  const VerifiedBundle& bundle;
  const Totals& totals;      ///< as it came off the medium
  const TreeSum& installed;  ///< as it was read from this host's disk afterwards
  const Isolation& isolation;
};

/// Writes install-report.txt and install-report.json into the directory of a release: who has
/// signed it, what was hashed, and what was not checked.
[[nodiscard]] Checked<void> write_report(const Premises& premises, const StagedRelease& release,
                                         const Evidence& evidence);

}  // namespace caisson::installer

#pragma once

#include <string_view>

#include "installer/format/journal.h"

namespace caisson::installer {

// Which release may follow which.

/// Refuses an update to a release that was rolled back on this site, unless it is wanted `again`,
/// and to one that does not read the data of the installed release.
[[nodiscard]] Checked<void> check_successor(const Journal& journal, const Manifest& installed,
                                            std::string_view to, const Manifest& next, bool again);

/// Refuses to go back to a release that does not read the data of the installed one: those are what
/// the newest of the two has written.
[[nodiscard]] Checked<void> check_predecessor(const Manifest& installed, const Manifest& older);

/// A release was rolled back for this; it counts as the newest that was.
void remember_refused(Journal& journal, std::string_view release, Code why);

void forget_refused(Journal& journal, std::string_view release);

}  // namespace caisson::installer

#pragma once

#include <string_view>

#include "installer/format/journal.h"
#include "installer/format/moves.h"

namespace caisson::installer {

// Which release may follow which.

/// A release that is to follow the installed one, and what is accepted of it.
struct Successor {
  std::string_view release;  ///< its name
  const Manifest& manifest;
  bool again = false;  ///< also when it was tried here and rolled back
  /// What may move; null where it is staged alone, and nothing moves yet.
  const AcceptedMoves* moves = nullptr;
};

/// Refuses an update to a release that was rolled back on this site, to one that does not read the
/// data of the installed release, and to one that looks for them elsewhere (`check_moves`).
[[nodiscard]] Checked<void> check_successor(const Journal& journal, const Manifest& installed,
                                            const Successor& next);

/// Refuses to go back to a release that does not read the data of the installed one, which are what
/// the newest of the two has written, and to one that looks for them elsewhere.
[[nodiscard]] Checked<void> check_predecessor(const Manifest& installed, const Manifest& older,
                                              Form form, const AcceptedMoves& moves);

/// A release was rolled back for this; it counts as the newest that was.
void remember_refused(Journal& journal, std::string_view release, Code why);

void forget_refused(Journal& journal, std::string_view release);

}  // namespace caisson::installer

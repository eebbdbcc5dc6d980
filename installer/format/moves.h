#pragma once

#include <set>
#include <string>
#include <vector>

#include "installer/format/form.h"
#include "installer/format/manifest.h"

namespace caisson::installer {

/// What somebody takes along or has given up: "tenant/globex", "volume/files-data".
using AcceptedMoves = std::set<std::string, std::less<>>;

/// Something whose data a release looks for in another place than the release before.
struct Move {
  std::string what;
  std::string from;
  std::string to;
};

/// What moves when `after` takes the place of `before` in a form. A release that says no places
/// moves nothing: nobody knows.
[[nodiscard]] std::vector<Move> moves_of(const Manifest& before, const Manifest& after, Form form);

/// Refuses that `after` takes the place of `before` where something moves that is not accepted, or
/// what is accepted does not move.
[[nodiscard]] Checked<void> check_moves(const Manifest& before, const Manifest& after, Form form,
                                        const AcceptedMoves& accepted);

}  // namespace caisson::installer

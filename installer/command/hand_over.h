#pragma once

#include <string>
#include <vector>

#include "installer/command/command.h"

namespace caisson::installer {

/// Whether a site has kept roots of its own, which hold whatever a command names.
enum class Trust { as_named, as_kept };

/// Hands a command line over to the caisson-install that a bundle brings, where the bundle is of a
/// newer format than this one reads and is signed for this site: product, processor, sequence and
/// the program's digest stand in the first lines of MANIFEST, which are the same in every format.
/// Returns in every other case, and what reads the bundle then says why it refuses it. A process
/// without a network verifies the bundle; the program that goes on runs from memory, as it was
/// verified. Once only: what was handed over is not handed over again.
void hand_over(const Request& request, Trust trust, const std::vector<std::string>& arguments);

}  // namespace caisson::installer

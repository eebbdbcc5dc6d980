#pragma once

#include <string>
#include <vector>

#include "generator/bundle/create.h"
#include "installer/format/sums.h"

namespace caisson::bundle {

/// One line: an in-toto Statement v1 with SLSA provenance v1 of these files. Holds nothing of where
/// and when.
[[nodiscard]] std::string provenance(const Recipe& recipe,
                                     const std::vector<installer::Sum>& subjects);

}  // namespace caisson::bundle

#pragma once

#include <string>
#include <vector>

#include "installer/site/change.h"

namespace caisson::installer {

// What a change would do, a line each. Nothing is written; what would be refused is refused.

[[nodiscard]] Checked<std::vector<std::string>> forecast_roll_back(const Premises& premises);
[[nodiscard]] Checked<std::vector<std::string>> forecast_uninstall(const Premises& premises,
                                                                   bool keep_data);

}  // namespace caisson::installer

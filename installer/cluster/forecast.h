#pragma once

#include <string>
#include <vector>

#include "installer/cluster/premises.h"

namespace caisson::installer {

// What a change in a cluster would do, a line each. Nothing is changed, neither here nor there;
// what would be refused is refused.

[[nodiscard]] Checked<std::vector<std::string>> forecast_roll_back_chart(ClusterPremises& premises);
[[nodiscard]] Checked<std::vector<std::string>> forecast_uninstall_chart(ClusterPremises& premises,
                                                                         bool keep_data);

}  // namespace caisson::installer

#pragma once

#include <string>

namespace caisson::cli {

/// Today's date in UTC, "YYYY-MM-DD".
[[nodiscard]] std::string today();

}  // namespace caisson::cli

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace caisson::cli {

/// "; did you mean 'generate'?" when one of `known` is close enough to `word`, otherwise nothing.
[[nodiscard]] std::string hint(std::string_view word, const std::vector<std::string>& known);

}  // namespace caisson::cli

#pragma once

#include <cstddef>

namespace caisson::source {

/// Columns that a terminal gives the scalar: 0 for combining marks, 2 for East Asian wide and
/// emoji.
[[nodiscard]] std::size_t terminal_width(char32_t scalar);

}  // namespace caisson::source

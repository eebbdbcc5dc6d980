#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "generator/source/source_file.h"

namespace caisson::spec {

/// Where lines of the text are indented with tabs that YAML refuses: from the first tab to what the
/// line says. Inside block scalars, quotes and brackets, and before comments, tabs are legal.
[[nodiscard]] std::vector<source::Span> tabs_in_indentation(std::string_view text,
                                                            std::uint32_t file);

}  // namespace caisson::spec

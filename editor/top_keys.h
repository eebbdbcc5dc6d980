#pragma once

#include <string_view>

namespace caisson::editor {

/// Whether a text has the key at its top level by the looks of it, quoted or not: at the beginning
/// of a line, or in the braces that the text begins with, as in JSON.
[[nodiscard]] bool has_top_key(std::string_view text, std::string_view key);

}  // namespace caisson::editor

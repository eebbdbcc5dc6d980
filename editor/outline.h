#pragma once

#include <cstdint>
#include <string_view>

#include "generator/spec/document.h"

namespace caisson::editor {

/// What a text says as far as can be told: the tree of a document that `spec::read_document`
/// refuses because somebody is in the middle of typing it. Never fails: a line that makes no sense
/// becomes a key without a value, and a bracket that is never closed ends where the lines step back
/// to the keys around it. Keys and values have their exact places; escapes are not resolved, and a
/// key may be given twice. Nothing below 64 levels.
[[nodiscard]] spec::Node outline(std::string_view text, std::uint32_t file);

}  // namespace caisson::editor

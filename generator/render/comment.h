#pragma once

#include <string>
#include <string_view>

namespace caisson::render {

/// `text` as '#' comment lines, for every format that has them. Control characters become blanks,
/// so that nothing of a comment can leave it.
[[nodiscard]] std::string comment_lines(std::string_view text);

}  // namespace caisson::render

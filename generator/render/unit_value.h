#pragma once

#include <string_view>

namespace caisson::render {

/// What a kind of schemas/systemd-kinds.yaml names as its `check`: what a regular expression does
/// not say of a value that has the kind's form. As systemd 252 takes them.
using UnitCheck = bool (*)(std::string_view text);

/// The check of that name; null when there is none.
[[nodiscard]] UnitCheck unit_check(std::string_view name);

/// Whether a directive's values are commands: lists of words. The others that begin with "Exec" are
/// lists of paths.
[[nodiscard]] bool is_command(std::string_view directive);

}  // namespace caisson::render

#pragma once

#include <string>
#include <string_view>

namespace caisson {

/// The text with everything that could steer a terminal or break a line replaced: tabs become one
/// space; other control characters, bidirectional ones, those that hide a text and invalid bytes
/// U+FFFD.
[[nodiscard]] std::string printable(std::string_view text);

/// Why a text may not stand on a line that people and machines read, or empty: it is not UTF-8, or
/// holds what `printable` replaces.
[[nodiscard]] std::string_view fault_of_line(std::string_view text);

/// Why a text may not be a name, which two people have to read alike, or empty: what
/// `fault_of_line` finds, or a character that is not seen (Default_Ignorable_Code_Point).
[[nodiscard]] std::string_view fault_of_name(std::string_view text);

}  // namespace caisson

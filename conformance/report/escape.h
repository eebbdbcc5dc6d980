#pragma once

#include <string>
#include <string_view>

namespace caisson::conformance {

/// Text for XML and HTML, in content and in quoted attributes. Bytes that XML 1.0 cannot carry
/// (controls, broken UTF-8) become U+FFFD.
[[nodiscard]] std::string escape_markup(std::string_view text);

/// The text with every byte that is no well-formed UTF-8 replaced by U+FFFD, as JSON needs it.
[[nodiscard]] std::string well_formed(std::string_view text);

}  // namespace caisson::conformance

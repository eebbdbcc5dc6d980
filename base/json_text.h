#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace caisson {

/// Appends `text` as a JSON string with its quotes. Control characters are escaped, so no value can
/// forge a field or a line; invalid UTF-8 becomes U+FFFD; U+2028 and U+2029 are escaped. At most
/// `limit` bytes of `text` are used, cut at a character, and a cut is shown by a trailing U+2026.
void append_json_string(std::string& out, std::string_view text,
                        std::size_t limit = std::string_view::npos);

/// `text` as a JSON string, with its quotes.
[[nodiscard]] std::string json_string(std::string_view text);

}  // namespace caisson

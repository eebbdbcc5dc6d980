#pragma once

#include <string>
#include <string_view>

namespace caisson::render {

/// FNV-1a, 64 bits, in hexadecimal: tells whether bytes changed. Not for security.
[[nodiscard]] std::string fingerprint(std::string_view bytes);

}  // namespace caisson::render

#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace caisson {

/// Bytes of a label of DNS at most (RFC 1035, section 2.3.4).
inline constexpr std::size_t longest_label = 63;

/// Whether `text` is a label of DNS in lower case (RFC 1123, section 2.1), of `longest` bytes at
/// most: letters and digits, and '-' between them.
[[nodiscard]] constexpr bool is_label(std::string_view text, std::size_t longest = longest_label) {
  return !text.empty() && text.size() <= longest && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

}  // namespace caisson

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace caisson {

/// The candidate that a person who wrote `word` most likely meant, or empty.
[[nodiscard]] std::string_view closest(std::string_view word,
                                       std::span<const std::string_view> candidates);

/// "did you mean 'x'?" for the closest candidate, else "one of a, b, c" for a few candidates, else
/// empty.
[[nodiscard]] std::string suggest(std::string_view word,
                                  std::span<const std::string_view> candidates);

/// "a, b or c"
[[nodiscard]] std::string any_of(std::span<const std::string_view> words);

}  // namespace caisson

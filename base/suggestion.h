#pragma once

#include <span>
#include <string>
#include <string_view>

namespace caisson {

/// Whether a word, in letters of any case, says yes, or everything that there is: true, on, all.
[[nodiscard]] bool says_all(std::string_view word);

/// Whether it says no, or nothing: false, off, none, deny.
[[nodiscard]] bool says_nothing(std::string_view word);

/// The candidate that a person who wrote `word` most likely meant, or empty. A word that says all
/// or nothing is none that was misspelt: nothing but itself is meant by it.
[[nodiscard]] std::string_view closest(std::string_view word,
                                       std::span<const std::string_view> candidates);

/// "did you mean 'x'?" for the closest candidate, else "one of a, b, c" for a few candidates, else
/// empty.
[[nodiscard]] std::string suggest(std::string_view word,
                                  std::span<const std::string_view> candidates);

/// "a, b or c"
[[nodiscard]] std::string any_of(std::span<const std::string_view> words);

}  // namespace caisson

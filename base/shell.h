#pragma once

#include <string>
#include <string_view>

namespace caisson {

/// A word for a POSIX shell, in single quotes.
[[nodiscard]] std::string shell_word(std::string_view word);

/// The same as somebody types it: in single quotes where it has to be.
[[nodiscard]] std::string typed_word(std::string_view word);

}  // namespace caisson

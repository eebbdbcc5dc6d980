#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>
#include <tl/expected.hpp>

namespace caisson::context {

struct JsonError {
  std::string what;
  std::size_t line = 1;
  std::size_t column = 1;  ///< in bytes
};

/// Which numbers a text may have: those that are not too large for a double, or all.
enum class Numbers : std::uint8_t { doubles, any };

/// The one value that `text` holds (as JsonReader reads it, at most `levels` deep). An object that
/// has the same key twice, however it is spelt, is an error, because readers disagree on which one
/// counts, and so is a number that is too large for a double, unless `numbers` is `any`: it is
/// infinite then.
[[nodiscard]] tl::expected<boost::json::value, JsonError> parse_strict(
    std::string_view text, std::size_t levels = 32, Numbers numbers = Numbers::doubles);

/// As `parse_strict` with any numbers, for texts whose values are kept as they are written: all of
/// the text is checked, but of a list or object that lies `built` levels deep (0: the outermost)
/// only how deep it is itself is told, by empty lists inside one another. More than `most_members`
/// members and items above are an error. Needs little more than three times the text.
[[nodiscard]] tl::expected<boost::json::value, JsonError> parse_outline(std::string_view text,
                                                                        std::size_t levels,
                                                                        std::size_t built,
                                                                        std::size_t most_members);

}  // namespace caisson::context

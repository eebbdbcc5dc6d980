#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace caisson::render {

enum class Case : std::uint8_t { camel, snake, pascal };

/// `text` as an identifier: its letters and digits, the words of it (told apart by anything else
/// and by capitals) joined as `style` says. One that begins with a digit gets a '_' in front, and
/// one that is `reserved` gets one behind.
[[nodiscard]] std::string identifier(std::string_view text, Case style,
                                     std::span<const std::string_view> reserved);

/// Whether `text` may stand as it is where a name of a language is wanted: ASCII letters, digits
/// and
/// '_', not a digit first, not `reserved`.
[[nodiscard]] bool is_identifier(std::string_view text, std::span<const std::string_view> reserved);

/// Code, line by line.
class CodeLines {
 public:
  explicit CodeLines(std::size_t step) : step_(step) {}

  /// An empty text is an empty line.
  CodeLines& line(std::string_view text = {});
  CodeLines& indent() { return ++depth_, *this; }
  CodeLines& dedent() { return --depth_, *this; }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::size_t step_;
  std::size_t depth_ = 0;
  std::string text_;
};

}  // namespace caisson::render

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "generator/source/source_file.h"

namespace caisson::editor {

/// What `Position::character` counts, as client and server have agreed ("positionEncoding").
enum class Encoding : std::uint8_t { utf8, utf16, utf32 };

/// A place as the protocol says it: line and character, both from 0.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t character = 0;

  friend bool operator==(const Position&, const Position&) = default;
  friend auto operator<=>(const Position&, const Position&) = default;
};

struct Range {
  Position start;
  Position end;

  friend bool operator==(const Range&, const Range&) = default;
};

/// A text with its lines. Lines end with "\n", "\r\n" or "\r"; a byte order mark is a character
/// like others, because it is one in the client's document. Looking up a place takes logarithmic
/// time, also in a line of megabytes.
class Text {
 public:
  Text() : Text(std::string()) {}
  explicit Text(std::string bytes);

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  /// At least one: a text without line breaks is one line.
  [[nodiscard]] std::size_t lines() const { return starts_.size(); }

  /// The byte at the position. What lies behind a line is its end, what lies behind the text is the
  /// text's end, and what lies inside a character is its beginning.
  [[nodiscard]] std::uint32_t offset(Position position, Encoding encoding) const;
  /// The position of a byte; of one inside a character, that of the character.
  [[nodiscard]] Position position(std::size_t offset, Encoding encoding) const;
  [[nodiscard]] Range range(source::Span span, Encoding encoding) const;
  /// The line (from 0) without its line break; empty past the end.
  [[nodiscard]] std::string_view line(std::size_t number) const;
  [[nodiscard]] std::size_t line_at(std::size_t offset) const;

  /// Replaces what is between the two positions of the range, whichever comes first.
  void replace(const Range& range, Encoding encoding, std::string_view replacement);

 private:
  void index();
  [[nodiscard]] std::size_t line_end(std::size_t number) const;
  [[nodiscard]] std::size_t units_before(std::size_t offset, Encoding encoding) const;

  std::string bytes_;
  std::vector<std::uint32_t> starts_;
  /// Characters and code units of UTF-16 before every block of bytes.
  std::vector<std::uint32_t> characters_;
  std::vector<std::uint32_t> units_;
};

}  // namespace caisson::editor

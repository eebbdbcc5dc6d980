#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace caisson::source {

/// A half-open byte range `[begin, end)` in the source file numbered `file`. Line and column are
/// computed only when somebody prints them.
struct Span {
  std::uint32_t file = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  friend bool operator==(const Span&, const Span&) = default;
};

/// One-based line and column; columns count Unicode scalar values, so that an editor jumps to the
/// place.
struct Position {
  std::size_t line = 1;
  std::size_t column = 1;

  friend bool operator==(const Position&, const Position&) = default;
};

/// A text that diagnostics can point into: the spec, an overlay, a tenant list, a module manifest.
class SourceFile {
 public:
  SourceFile(std::string name, std::string text);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] Position position(std::uint32_t offset) const;
  /// The line (one-based) of `offset`: `position` without the cost of the column.
  [[nodiscard]] std::size_t line_at(std::uint32_t offset) const;
  /// The line (one-based) without its line break and byte order mark; empty past the end.
  [[nodiscard]] std::string_view line(std::size_t number) const;

 private:
  [[nodiscard]] const std::vector<std::uint32_t>& line_starts() const;
  [[nodiscard]] std::size_t scalars_before(std::size_t offset) const;

  std::string name_;
  std::string text_;
  mutable std::vector<std::uint32_t> line_starts_;  ///< filled on first use
  /// Scalar values before every block of the text, filled on first use: lines of megabytes exist.
  mutable std::vector<std::uint32_t> scalar_counts_;
};

/// Every text of one run; `Span::file` indexes it.
using SourceSet = std::vector<SourceFile>;

}  // namespace caisson::source

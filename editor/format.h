#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "generator/source/source_file.h"
#include "generator/spec/document.h"

namespace caisson::editor {

/// What takes the place of a range of a text.
struct Edit {
  source::Span place;
  std::string text;

  friend bool operator==(const Edit&, const Edit&) = default;
};

/// The text with the edits made. Their places do not overlap.
[[nodiscard]] std::string apply(std::string_view text, std::vector<Edit> edits);

/// The document that the text is; empty when it has mistakes.
[[nodiscard]] std::optional<spec::Node> read_without_mistakes(std::string text);

/// Whether two documents say the same, in the same order and with the same quotes, wherever it
/// stands.
[[nodiscard]] bool says_the_same(const spec::Node& a, const spec::Node& b);

/// Lays a spec out: two blanks a level, one behind ':', '-' and ',', `{ a: 1 }` and `[a, b]`, no
/// blanks at the end of a line, no two empty lines in a row, one kind of line break. Comments,
/// quotes, the order of keys and what stands on which line stay. One edit for each line that
/// changes. A text that cannot be read as a spec's document, or that would not say the same
/// afterwards, is left alone. Laying out twice changes nothing more.
[[nodiscard]] std::vector<Edit> format(std::string_view text);

}  // namespace caisson::editor

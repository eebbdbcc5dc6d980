#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "editor/project.h"
#include "generator/source/source_file.h"

namespace caisson::editor {

/// Something that can be written at the cursor.
struct Proposal {
  enum class Kind : std::uint8_t { key, word, name, value };
  Kind kind = Kind::key;
  std::string label;
  std::string text;           ///< what takes the place of `Proposals::replaced`
  std::string detail;         ///< one line: type and default
  std::string documentation;  ///< Markdown
  bool first = false;         ///< a required key: above the others
};

struct Proposals {
  source::Span replaced;  ///< the word at the cursor, as far as it is written
  std::vector<Proposal> proposals;
};

/// What can be written at the offset of the part `file`, by the text up to there; what follows only
/// tells which keys there are already. The document need not parse.
[[nodiscard]] Proposals complete(const Project& project, std::uint32_t file, std::uint32_t offset);

/// A field for people, in Markdown: meaning, type, default, and what targets do not do exactly.
/// `path` is the field's, as in the loss table.
[[nodiscard]] std::string describe_field(const spec::Field& field, std::string_view path);

}  // namespace caisson::editor

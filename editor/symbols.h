#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "editor/project.h"
#include "generator/source/source_file.h"

namespace caisson::editor {

/// An entry of the outline that an editor shows.
struct Symbol {
  enum class Kind : std::uint8_t { section, tier, tenant, service, secret, environment, field };
  Kind kind = Kind::field;
  std::string name;
  std::string detail;
  source::Span whole;
  source::Span name_place;  ///< within `whole`
  std::vector<Symbol> children;
};

/// Sections, what has a name in them, and its fields.
[[nodiscard]] std::vector<Symbol> symbols_of(const Part& part);

/// A range of lines that can be folded: from `first` to `last`, both from 0.
struct Fold {
  std::size_t first = 0;
  std::size_t last = 0;
  bool comment = false;

  friend bool operator==(const Fold&, const Fold&) = default;
};

/// Maps and lists of several lines, and blocks of comments.
[[nodiscard]] std::vector<Fold> folds_of(const Part& part, std::string_view text);

}  // namespace caisson::editor

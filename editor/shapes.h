#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "generator/spec/document.h"
#include "generator/spec/field.h"

namespace caisson::editor {

/// The shape that a value of this kind has: of a choice the one that fits, of a partial spec that
/// of a spec. Never null for a shape that is not null.
[[nodiscard]] const spec::Shape* shape_for(const spec::Shape* shape, const spec::Node& node);

/// The first of the shapes that a value may have which is a map of fields or of names; null when
/// none is.
[[nodiscard]] const spec::Shape* map_shape(const spec::Shape* shape);

/// What stands at a place of a document, and what the language says about it.
struct Spot {
  const spec::Node* node = nullptr;    ///< the value
  const spec::Shape* shape = nullptr;  ///< of the value; null: the language has none there
  const spec::Field* field = nullptr;  ///< of the nearest key that the language knows
  const spec::Entry* entry = nullptr;  ///< whose key or value it is; null in a list
  const spec::Node* around = nullptr;  ///< the map or list that it stands in; null: the document
  const spec::Shape* around_shape = nullptr;
  std::string pointer;     ///< into the document (RFC 6901)
  std::string field_path;  ///< "services.*.egress"; names of maps are `*`, items of lists nothing
};

using Visit = std::function<void(const Spot&)>;

/// Visits every value of a document from the outside in, each with what the language says of it.
void walk(const spec::Node& document, const spec::Shape& shape, const Visit& visit);

/// A value and where in it a place is.
struct Found {
  Spot spot;
  bool on_key = false;  ///< on the key of `spot.entry`, not on the value
};

/// The innermost value whose place, or whose key's place, holds the offset. The end of a place
/// belongs to it, so that a cursor behind a word is on it.
[[nodiscard]] std::optional<Found> spot_at(const spec::Node& document, const spec::Shape& shape,
                                           std::uint32_t offset);

}  // namespace caisson::editor

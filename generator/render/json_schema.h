#pragma once

#include <optional>
#include <string>

#include "generator/render/node.h"

namespace caisson::render {

/// What a schema refuses of a value.
struct SchemaFault {
  std::string at;      ///< pointer into the value
  std::string what;    ///< "is no key here", "is text where a list belongs"
  std::string remedy;  ///< "did you mean 'restart'?", "the keys are a and b"; may be empty
};

/// Holds a value against a schema of JSON Schema draft 7: type, properties, patternProperties,
/// additionalProperties, required, items, minItems, uniqueItems, enum, minimum, exclusiveMinimum,
/// maximum, pattern, format (those of `value_format`), oneOf, anyOf and $ref to its own
/// definitions; other words of it say nothing here. The first fault in the order of the value; of
/// several forms, that of the one whose kind fits.
[[nodiscard]] std::optional<SchemaFault> fault_of(const Node& schema, const Node& value);

}  // namespace caisson::render

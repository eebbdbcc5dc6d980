#pragma once

#include <string>

#include "generator/spec/field.h"

namespace caisson::spec {

/// A type in words: "list of Slug", "integer 1 to 65535".
[[nodiscard]] std::string type_text(const Shape& shape);

/// What an absent key means: "required", "none", "`10s`" or a sentence.
[[nodiscard]] std::string default_text(const Field& field);

}  // namespace caisson::spec

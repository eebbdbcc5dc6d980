#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generator/spec/field.h"

namespace caisson::spec {

/// A field and its path in the language: "tiers.<name>.isolation", "tenants[].slug".
struct FieldPath {
  std::string path;
  const Field* field = nullptr;
};

/// Every field of the language in the order of the tables.
[[nodiscard]] const std::vector<FieldPath>& all_fields();

/// The paths that end in this key, for "it belongs in ..."; empty when there are none or too many.
[[nodiscard]] std::string places_of_key(std::string_view key);

}  // namespace caisson::spec

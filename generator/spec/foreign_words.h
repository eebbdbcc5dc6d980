#pragma once

#include <span>
#include <string_view>

namespace caisson::spec {

/// What to write instead of a word of Compose or Kubernetes where the keys `known` are: "it is
/// called 'env' here". Empty when it is none.
[[nodiscard]] std::string_view foreign_remedy(std::string_view word,
                                              std::span<const std::string_view> known);

}  // namespace caisson::spec

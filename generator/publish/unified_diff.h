#pragma once

#include <string>
#include <string_view>

namespace caisson::publish {

/// The two sides of a diff as the header lines name them; an empty name prints as `/dev/null`.
struct DiffNames {
  std::string_view before;
  std::string_view after;
};

/// The unified diff (three lines of context) that turns `before` into `after`, in the form that
/// `patch` and `git apply` accept; empty when they are equal. Texts with a NUL byte are only named.
///
/// Minimal by Myers' linear-space algorithm as long as a stretch needs at most 2,000 edits; beyond
/// that the stretch is printed as replaced, so that time stays bounded on unrelated texts.
///
/// `colour` is for terminals: lines are coloured and control characters made visible.
[[nodiscard]] std::string unified_diff(std::string_view before, std::string_view after,
                                       DiffNames names, bool colour = false);

}  // namespace caisson::publish

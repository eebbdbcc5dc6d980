#pragma once

#include <string>
#include <string_view>

namespace caisson::spec {

/// Whether `inner` is `outer` or a path below it.
[[nodiscard]] bool is_within(std::string_view inner, std::string_view outer);

/// The path without what says nothing: "//", "/./" and an ending '/'.
[[nodiscard]] std::string normal(std::string_view path);

}  // namespace caisson::spec

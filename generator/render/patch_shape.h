#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "generator/render/node.h"

namespace caisson::render {

/// A place where a patch left another kind of value than there was.
struct Misfit {
  std::string at;   ///< pointer into the file
  std::string was;  ///< "a map"
  std::string is;   ///< "text"
};

/// Compares the file at `path` before and after a patch: a map stays a map, a list a list and a
/// single value one. A directive of a unit file may become a list and back: it stands once or
/// several times.
[[nodiscard]] std::optional<Misfit> misfit(std::string_view path, const Node& before,
                                           const Node& after);

}  // namespace caisson::render

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "generator/render/node.h"

namespace caisson::render {

/// A directive of a proxy's configuration, in a Caddyfile or an nginx.conf: words, and a block when
/// it has directives.
struct Directive {
  std::vector<std::string> words;
  std::vector<Directive> block{};
  std::string comment{};  ///< lines above the directive
  Origin origin{};        ///< without one it is that of the directive around it
};

/// The comment of a directive and, without a line's end, its words as `word` writes each; indented
/// by `depth` tabs.
[[nodiscard]] std::string directive_line(const Directive& directive, std::size_t depth,
                                         std::string (*word)(std::string_view));

}  // namespace caisson::render

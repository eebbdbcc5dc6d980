#pragma once

#include <string>
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

}  // namespace caisson::render

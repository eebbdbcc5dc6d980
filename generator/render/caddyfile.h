#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generator/source/result.h"

namespace caisson::render {

/// A directive, a matcher or a site of a Caddyfile: words, and a block when it has directives.
struct Directive {
  std::vector<std::string> words;
  std::vector<Directive> block{};
  std::string comment{};  ///< lines above the directive
};

/// Writes top-level directives (global options first). Words are quoted where Caddy's lexer would
/// split them. A `{placeholder}` keeps its meaning, so words that come from a spec go through
/// `literal`.
[[nodiscard]] std::string to_caddyfile(const std::vector<Directive>& directives,
                                       std::string_view header);

/// `text` as a word without any meaning to Caddy. Fails on braces, which Caddy substitutes even
/// inside quotes, and on control characters.
[[nodiscard]] Result<std::string> literal(std::string_view text);

}  // namespace caisson::render

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "generator/render/directive.h"
#include "generator/render/text.h"

namespace caisson::render {

/// Writes top-level directives (global options first). Words are quoted where Caddy's lexer would
/// split them. A `{placeholder}` keeps its meaning, so words that come from a spec go through
/// `literal`. `origin` is what the file is written for.
[[nodiscard]] Text to_caddyfile(const std::vector<Directive>& directives, std::string_view header,
                                const Origin& origin);

/// `text` as a word without any meaning to Caddy. Fails on braces, which Caddy substitutes even
/// inside quotes, and on control characters.
[[nodiscard]] Result<std::string> literal(std::string_view text);

}  // namespace caisson::render

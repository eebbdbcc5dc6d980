#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "generator/render/directive.h"
#include "generator/render/text.h"

namespace caisson::render {

/// Writes directives as nginx reads them (ngx_conf_file.c): words are quoted where its lexer would
/// split or end them. A `$` begins a variable in every word. `origin` is what the file is written
/// for.
[[nodiscard]] Text to_nginx_conf(const std::vector<Directive>& directives, std::string_view header,
                                 const Origin& origin);

/// A value of the spec as a word of an nginx.conf. Fails when nginx would read it as a variable,
/// for which it has no escape, and on control characters.
[[nodiscard]] Result<std::string> nginx_literal(std::string_view text);

}  // namespace caisson::render

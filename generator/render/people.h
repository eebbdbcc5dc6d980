#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "generator/render/blueprints.h"
#include "generator/render/node.h"
#include "generator/render/text.h"

namespace caisson::render {

/// Fills a text for people from the mustache template `name` of the blueprints. `{{value}}` is safe
/// in Markdown text; `{{{value}}}` is the bare value, for code blocks and scripts. A section
/// `{{#value}}` is there when `data` has the value and it is not false. A line that is `{{>name}}`
/// stands for the lines of that blueprint. Fails when the template is broken. A line comes from its
/// line of the template and from the values in it.
[[nodiscard]] Result<Text> fill(const Blueprints& blueprints, std::string_view name,
                                const Node& data);

}  // namespace caisson::render

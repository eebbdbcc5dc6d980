#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "generator/render/mistake.h"
#include "generator/render/node.h"

namespace caisson::render {

/// Writes a tree as a systemd unit file (systemd.syntax(7)): a map of sections, each a map of
/// directives. A scalar is one line, a list one line an element. `Environment` is a map of
/// variables, each written as one quoted assignment; a directive whose name begins with `Exec` is
/// the list of one command's words, which no shell sees. Directives that take lists of paths are
/// written so that a path is one, whatever is in it.
///
/// Every value is data: `%`, and `$` in commands, are escaped, so that systemd expands nothing and
/// hands out exactly what the tree holds. Fails, naming the directive, on what a unit file cannot
/// say: control characters other than tab and line feed in quoted words, any in plain values,
/// blanks around a plain value, Unicode noncharacters, and lines above 1 MB. What of it comes from
/// the spec is a mistake there instead, one for each value, and its line is left out.
[[nodiscard]] Result<std::string> to_unit_file(const Node& tree, std::string_view header,
                                               std::vector<Mistake>& mistakes);

/// The pointer of what line `line` (from 1) of a unit file says, which was written from `tree`: of
/// a comment what follows it. Empty when nothing is at that line or after.
[[nodiscard]] std::string unit_line(const Node& tree, std::string_view text, std::size_t line);

/// One word for a line that systemd splits at blanks, as in sysusers.d(5) and tmpfiles.d(5): bare
/// where nothing can be mistaken, else in double quotes, with every `%` doubled. Fails as
/// `to_unit_file`; `what` names it then.
[[nodiscard]] Result<std::string> unit_word(std::string_view text, std::string_view what);

}  // namespace caisson::render

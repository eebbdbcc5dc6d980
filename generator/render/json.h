#pragma once

#include <string>

#include "generator/render/node.h"

namespace caisson::render {

/// Writes `document` as JSON (RFC 8259) for people to read: two spaces, and what fits on one line
/// of 100 columns stays on one line.
[[nodiscard]] std::string to_json(const Node& document);

/// One line, no spaces beyond one after ':' and ','.
[[nodiscard]] std::string to_json_line(const Node& document);

}  // namespace caisson::render

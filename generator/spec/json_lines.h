#pragma once

#include <cstdint>
#include <optional>

#include "generator/source/diagnostics.h"
#include "generator/source/source_file.h"
#include "generator/spec/document.h"

namespace caisson::spec {

/// Reads NDJSON, one RFC 8259 object a line, as a list of maps with their places. Stricter than RFC
/// 8259 where tools disagree: no key twice, no lone surrogate. Every line that is wrong is
/// reported. Expects text that has passed `check_text`.
[[nodiscard]] std::optional<Node> read_json_lines(const source::SourceFile& source,
                                                  std::uint32_t file,
                                                  source::Diagnostics& diagnostics);

}  // namespace caisson::spec

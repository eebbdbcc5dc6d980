#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "generator/source/diagnostics.h"
#include "generator/source/source_file.h"
#include "generator/spec/document.h"

namespace caisson::spec {

/// Reads RFC 4180 with a header: a list of maps. `columns` are the names a header may hold; a dot
/// in one opens a map, and the column `domains` is a list. Expects text that has passed
/// `check_text`.
[[nodiscard]] std::optional<Node> read_csv(const source::SourceFile& source, std::uint32_t file,
                                           std::span<const std::string> columns,
                                           source::Diagnostics& diagnostics);

}  // namespace caisson::spec

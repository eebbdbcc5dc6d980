#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "generator/source/diagnostics.h"
#include "generator/source/source_file.h"
#include "generator/spec/document.h"

namespace caisson::spec {

/// A tenant list beside the spec, as the list of maps that it would be under `tenants`; every node
/// has its place in that file. The name's ending decides: `.csv` or `.ndjson`.
///
/// CSV is RFC 4180 with a header of `tenant_columns()`; an empty cell is an absent key, and
/// `domains` are separated by blanks. NDJSON is one JSON object (RFC 8259) on each line. Blank
/// lines are passed over in both. Reports every bad row, and answers with the good ones; empty when
/// none can be used.
[[nodiscard]] std::optional<Node> read_tenant_file(const source::SourceFile& source,
                                                   std::uint32_t file,
                                                   source::Diagnostics& diagnostics);

/// The columns that a CSV list may have: keys of a tenant, nested ones as `limits.requests`.
[[nodiscard]] std::span<const std::string> tenant_columns();

}  // namespace caisson::spec

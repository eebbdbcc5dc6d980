#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "generator/source/diagnostics.h"
#include "generator/source/source_file.h"
#include "generator/spec/document.h"

namespace caisson::spec {

/// How far a text was read, for whoever puts it together of parts.
struct ReadTrace {
  std::size_t seen = 0;    ///< bytes from the beginning: what stands behind them had no influence
  std::size_t parsed = 0;  ///< where the last value begins that was come to; tokens may be further
  bool gave_up = false;    ///< what is wrong with the document kept the rest from being read
  bool syntax = false;     ///< because it is no YAML
  std::optional<Node> unfinished;  ///< given up without a result: the tree as far as it was read
};

/// `read_document`, telling how far it came.
[[nodiscard]] std::optional<Node> read_document(const source::SourceFile& source,
                                                std::uint32_t file,
                                                source::Diagnostics& diagnostics,
                                                const DocumentLimits& limits, ReadTrace& trace);

}  // namespace caisson::spec

#pragma once

#include <optional>

#include "generator/spec/spec.h"

namespace caisson::spec {

/// `load` of a spec that has been read before: `document` is what `read_document` makes of one of
/// `sources`.
[[nodiscard]] std::optional<Loaded> load(Node document, const LoadOptions& options,
                                         source::SourceSet& sources,
                                         source::Diagnostics& diagnostics);

}  // namespace caisson::spec

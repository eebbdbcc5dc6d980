#pragma once

#include <cstdint>
#include <optional>

#include "generator/source/diagnostics.h"
#include "generator/source/source_file.h"
#include "generator/spec/deployment.h"
#include "generator/spec/field.h"

namespace caisson::spec {

/// Reads a module manifest, a YAML or JSON file that a service names under `module`:
///
///     handlers: [charge, refund]
///     types: [types/charge.json]
///     versions: [2026-02-14]
///     capabilities: { topics: [billing.paid], egress: [api.stripe.com:443] }
///
/// Everything that is wrong is in `diagnostics`; empty when something is.
[[nodiscard]] std::optional<ModuleManifest> read_manifest(const source::SourceFile& source,
                                                          std::uint32_t file,
                                                          source::Diagnostics& diagnostics);

extern const Type<ModuleManifest> manifest_type;

}  // namespace caisson::spec

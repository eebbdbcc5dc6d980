#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/console.h"
#include "cli/generation.h"
#include "cli/spec_source.h"
#include "generator/render/artifact.h"
#include "generator/render/blueprints.h"
#include "generator/render/places.h"
#include "installer/format/manifest.h"

namespace caisson::cli {

/// What the bundle of a spec asks its sites.
struct Asked {
  std::vector<installer::Question> questions;
  /// Whether one of them is where certificates come from: the spec has them from an authority that
  /// a site without a network does not reach.
  bool certificates = false;
};

/// What a bundle of the spec asks; nothing of a spec with errors, which are reported when it is
/// loaded.
[[nodiscard]] Asked asked_of(SpecSource source, const std::string& environment);

/// What a bundle has of a spec.
struct ForSites {
  render::Artifacts artifacts;
  render::Places places;  ///< where they keep data, whatever is answered
};

/// The artifacts of a bundle, with placeholders where a site's answers belong. They are rendered
/// with one set of answers after the other and compared: `source` has the first of them, and `spec`
/// was loaded from it. Prints what is wrong with the spec, and fails then.
[[nodiscard]] Result<ForSites> render_for_sites(const SpecSource& source, const LoadedSpec& spec,
                                                const Asked& asked, const Rendering& rendering,
                                                const render::Blueprints& blueprints,
                                                Console& console);

}  // namespace caisson::cli

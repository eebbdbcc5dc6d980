#pragma once

#include <vector>

#include "generator/render/places.h"
#include "installer/format/manifest.h"

namespace caisson::bundle {

/// Where a bundle's forms keep data, as its MANIFEST says it. A chart has the places of its own
/// values: those of environments are no site's.
[[nodiscard]] std::vector<installer::Place> places_of(const render::Places& places);

}  // namespace caisson::bundle

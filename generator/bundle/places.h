#pragma once

#include <string_view>
#include <vector>

#include "generator/render/places.h"
#include "installer/format/manifest.h"

namespace caisson::bundle {

/// Where a bundle's forms keep data, as its MANIFEST says it. A chart has the places of its own
/// values: those of environments are no site's. A compose project is called as the product there,
/// whatever `project` the spec names.
[[nodiscard]] std::vector<installer::Place> places_of(const render::Places& places,
                                                      std::string_view project);

}  // namespace caisson::bundle

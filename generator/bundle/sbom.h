#pragma once

#include <string>
#include <utility>
#include <vector>

#include "generator/bundle/create.h"
#include "generator/bundle/images.h"
#include "generator/bundle/parts.h"

namespace caisson::bundle {

/// A program of the bundle and what it is made of.
struct ProgramParts {
  std::string name;
  Digest digest{};
  std::vector<Part> parts;  ///< empty: the program does not say
};

/// sbom.cdx.json: CycloneDX 1.6 of the programs, what is linked into them, the images and the
/// packages in them. Without serial number and time, which would differ from run to run.
[[nodiscard]] std::string sbom(const Recipe& recipe, const std::vector<ProgramParts>& programs,
                               const PackedImages& images);

/// LICENSES.txt: the copyright files of everything that is linked into the programs.
[[nodiscard]] std::string licences(const Recipe& recipe, const std::vector<ProgramParts>& programs);

}  // namespace caisson::bundle

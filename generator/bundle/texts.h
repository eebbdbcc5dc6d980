#pragma once

#include <string>

#include "generator/bundle/keys.h"
#include "installer/format/manifest.h"

namespace caisson::bundle {

/// README: how a person with a shell checks the bundle and goes on.
[[nodiscard]] std::string readme(const installer::Manifest& manifest);

/// TRUST.txt: whom a site trusts when it trusts this vendor for the first time.
[[nodiscard]] std::string trust_text(const installer::Manifest& manifest, const PublicKeys& keys);

}  // namespace caisson::bundle

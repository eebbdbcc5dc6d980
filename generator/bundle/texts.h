#pragma once

#include <string>

#include "generator/bundle/keys.h"
#include "installer/format/manifest.h"

namespace caisson::bundle {

/// README: how a person with a shell checks the bundle and goes on.
[[nodiscard]] std::string readme(const installer::Manifest& manifest);

/// INSTALL.md: what a site does with this bundle, from checking it to removing it, with the
/// commands and what it is asked.
[[nodiscard]] std::string install_text(const installer::Manifest& manifest);

/// TRUST.txt: whom a site trusts when it trusts this vendor for the first time.
[[nodiscard]] std::string trust_text(const installer::Manifest& manifest, const PublicKeys& keys);

}  // namespace caisson::bundle

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"

namespace caisson::installer {

/// A reference to an image, taken apart as engines do it.
struct Reference {
  std::string registry;    ///< "docker.io" where none is named
  std::string repository;  ///< "library/caddy"
  std::string tag;         ///< empty where there is none, and then there is a digest or "latest"
  std::optional<Digest> digest;
};

/// Nothing when a registry could not serve it: its repository and tag have to be what the OCI
/// distribution specification allows, a digest one of SHA-256.
[[nodiscard]] std::optional<Reference> reference_of(std::string_view text);

/// Whether a repository's name is one of the OCI distribution specification, of up to 255 bytes.
[[nodiscard]] bool is_repository(std::string_view name);

/// The digest that "sha256:<64 lower-case hexadecimal digits>" names.
[[nodiscard]] std::optional<Digest> sha256_of(std::string_view text);

/// "sha256:<hex>".
[[nodiscard]] std::string to_text(const Digest& digest);

}  // namespace caisson::installer

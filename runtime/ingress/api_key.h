#pragma once

#include <optional>
#include <string_view>

#include "runtime/tenancy/registry.h"

namespace caisson::ingress {

/// What every API key begins with.
inline constexpr std::string_view api_key_prefix = "csk_";

/// The id in `csk_<22 characters of id>_<43 characters of secret>`; nothing when `text` is no such
/// key. The alphabet of base64url has '_' in it, so the parts are found by their length.
[[nodiscard]] std::optional<std::string_view> api_key_id(std::string_view text);

/// Whether `text` is the key that `key` keeps the hash of, in time that does not depend on where
/// they differ. A null `key` takes the same time and is never matched.
[[nodiscard]] bool matches(const tenancy::ApiKeyPtr& key, std::string_view text);

}  // namespace caisson::ingress
